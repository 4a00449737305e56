"""Contents that programs send, read: Markdown, HTML and JSON; and what comes back of our own."""

from itertools import product
from typing import Any

import msgspec
import pytest
from hypothesis import given

from crdt.content.edits import Source
from crdt.content.from_html import Read, blocks_of_html
from crdt.content.from_json import blocks_of_json
from crdt.content.from_markdown import blocks_of_markdown
from crdt.content.html import HtmlWriter
from crdt.content.html import html_page as page
from crdt.content.markdown import markdown
from crdt.content.reading import read
from crdt.content.text import plain_text
from crdt.content.tree import Node
from crdt.errors import Code, ProtocolError
from tests.harness.contents import BASE, DOCUMENTS, PICTURE, expected

PROSE = DOCUMENTS.map(lambda doc: with_breaks(doc))


def with_breaks(node: Node) -> Node:
    """The same, with breaks for the line ends in its words, and without pictures of others."""
    if node.type == "codeBlock":
        return node
    inner: list[Node] = []
    for child in node.content:
        if child.type == "image" and child.attributes["src"] != PICTURE:
            inner.append(Node("horizontalRule"))
        elif child.type == "text":
            for at, words in enumerate(child.text.split("\n")):
                inner += [Node("hardBreak")] if at else []
                inner += [Node("text", text=words, marks=child.marks)] if words else []
        else:
            inner.append(with_breaks(child))
    return Node(node.type, node.attributes, tuple(inner))


def html_of(blocks: Any) -> str:
    return "\n".join(map(HtmlWriter(BASE).block, blocks))


def of_html(html: str) -> Read:
    return blocks_of_html(html, BASE)


def of_markdown(text: str) -> Read:
    return blocks_of_markdown(text, BASE)


@pytest.mark.slow
@given(DOCUMENTS)
def test_json_comes_back_as_it_was(doc: Node) -> None:
    written = msgspec.json.decode(msgspec.json.encode(doc.to_json()))
    assert [block.to_json() for block in blocks_of_json(written)] == [block.to_json() for block in doc.content]


@pytest.mark.slow
@given(PROSE)
def test_html_comes_back_as_the_same_html(doc: Node) -> None:
    read = of_html(page(doc, BASE, "", "en"))
    assert read.lost == ()
    assert html_of(read.blocks) == html_of(doc.content)


def test_a_callout_that_begins_with_nothing_begins_with_the_line_below() -> None:
    """An empty formula is not written. The line below it stood apart from its callout's name."""
    line = Node("paragraph", content=(Node("text", text="1"),))
    for empty in (Node("blockMath", {"latex": ""}), Node("bulletList"), Node("table"), Node("paragraph")):
        doc = Node("doc", content=(Node("callout", {"kind": "info"}, (empty, line)),))
        assert markdown(doc, BASE) == "> [!NOTE]\n> 1\n"


@pytest.mark.parametrize(
    "latex", ["^", "$", "a$b", "a\\", "\\$", "\\\\", "1", "{", "`a`", "a_b*c*", "<b>", "&amp;", "|", '"']
)
def test_a_formula_comes_back_whatever_stands_beside_it(latex: str) -> None:
    """A dollar sign beside a digit is money, and another one inside ends the formula."""
    formula = Node("inlineMath", {"latex": latex})
    for before, after in product(("", "1", "x", "$", "\\", "`", "*", "x*"), repeat=2):
        words = [Node("text", text=before)] * bool(before)
        line = Node("paragraph", content=(*words, formula, Node("text", text=f"{after}&amp;"), formula))
        (read,) = of_markdown(markdown(Node("doc", content=(line,)), BASE)).blocks
        assert [(node.type, node.text, node.attributes.get("latex")) for node in read.content] == [
            (node.type, node.text, node.attributes.get("latex")) for node in line.content
        ]


@pytest.mark.parametrize("latex", ["$$", "a$$", "a\n$$\nb", "$a", "a\nb$", "- a$$", "<b>$$", '"$$', "&amp;$$"])
def test_a_formula_by_itself_comes_back_whatever_it_ends_with(latex: str) -> None:
    doc = Node(
        "doc", content=(Node("blockMath", {"latex": latex}), Node("paragraph", content=(Node("text", text="x"),)))
    )
    formula, line = of_markdown(markdown(doc, BASE)).blocks
    assert formula.type == "blockMath"
    assert formula.attributes["latex"].split() == latex.split()
    assert plain_text(Node("doc", content=(line,))) == "x"


@pytest.mark.slow
@given(PROSE)
def test_markdown_comes_back_with_the_same_words_and_structure(doc: Node) -> None:
    read = of_markdown(markdown(doc, BASE))
    assert read.lost == ()
    assert expected(read.blocks) == expected(doc.content)


def test_what_markdown_has_beside_commonmark() -> None:
    text = (
        "- [ ] open\n- [X] done\n- \\[x] words\n\n> [!TIP]\n> Do *this*.\n\n> [!CAUTION]\n>\n> - hot\n\n"
        "A formula $x^2$ and $$y$$, but $5 or 6$7.\n\n$$\na\nb\n$$\n\n"
        f"![A hill]({BASE}{PICTURE})\\\nNear home\n"
    )
    blocks = of_markdown(text).blocks
    assert [block.type for block in blocks] == [
        *("taskList", "bulletList", "callout", "callout", "paragraph", "blockMath", "image")
    ]
    assert [item.attributes["checked"] for item in blocks[0].content] == [False, True]
    assert [block.attributes["kind"] for block in blocks[2:4]] == ["tip", "warning"]
    assert plain_text(Node("doc", content=(blocks[4],))) == "A formula $x^2$ and $y$, but $5 or 6$7."
    assert blocks[5].attributes["latex"] == "a\nb"
    assert blocks[6].attributes == {**blocks[6].attributes, "src": PICTURE, "alt": "A hill", "caption": "Near home"}


def test_html_from_elsewhere_is_read_as_a_browser_shows_it() -> None:
    read = of_html(
        "<title>T</title><script>alert(1)</script><style>p{}</style>\n<div>one\n  <b>two </b> three<div>four</div></div>"
        '<ul>\n<li>a<li><p>b</p><ol type="a"><li>c</li></ol></li><ul><li>d</li></ul></ul>'
        '<p onclick="x()">Say <a href="javascript:alert(1)">no</a> to <a href="https://a.example/">yes</a><br></p>'
        "<table><caption>C</caption><tr><th>h<td colspan=2>x</table><video></video><iframe></iframe><video></video>"
    )
    assert read.lost == ("video", "iframe")
    assert html_of(read.blocks).replace("\n", "") == (
        "<p>one <strong>two </strong>three</p><p>four</p>"
        '<ul><li>a</li><li>b<ol type="a"><li>c</li></ol><ul><li>d</li></ul></li></ul>'
        '<p>Say no to <a href="https://a.example/">yes</a></p><p>C</p>'
        '<table><tbody><tr><th>h</th><td colspan="2">x</td></tr></tbody></table>'
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"type": "doc", "content": [{"type": "slide"}]}, "There is no node `slide`."),
        ([{"type": "listItem"}], "`doc` cannot hold this: listItem."),
        ([{"type": "paragraph", "content": [{"type": "paragraph"}]}], "`paragraph` cannot hold `paragraph`."),
        ([{"type": "codeBlock", "content": [{"type": "hardBreak"}]}], "`codeBlock` cannot hold `hardBreak`."),
        ([{"type": "paragraph", "attrs": {"onclick": "x"}}], "`paragraph` has no attribute `onclick`."),
        ([{"type": "paragraph", "attrs": {"dir": {"a": 1}}}], "has a value that no editor writes"),
        ([{"type": "paragraph", "content": [{"type": "text", "text": ""}]}], "may not be empty"),
        ([{"type": "text", "text": "a", "marks": [{"type": "blink"}]}], "There is no mark `blink`."),
        ([{"type": "paragraph", "style": "x"}], "Unknown in a node `paragraph`: style."),
        ("words", "must be a list of nodes"),
        ([3], "A node must be an object."),
    ],
)
def test_json_that_no_editor_writes_is_refused_by_its_name(value: Any, said: str) -> None:
    with pytest.raises(ProtocolError, match=said) as refused:
        blocks_of_json(value)
    assert refused.value.code is Code.MALFORMED


def test_what_json_leaves_out_is_there() -> None:
    (items,) = blocks_of_json([{"type": "bulletList"}])
    assert items.content[0].content[0].type == "paragraph"
    (heading,) = blocks_of_json([{"type": "heading", "attrs": {"level": 9}}])
    assert heading.attributes["level"] == 6
    (half,) = blocks_of_json([{"type": "paragraph", "content": [{"type": "text", "text": "\ud800"}]}])
    assert half.content[0].text == "?"


def test_what_is_nested_too_deeply_is_refused() -> None:
    deep: Any = {"type": "paragraph"}
    for _ in range(300):
        deep = {"type": "blockquote", "content": [deep]}
    for source in (
        Source("json", [deep]),
        Source("html", "<div>" * 5000 + "a"),
        Source("html", "<b>" * 5000 + "a"),
        Source("html", "<ul><li>" * 400 + "a"),
        Source("html", "<table><tr><td>" * 400 + "a"),
        Source("markdown", "> " * 95 + "a\n\n" + "<div>" * 300),
    ):
        with pytest.raises(ProtocolError) as refused:
            read(source, BASE)
        assert refused.value.code is Code.TOO_LARGE
