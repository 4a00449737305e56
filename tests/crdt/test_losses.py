"""What a form leaves out: named for each document, and nothing if the document comes back whole."""

import pytest
from hypothesis import given

from crdt.content.from_html import blocks_of_html
from crdt.content.from_markdown import blocks_of_markdown
from crdt.content.html import html_page
from crdt.content.losses import IN_HTML, left_out
from crdt.content.markdown import markdown
from crdt.content.tree import Mark, Node
from tests.harness.contents import BASE, DOCUMENTS


def names(node: Node) -> list[str]:
    return left_out(Node("doc", content=(node, node)), BASE, is_html=False)


def test_each_loss_has_a_name() -> None:
    for attributes, name in (
        ({"textAlign": "center"}, "alignment"),
        ({"indent": 1}, "indents"),
        ({"lineHeight": "2"}, "line spacing"),
        ({"dir": "rtl"}, "directions"),
        ({"look": "subtitle"}, "subtitles"),
    ):
        assert names(Node("paragraph", attributes, (Node("text", text="a"),))) == [name]
    for mark, name in (
        (Mark("textStyle", {"color": "red", "fontFamily": None}), "colours"),
        (Mark("textStyle", {"fontFamily": "Serif"}), "fonts"),
        (Mark("textStyle", {"fontSize": "20pt"}), "sizes"),
        (Mark("highlight", {"color": "red"}), "colours"),
        (Mark("link", {"href": "javascript:alert(1)"}), "links that lead nowhere"),
    ):
        assert names(Node("paragraph", {}, (Node("text", text="a", marks=(mark,)),))) == [name]
    assert names(Node("paragraph")) == ["empty lines"]
    assert names(Node("paragraph", {}, (Node("mention", {"label": "Ann"}),))) == ["mentions"]
    assert names(Node("table", {}, (Node("tableRow", {}, (Node("tableCell", {"colwidth": [9]}),)),))) == [
        "column widths"
    ]


@pytest.mark.slow
@given(DOCUMENTS)
def test_what_is_read_again_has_lost_nothing_more(doc: Node) -> None:
    page = blocks_of_html(html_page(doc, BASE, "", "en"), BASE)
    assert not IN_HTML & {*left_out(Node("doc", content=tuple(page.blocks)), BASE, is_html=True)}
    text = blocks_of_markdown(markdown(doc, BASE), BASE)
    again = {*left_out(Node("doc", content=tuple(text.blocks)), BASE, is_html=False)}
    # Tables and sections stand in Markdown as HTML, which holds more than Markdown does.
    assert again <= {*left_out(doc, BASE, is_html=False)} | {"empty lines"}
