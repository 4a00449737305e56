"""Documents with suggestions, read without them and as if all were accepted."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.excerpt import excerpt
from crdt.content.suggested import View, seen
from crdt.content.tree import Mark, Node, tree
from crdt.content.writing import Form, Wanted, written
from crdt.suggestions.marks import proposal_key_of

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "suggested.json").read_text())
WHO = {"id": "s1", "user": "ann", "at": 1}


@pytest.mark.parametrize("document", VECTORS)
@pytest.mark.parametrize("view", ["accepted", "without"])
def test_the_server_reads_what_the_page_reads(document: dict[str, Any], view: str) -> None:
    doc = _read(document)
    assert seen(tree(doc), View(view)).to_json() == document[view]


@pytest.mark.parametrize("document", VECTORS)
def test_what_is_marked_is_everything(document: dict[str, Any]) -> None:
    doc = _read(document)
    assert seen(tree(doc), View.INLINE) == tree(doc)


def test_forms_leave_suggestions_out_unless_somebody_asks() -> None:
    doc = _suggested()

    def text(form: Form, view: View) -> str:
        return written(doc, Wanted(form, "https://a.example", view=view)).content.decode()

    assert text(Form.TEXT, View.WITHOUT) == "Hello brave world\n"
    assert text(Form.TEXT, View.ACCEPTED) == "Hello new world\nmore\n"
    assert "<del>brave</del><ins>new</ins>" in text(Form.MARKDOWN, View.INLINE)
    assert "<del>brave</del><ins>new</ins>" in text(Form.HTML, View.INLINE)
    without = json.loads(text(Form.JSON, View.WITHOUT))
    assert [len(without["content"]), len(without["blocks"])] == [1, 1]
    assert "suggestion" in text(Form.JSON, View.INLINE)


def test_a_document_is_not_called_by_what_somebody_suggests() -> None:
    assert excerpt(_suggested()).first == "Hello brave world"


def test_a_heading_that_cannot_begin_an_item_stays_a_line() -> None:
    def line(words: str) -> Node:
        wanted = {**WHO, "kind": "set", "type": "heading", "attrs": {"level": 2}}
        return Node("paragraph", {"suggestion": wanted}, (Node("text", text=words),))

    listed = Node("bulletList", {}, (Node("listItem", {}, (line("one"), line("two"))),))
    accepted = seen(Node("doc", {}, (listed, line("three"))), View.ACCEPTED)
    item = accepted.content[0].content[0]
    assert [child.type for child in item.content] == ["paragraph", "heading"]
    assert accepted.content[1].type == "heading"


def test_words_between_ends_of_lines_are_words() -> None:
    end = (Mark("insertion", {**WHO, "run": 1, "break": 1}),)
    line = Node("paragraph", {}, (Node("text", text="a"), Node("text", text="\u00b6new \u00b6", marks=end)))
    doc = Node("doc", {}, (line,))
    accepted = seen(doc, View.ACCEPTED)
    assert ["".join(word.text for word in each.content) for each in accepted.content] == ["a", "new ", ""]
    assert [word.text for word in seen(doc, View.WITHOUT).content[0].content] == ["a"]


def test_an_item_comes_into_the_item_before_it() -> None:
    def item(words: str, kind: str | None) -> Node:
        wanted = kind and {**WHO, "kind": kind, "type": "bulletList"}
        return Node("listItem", {"suggestion": wanted}, (Node("paragraph", {}, (Node("text", text=words),)),))

    items = (item("a", "wrap"), item("b", "wrap"), item("c", "wrap"), item("d", None))
    accepted = seen(Node("doc", {}, (Node("bulletList", {}, items),)), View.ACCEPTED)
    (listed,) = accepted.content
    assert [[child.type for child in each.content] for each in listed.content] == [
        ["paragraph", "bulletList"],
        ["paragraph"],
    ]
    assert len(listed.content[0].content[1].content) == 2


@pytest.mark.parametrize(
    ("leaving", "becomes"), [("b", "a b[cde]"), ("c", "a[b] c[de]"), ("cd", "a[b] c d[e]"), ("e", "a[bcd] e")]
)
def test_the_items_behind_an_item_that_leaves_come_into_it(leaving: str, becomes: str) -> None:
    def item(words: str, *more: Node) -> Node:
        wanted = {**WHO, "kind": "lift", "attrs": {"levels": 2}} if words in leaving else None
        return Node("listItem", {"suggestion": wanted}, (Node("paragraph", {}, (Node("text", text=words),)), *more))

    def said(one: Node) -> str:
        if one.type == "text":
            return one.text
        words = "".join(map(said, one.content))
        return f"[{words}]" if one.type == "bulletList" else words

    nested = Node("bulletList", {}, tuple(item(words) for words in "bcde"))
    around = Node("doc", {}, (Node("bulletList", {}, (item("a", nested),)),))
    (accepted,) = seen(around, View.ACCEPTED).content
    assert " ".join(map(said, accepted.content)) == becomes


def test_items_become_others_together_with_their_list() -> None:
    def item(wanted: object) -> Node:
        return Node("taskItem", {"suggestion": wanted, "checked": True}, (Node("paragraph"),))

    as_list = {**WHO, "kind": "set", "type": "bulletList", "attrs": {}}
    as_item = {**WHO, "kind": "set", "type": "listItem", "attrs": {}}
    tasks = Node("taskList", {"suggestion": as_list}, (item(as_item), item(None)))
    (accepted,) = seen(Node("doc", {}, (tasks,)), View.ACCEPTED).content
    assert [accepted.type, *(each.type for each in accepted.content)] == ["bulletList", "listItem", "listItem"]
    assert all("checked" not in each.attributes for each in accepted.content)


@pytest.mark.parametrize("value", [1, [], {}, {"kind": "set"}, {**WHO, "kind": "set", "type": 1, "attrs": [1]}, "x"])
def test_values_of_strangers_do_no_harm(value: Any) -> None:
    words = Node("text", text="a", marks=(Mark("formatting", {**WHO, "add": value, "remove": value}),))
    for name in ("paragraph", "bulletList", "image"):
        node = Node(name, {"suggestion": value}, (words,) if name == "paragraph" else ())
        for view in View:
            assert seen(Node("doc", {}, (node,)), view).type == "doc"


def _read(document: dict[str, Any]) -> "Doc[Any]":
    doc: Doc[Any] = Doc()
    doc.apply_update(b64decode(document["update"]))
    return doc


def _suggested() -> "Doc[Any]":
    """“Hello brave world”, where somebody suggests “new” for “brave”, and a line more."""
    doc: Doc[Any] = Doc()
    root = doc.get("default", type=XmlFragment)
    line = root.children.append(XmlElement("paragraph"))
    text = line.children.append(XmlText(""))
    text.insert(0, "Hello ")
    text.insert(6, "brave", {"deletion--AAAAAAAA": dict(WHO)})
    text.insert(11, "new", {"deletion--AAAAAAAA": None, "insertion--BBBBBBBB": {**WHO, "run": 1, "break": None}})
    text.insert(14, " world", {"insertion--BBBBBBBB": None})
    more = root.children.append(XmlElement("paragraph"))
    more.attributes["suggestion"] = {**WHO, "kind": "insert"}
    more.children.append(XmlText("more"))
    return doc


def test_of_what_people_propose_for_one_block_everything_is_read_that_goes_together() -> None:
    def heading(level: int) -> dict[str, Any]:
        return {"kind": "set", "type": "heading", "attrs": {"level": level}}

    center, wide = ({"kind": "set", "attrs": {name: value}} for name, value in (("textAlign", "center"), ("indent", 2)))
    listed, quoted = ({"kind": "wrap", "type": name} for name in ("bulletList", "blockquote"))

    assert _line_with(center, heading(2)) == {"heading": {"textAlign": "center", "level": 2}}
    assert _line_with(heading(2), center) == {"heading": {"textAlign": "center", "level": 2}}
    assert _line_with(heading(2), heading(3)) == {"heading": {"level": 3}}
    assert _line_with(heading(2), quoted) == {"blockquote": {}, "heading": {"level": 2}}
    assert _line_with(heading(2), listed) == {"bulletList": {}, "listItem": {}, "paragraph": {}}
    assert _line_with(listed, heading(2)) == {"heading": {"level": 2}}
    assert _line_with(heading(2), listed, heading(3)) == {"heading": {"level": 3}}
    assert _line_with(listed, listed) == {"bulletList": {}, "listItem": {}, "paragraph": {}}
    assert _line_with(listed, quoted, wide) == {"blockquote": {}, "paragraph": {"indent": 2}}


def test_what_stands_under_another_s_key_is_nobody_s_proposal() -> None:
    assert _line_with({"kind": "set", "type": "heading", "attrs": {}}, key="suggestion--AAAAAAAA") == {"paragraph": {}}


def test_a_person_s_proposal_of_version_4_is_read_until_they_propose_anew() -> None:
    old = {"id": "s0", "user": "user0", "at": 0, "kind": "set", "attrs": {"textAlign": "right"}}
    indent = {"kind": "set", "attrs": {"indent": 1}}
    assert _line_with(old=old) == {"paragraph": {"textAlign": "right"}}
    assert _line_with(indent, old=old) == {"paragraph": {"indent": 1}}
    assert _line_with(indent, old={**old, "user": "somebody"}) == {"paragraph": {"textAlign": "right", "indent": 1}}


def _line_with(
    *proposals: dict[str, Any], key: str | None = None, old: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """What a line becomes when the proposals of several people are accepted, from the outside."""
    doc: Doc[Any] = Doc()
    line = doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph"))
    line.children.append(XmlText("words"))
    if old:
        line.attributes["suggestion"] = old
    for at, proposal in enumerate(proposals):
        user = f"user{at}"
        line.attributes[key or proposal_key_of(user)] = {"id": f"s{at}", "user": user, "at": at, **proposal}
    (node,) = seen(tree(doc), View.ACCEPTED).content
    assert seen(tree(doc), View.WITHOUT).content[0].type == "paragraph"
    found = {}
    while node.type != "text":
        found[node.type] = {name: value for name, value in node.attributes.items() if value is not None}
        (node,) = node.content
    return found
