"""Documents read as the editor reads them, and written as plain text and HTML."""

import json
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content import attributes
from crdt.content.html import HtmlWriter, html_page
from crdt.content.mark_keys import key_of
from crdt.content.markdown import markdown
from crdt.content.schema import NODES, SCHEMA, missing
from crdt.content.text import plain_text
from crdt.content.tree import MOST_LEVELS, Mark, Node, tree
from crdt.errors import Code, ProtocolError
from tests.harness.contents import BASE, DOCUMENTS, everything, from_json, words_in
from tests.harness.rich_text import paragraph

KEY_OF_VALUES = "comment--gJJYMqTT"
"""The editor's own, for values that no comment has."""
VECTORS = json.loads((Path(__file__).parents[1] / "vectors/contents.json").read_text())


def document(*blocks: XmlElement | XmlText) -> "Doc[Any]":
    doc: Doc[Any] = Doc()
    doc["default"] = root = XmlFragment()
    for block in blocks:
        root.children.append(block)
    return doc


def element(name: str, attributes: Any, content: list[XmlElement]) -> XmlElement:
    return XmlElement(name, attributes, content)


def json_of(*blocks: XmlElement | XmlText) -> Any:
    return tree(document(*blocks)).to_json()["content"]


@pytest.mark.parametrize("told", VECTORS["documents"], ids=lambda told: told["name"])
def test_the_server_reads_and_copies_what_the_editor_does(told: dict[str, Any]) -> None:
    doc: Doc[Any] = Doc()
    doc.apply_update(b64decode(told["update"]))
    read = tree(doc)
    assert read.to_json() == told["content"]
    assert plain_text(read) == told["text"]


def test_marks_have_the_keys_that_the_editor_gives_them() -> None:
    (told,) = (each for each in VECTORS["documents"] if each["name"] == "comments")
    doc: Doc[Any] = Doc()
    doc.apply_update(b64decode(told["update"]))
    texts = [each for block in doc.get("default", type=XmlFragment).children for each in block.children]
    keys = {key for text in texts for _, formats in text.diff() for key in formats or {}}
    marks = {mark for block in tree(doc).content for node in block.content for mark in map(key_of, node.marks)}
    assert keys == marks
    assert len([key for key in keys if key.startswith("comment--")]) == 4
    assert key_of(Mark("comment", {"id": 1, "user": [2.5, 1e300, -70, None, True]})) == KEY_OF_VALUES


@pytest.mark.parametrize("told", VECTORS["values"], ids=lambda told: told["name"])
def test_the_server_shows_the_values_that_the_editor_shows(told: dict[str, Any]) -> None:
    show: dict[str, Callable[[str], str | None]] = {
        "href": lambda value: attributes.href_of(value, BASE),
        "color": attributes.color_of,
        "font": attributes.font_of,
        "fontSize": attributes.font_size_of,
        "picture": lambda value: attributes.picture_of(value, BASE),
    }
    shown = show[told["name"]]
    assert [value for value in told["allowed"] if shown(value) is None] == []
    assert [value for value in told["refused"] if shown(value) is not None] == []


def test_every_node_of_the_editor_is_among_the_vectors() -> None:
    def names(node: dict[str, Any]) -> set[str]:
        return {node["type"]}.union(*map(names, node.get("content", [])))

    assert set().union(*(names(told["content"]) for told in VECTORS["documents"])) == set(NODES)


def test_what_a_merge_has_taken_is_there_again_empty() -> None:
    empty = {"type": "paragraph", "attrs": NODES["paragraph"].attributes}
    (items,) = json_of(XmlElement("bulletList", {}, [XmlElement("listItem", {}, [XmlElement("horizontalRule")])]))
    assert [child["type"] for child in items["content"][0]["content"]] == ["paragraph", "horizontalRule"]
    (details,) = json_of(XmlElement("details"))
    assert [child["type"] for child in details["content"]] == ["detailsSummary", "detailsContent"]
    assert details["content"][1]["content"] == [empty]
    assert json_of() == [empty]
    assert missing("details", ["detailsContent", "detailsSummary"]) is None


def test_attributes_are_brought_within_bounds() -> None:
    cell = element("tableCell", {"colspan": 10**9, "rowspan": "x"}, [paragraph("a")])
    (table,) = json_of(XmlElement("table", {}, [XmlElement("tableRow", {}, [cell])]))
    read = table["content"][0]["content"][0]["attrs"]
    assert (read["colspan"], read["rowspan"]) == (SCHEMA.most.span, 1)


def test_a_comment_on_a_picture_is_no_content() -> None:
    picture = {"src": "/a.png", "comment--AAAAAAAA": {"id": "t1", "user": "ann"}}
    (read,) = json_of(element("image", picture, []))
    assert read["attrs"]["src"] == "/a.png"
    assert not [name for name in read["attrs"] if name.startswith("comment")]


def test_what_the_schema_lacks_is_kept_and_named() -> None:
    words = XmlText("abcd")
    doc = document(
        element("kanban", {"columns": 3}, [paragraph("card")]),
        XmlElement("paragraph", {"mood": "good"}, [words, XmlElement("sticker")]),
        XmlText("loose"),
    )
    words.format(0, 3, {"remark--A1b2C3d4": {"id": "1"}, "bold": {}})
    words.format(1, 2, {"remark--Z1b2C3d4": {"id": "2"}})
    read = tree(doc)
    board, line, loose = read.to_json()["content"]
    assert (board["type"], board["attrs"]) == ("kanban", {"columns": 3})
    assert line["attrs"]["mood"] == "good"
    bold, first, second = {"type": "bold"}, *({"type": "remark", "attrs": {"id": each}} for each in "12")
    assert [(each.get("text"), each.get("marks")) for each in line["content"]] == [
        ("a", [bold, first]),
        ("b", [bold, first, second]),
        ("c", [bold, first]),
        ("d", None),
        (None, None),
    ]
    assert loose["content"] == [{"type": "text", "text": "loose"}]
    board_name, sticker_name = "[Not shown here: kanban]", "[Not shown here: sticker]"
    assert plain_text(read) == f"{board_name}\ncard\nabcd{sticker_name}\nloose"
    assert markdown(read, BASE) == (
        "\\[Not shown here: kanban\\]\n\ncard\n\n**abc**d\\[Not shown here: sticker\\]\n\nloose\n"
    )
    assert f"<p>{board_name}</p><p>card</p>\n<p><strong>abc</strong>d{sticker_name}</p>" in html_page(
        read, BASE, "", "en"
    )


def test_a_document_as_deep_as_the_editor_opens_is_written_and_a_deeper_one_refused() -> None:
    def deep(levels: int) -> Node:
        doc = document()
        at: Any = doc["default"]
        for _ in range(levels - 2):
            at = at.children.append(XmlElement("blockquote"))
        at.children.append(paragraph("deep"))
        return tree(doc)

    read = deep(MOST_LEVELS)
    assert plain_text(read) == "deep"
    assert markdown(read, BASE).endswith("> deep\n")
    assert "<p>deep</p>" in html_page(read, BASE, "", "en")
    assert json.dumps(read.to_json()).count("blockquote") == MOST_LEVELS - 2
    with pytest.raises(ProtocolError) as refused:
        deep(MOST_LEVELS + 1)
    assert refused.value.code is Code.TOO_LARGE


@pytest.mark.slow
@given(DOCUMENTS)
def test_html_says_all_words(doc: Node) -> None:
    page = html_page(doc, BASE, "", "en")
    body = page[page.index("<body>") :]
    assert words_in(body) == "".join("".join(everything(doc)).split())


def test_a_page_is_sound_and_says_what_it_may() -> None:
    written = from_json(
        {
            "type": "doc",
            "content": [
                {
                    "type": "paragraph",
                    "attrs": {"textAlign": "center; position: fixed", "dir": '"><script>'},
                    "content": [
                        {
                            "type": "text",
                            "text": "<script>",
                            "marks": [
                                {"type": "link", "attrs": {"href": "javascript:alert(1)"}},
                                {"type": "textStyle", "attrs": {"color": "red;position:fixed", "fontSize": "12pt"}},
                            ],
                        }
                    ],
                },
                {"type": "image", "attrs": {"src": "https://elsewhere.example/a.png"}},
                {
                    "type": "codeBlock",
                    "attrs": {"language": '"><script>'},
                    "content": [{"type": "text", "text": "\n&"}],
                },
            ],
        }
    )
    page = html_page(written, BASE, "</title><script>", "en")
    assert page.startswith('<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">')
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page
    assert page[page.index("<body>") :] == (
        '<body>\n<p><span style="font-size: 12pt">&lt;script&gt;</span></p>\n'
        "<figure><span>Image kept on another server</span></figure>\n<pre><code>\n&amp;</code></pre>\n</body>\n</html>\n"
    )


def test_code_that_begins_with_an_empty_line_has_one_in_html() -> None:
    """A parser drops the line end behind `<pre>` itself, and none behind `<code>`."""
    code = Node("codeBlock", NODES["codeBlock"].attributes, (Node("text", text="\na"),))
    assert "<pre><code>\na</code></pre>" in html_page(Node("doc", content=(code,)), BASE, "", "en")


def test_a_link_that_leads_nowhere_parts_no_words() -> None:
    nowhere, slanted = Mark("link", {"href": "javascript:alert(1)"}), Mark("italic", {})
    line = Node(
        "paragraph",
        content=(Node("text", text="1", marks=(slanted,)), Node("text", text="2", marks=(nowhere, slanted))),
    )
    assert HtmlWriter(BASE).block(line) == "<p><em>12</em></p>"
