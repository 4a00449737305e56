"""Markdown of documents, read again: the same words, marks and structure."""

from hypothesis import given

from crdt.content.markdown import markdown
from crdt.content.tree import Node
from tests.harness.contents import BASE, DOCUMENTS, expected, read


@given(DOCUMENTS)
def test_a_reader_finds_the_same_words_and_structure(doc: Node) -> None:
    assert read(markdown(doc, BASE)) == expected(doc.content)
