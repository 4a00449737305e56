"""Markdown of documents, read again: the same words, marks and structure."""

import pytest
from hypothesis import given

from crdt.content.markdown import markdown
from crdt.content.tree import Node
from tests.harness.contents import BASE, DOCUMENTS, expected, from_json, read


@pytest.mark.slow
@given(DOCUMENTS)
def test_a_reader_finds_the_same_words_and_structure(doc: Node) -> None:
    assert read(markdown(doc, BASE)) == expected(doc.content)


def test_lists_that_follow_on_one_another_stay_apart() -> None:
    def items(words: str) -> dict[str, object]:
        line = {"type": "paragraph", "content": [{"type": "text", "text": words}]}
        return {"type": "bulletList", "content": [{"type": "listItem", "content": [line]}]}

    lists = [items("a"), items("b"), {"type": "paragraph"}, items("c")]
    assert markdown(from_json({"type": "doc", "content": lists}), BASE) == "- a\n\n* b\n\n- c\n"


def test_a_formula_that_would_begin_something_else_is_on_one_line() -> None:
    formula = Node("blockMath", {"latex": "a\n- b"})
    assert markdown(Node("doc", content=(formula,)), BASE) == "$$a - b$$\n"
    assert markdown(Node("doc", content=(Node("blockMath", {"latex": "a\nb"}),)), BASE) == "$$\na\nb\n$$\n"


def test_a_break_before_nothing_but_a_space_of_any_kind_is_not_written() -> None:
    for end in ("\xa0", "\u2003", " "):
        line = Node("paragraph", content=(Node("text", text=f"words\n{end}"),))
        assert markdown(Node("doc", content=(line,)), BASE) == "words\n"
