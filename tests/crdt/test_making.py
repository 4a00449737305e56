"""Edits that programs ask for, made into updates: what they change, keep and refuse."""

import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from pycrdt import Array, Doc, Map, XmlElement, XmlFragment, XmlText
from pycrdt import Text as YText

from crdt.content.blocks import Blocks, name_of
from crdt.content.building import insert_blocks
from crdt.content.edits import (
    Append,
    DeleteBlocks,
    Edit,
    Insert,
    Made,
    Order,
    ReplaceBlocks,
    Replacement,
    ReplaceText,
    Source,
)
from crdt.content.from_json import blocks_of_json
from crdt.content.html import html_page
from crdt.content.making import made
from crdt.content.markdown import markdown
from crdt.content.reading import read
from crdt.content.replacing import replaced
from crdt.content.schema import SCHEMA
from crdt.content.suggested import View
from crdt.content.tree import Node, tree
from crdt.content.writing import Form, Wanted
from crdt.content.writing import written as content_of
from crdt.errors import Code, ProtocolError
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.contents import BASE, DOCUMENTS
from tests.harness.rich_text import paragraph, step_of
from tests.harness.suggester import Writer, own_block, texts_in

AUTHOR = 99


class Text:
    """A document, and somebody who edits it by this module's functions."""

    def __init__(self, *words: str) -> None:
        self.doc: Doc[Any] = Doc(client_id=7)
        self.root = self.doc.get(SCHEMA.fragment, type=XmlFragment)
        for each in words:
            self.root.children.append(paragraph(each))

    @property
    def names(self) -> list[str]:
        return [name_of(block.id) if block.id else "" for block in Blocks(self.doc).all]

    @property
    def says(self) -> str:
        return markdown(tree(self.doc), BASE)

    def copy(self) -> "Doc[Any]":
        doc: Doc[Any] = Doc(client_id=AUTHOR)
        doc.apply_update(self.doc.get_update())
        return doc

    def edit(self, *edits: Edit, since: Sequence[bytes] = ()) -> Made:
        return self.take(made(self.copy(), Order(AUTHOR, BASE, edits, since)))

    def replace(self, form: Any, content: Any) -> Made:
        return self.take(replaced(self.copy(), Replacement(AUTHOR, BASE, Source(form, content))))

    def take(self, made: Made) -> Made:
        if made.update:
            inspect(made.update, GateLimits())  # the gate takes it
            self.doc.apply_update(made.update)
        return made


def test_each_edit_does_what_it_says() -> None:
    text = Text("a", "b", "c")
    a, b, c = text.names
    done = text.edit(
        Append("# End"),
        Insert("before b", before=b),
        Insert("<p>after <b>b</b>", "html", after=b),
        ReplaceBlocks([{"type": "horizontalRule"}], "json", blocks=[c]),
        DeleteBlocks([a]),
    )
    assert text.says == "before b\n\nb\n\nafter **b**\n\n___\n\n# End\n"
    assert {*done.blocks} | {b} == {*text.names}
    assert done.clocks[0] == 0 < done.clocks[1]
    assert not done.conflicts


def test_content_goes_where_the_first_of_the_replaced_blocks_stood() -> None:
    text = Text("a", "b", "c", "d")
    a, b, c, d = text.names
    done = text.edit(ReplaceBlocks("x\n\ny", "markdown", blocks=[d, b]))
    assert text.says == "a\n\nx\n\ny\n\nc\n"
    assert text.names == [a, *done.blocks, c]


def test_an_empty_document_takes_content() -> None:
    text = Text()
    assert text.names == [""]
    done = text.edit(Append("a"), Append("b"))
    assert (text.says, text.names) == ("a\n\nb\n", done.blocks)


def test_numbers_are_as_the_editor_writes_them_and_defaults_too() -> None:
    text = Text()
    text.edit(Append("## a"), Append("3. b"))
    heading, items = (child for child in text.root.children if isinstance(child, XmlElement))
    assert dict(heading.attributes.__iter__()) == {"level": 2.0}
    assert dict(items.attributes.__iter__()) == {"start": 3.0}


def test_words_are_replaced_within_their_marks_and_nothing_else_is_touched() -> None:
    text = Text()
    text.edit(Append("One **two 😀 é three** four"))
    (name,) = text.names
    length = len(text.doc.get_update())
    done = text.edit(ReplaceText(name, "two 😀 é three", "two 😀 é and three"))
    assert text.says == "One **two 😀 é and three** four\n"
    assert done.clocks[1] - done.clocks[0] == len("and ")
    assert len(text.doc.get_update()) < length + 30
    text.edit(ReplaceText(name, "One", "Un"), ReplaceText(name, "four", "\\*4"))
    assert text.says == "Un **two 😀 é and three** \\\\\\*4\n"
    assert text.names == [name]


def test_words_are_found_deep_in_a_block_and_by_their_number() -> None:
    text = Text()
    text.edit(Append("- tea\n- cake\n  - tea and tea"))
    (name,) = text.names
    with pytest.raises(ProtocolError, match="3 times") as refused:
        text.edit(ReplaceText(name, "tea", "coffee"))
    assert refused.value.code is Code.MALFORMED
    text.edit(ReplaceText(name, "tea", "coffee", 3))
    assert text.says == "- tea\n- cake\n  - tea and coffee\n"
    for find, occurrence in (("milk", 0), ("tea", 3), ("tea\ncake", 0)):
        with pytest.raises(ProtocolError) as refused:
            text.edit(ReplaceText(name, find, "x", occurrence))
        assert refused.value.code is Code.MALFORMED
    with pytest.raises(ProtocolError, match="one line"):
        text.edit(ReplaceText(name, "cake", "x\ny"))


def test_a_block_that_others_have_changed_since_is_not_changed_and_shown_as_it_is_now() -> None:
    text = Text("a", "b")
    a, b = text.names
    line: Any = text.root.children[0]
    theirs = step_of(text.doc, lambda: line.children[0].insert(1, "!"))
    for edit in (ReplaceText(a, "a", "x"), ReplaceBlocks("x", "markdown", blocks=[b, a]), DeleteBlocks([a])):
        done = text.edit(Append("not made"), edit, since=[theirs])
        assert [name for name, _ in done.conflicts] == [a]
        assert msgspec.json.decode(done.conflicts[0][1])["content"] == [{"type": "text", "text": "a!"}]
        assert not done.update
    assert text.says == "a!\n\nb\n"
    text.edit(ReplaceText(b, "b", "x"), Insert("y", after=a), since=[theirs])
    assert text.says == "a!\n\ny\n\nx\n"


def test_a_block_that_is_gone_is_shown_as_null() -> None:
    text = Text("a", "b")
    a, b = text.names
    text.edit(DeleteBlocks([a]))
    for edit in (Insert("x", after=a), DeleteBlocks([a, b]), ReplaceText("no id", "a", "b")):
        ((_, block),) = text.edit(edit).conflicts
        assert block == b"null"


def test_an_edit_cannot_name_a_block_that_an_edit_before_it_has_deleted() -> None:
    text = Text("a", "b")
    a, _ = text.names
    with pytest.raises(ProtocolError, match="deleted by an edit before"):
        text.edit(DeleteBlocks([a]), Insert("x", after=a))


def test_words_among_blocks_are_replaced_and_deleted_as_one_block() -> None:
    text = Text()
    for child in (XmlText("loose "), XmlText("words"), paragraph("b")):
        text.root.children.append(child)
    loose, b = text.names
    text.edit(ReplaceText(loose, "words", "ends"))
    text.edit(DeleteBlocks([loose]))
    assert (text.says, text.names) == ("b\n", [b])


def test_what_a_form_holds_and_the_document_cannot_is_named() -> None:
    assert Text().edit(Append("<p>a</p><video></video>", "html"), Append("<iframe></iframe>")).lost == [
        "video",
        "iframe",
    ]


def begin_text(doc: "Doc[Any]") -> None:
    doc.get(SCHEMA.fragment, type=YText).insert(0, "code")


def begin_list(doc: "Doc[Any]") -> None:
    doc.get(SCHEMA.fragment, type=Array).append(1.0)


def begin_map(doc: "Doc[Any]") -> None:
    doc.get(SCHEMA.fragment, type=Map)["key"] = 1.0


@pytest.mark.parametrize("begin", [begin_text, begin_list, begin_map])
def test_what_another_kind_of_editor_keeps_there_is_left_alone(begin: Callable[["Doc[Any]"], None]) -> None:
    text = Text()
    text.doc = Doc(client_id=7)
    begin(text.doc)
    with pytest.raises(ProtocolError) as refused:
        text.edit(Append("x"))
    assert refused.value.code is Code.OTHER_FORMAT
    with pytest.raises(ProtocolError) as refused:
        text.replace("markdown", "x")
    assert refused.value.code is Code.OTHER_FORMAT


# Replacement of the whole.


def test_blocks_that_stay_the_same_keep_their_ids() -> None:
    text = Text("a", "b", "c", "d")
    a, _, c, d = text.names
    done = text.replace("markdown", "new\n\na\n\nc\n\nd and more\n")
    assert text.says == "new\n\na\n\nc\n\nd and more\n"
    assert text.names == [*done.blocks, a, c, d]
    assert done.clocks[1] - done.clocks[0] < 20


def test_a_changed_line_keeps_what_its_form_does_not_say() -> None:
    text = Text()
    given = {"level": 2, "textAlign": "center", "anchor": "abcd"}
    text.edit(Append([{"type": "heading", "attrs": given, "content": [{"type": "text", "text": "Old name"}]}], "json"))
    (name,) = text.names
    text.replace("markdown", "### New name\n")
    heading = tree(text.doc).content[0]
    assert heading.attributes == {**heading.attributes, **given, "level": 3}
    assert (text.says, text.names) == ("### New name\n", [name])


def test_what_a_form_says_nothing_of_stays() -> None:
    text = Text("a", "", "b", "")
    names = text.names
    assert text.replace("markdown", "a\n\nb\n").update == b""
    text.replace("markdown", "a\n\nb\n\nc\n")
    assert text.names[:3] == names[:3]
    assert text.says == "a\n\nb\n\nc\n"


def test_marks_of_a_changed_line_are_those_of_the_content() -> None:
    text = Text("plain words here")
    text.replace("markdown", "plain **words** _here_ `now`\n")
    assert text.says == "plain **words** _here_ `now`\n"
    text.replace("markdown", "words\n")
    assert text.says == "words\n"
    text.replace("html", "")
    assert text.says == ""


ON_THE_LINE = [
    {"type": "comment", "attrs": {"id": "t1", "user": "ann"}},
    {"type": "comment", "attrs": {"id": "t2", "user": "ben"}},
]


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_comments_stay_on_the_words_that_stay(form: str) -> None:
    text = Text()
    line: list[dict[str, Any]] = [
        {"type": "text", "text": "one "},
        {"type": "text", "text": "two", "marks": ON_THE_LINE},
    ]
    text.edit(Append([{"type": "paragraph", "content": [*line, {"type": "text", "text": " three"}]}], "json"))
    assert text.replace(form, written(form, tree(text.doc))).update == b""
    changed = from_json([*line, {"type": "text", "text": " four"}])
    text.replace(form, written(form, changed))
    words = tree(text.doc).to_json()["content"][0]["content"]
    assert [(each["text"], len(each.get("marks", []))) for each in words] == [("one ", 0), ("two", 2), (" four", 0)]
    assert {mark["attrs"]["id"] for mark in words[1]["marks"]} == {"t1", "t2"}
    assert text.says == "one two four\n"


def from_json(line: list[dict[str, Any]]) -> Node:
    return Node("doc", content=tuple(blocks_of_json([{"type": "paragraph", "content": line}])))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["json", "markdown", "html"])
@settings(max_examples=20)
@given(old=DOCUMENTS, new=DOCUMENTS)
def test_a_document_says_what_it_was_replaced_by_and_writing_back_changes_nothing(
    form: str, old: Node, new: Node
) -> None:
    text = Text()
    blocks = blocks_of_json(msgspec.json.decode(msgspec.json.encode(old.to_json())))
    insert_blocks(text.root, 0, blocks)
    text.replace(form, wanted := written(form, new))
    if form != "json":
        assert solid(page_of(form, written(form, tree(text.doc)))) == solid(page_of(form, wanted))
    assert text.replace(form, written(form, tree(text.doc))).update == b""


def page_of(form: Any, content: str) -> str:
    """The content as it is written again once it was read."""
    again: str = written(form, Node("doc", content=tuple(read(Source(form, content), BASE).blocks)))
    return again


def solid(words: str) -> str:
    """Without blanks, and without breaks at the ends of lines."""
    return re.sub(r"\s|<br>", "", words)


def written(form: str, doc: Node) -> Any:
    match form:
        case "json":
            return msgspec.json.decode(msgspec.json.encode(doc.to_json()))
        case "html":
            return html_page(doc, BASE, "", "en")
        case _:
            return markdown(doc, BASE)


# Suggestions and comments in a document that is replaced.


def marked(*, user: str = "bob") -> Text:
    """A document with something suggested in each line, a commented word, and a proposed line."""
    text = Text("Hello brave world", "Another line", "The end")
    writer = Writer(user, 8, Random(1))
    writer.hears(text.doc.get_update())
    first, second = (texts_in(block)[0] for block in list(writer.root.children)[:2])

    def acts(_: Writer) -> None:
        first.format(6, 11, writer.mark("deletion"))
        first.insert(11, "über", {**writer.mark("insertion"), **dict.fromkeys(writer.mark("deletion"))})
        second.format(8, 12, writer.mark("comment"))
        second.insert(0, "Yet ", writer.mark("insertion"))
        writer.root.children.insert(1, own_block(writer, "Proposed"))

    for update in writer.does(acts):
        text.doc.apply_update(update)
    return text


def as_read(text: Text, form: str) -> Any:
    content = content_of(text.doc, Wanted(Form(form), BASE, view=View.WITHOUT)).content
    return msgspec.json.decode(content)["content"] if form == "json" else content.decode()


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_writing_back_what_was_read_leaves_suggestions_and_comments(form: str) -> None:
    text = marked()
    before = str(text.root)
    assert "insertion--" in before
    text.replace(form, as_read(text, form))
    assert str(text.root) == before


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_a_changed_line_keeps_what_is_suggested_beside_the_change(form: str) -> None:
    text = marked()
    changed = msgspec.json.encode(as_read(text, form)).decode().replace("world", "town").replace("The end", "An end")
    text.replace(form, msgspec.json.decode(changed))
    accepted = content_of(text.doc, Wanted(Form.TEXT, BASE, view=View.ACCEPTED)).content.decode()
    assert accepted == "Hello über town\nProposed\nYet Another line\nAn end\n"
    without = content_of(text.doc, Wanted(Form.TEXT, BASE, view=View.WITHOUT)).content.decode()
    assert without == "Hello brave town\nAnother line\nAn end\n"
    assert "comment--" in str(text.root)


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_words_that_go_take_their_strike_along_and_leave_what_is_proposed(form: str) -> None:
    text = marked()
    changed = msgspec.json.encode(as_read(text, form)).decode().replace("brave ", "").replace("Another", "A")
    text.replace(form, msgspec.json.decode(changed))
    without = content_of(text.doc, Wanted(Form.TEXT, BASE, view=View.WITHOUT)).content.decode()
    assert without == "Hello world\nA line\nThe end\n"
    accepted = content_of(text.doc, Wanted(Form.TEXT, BASE, view=View.ACCEPTED)).content.decode()
    assert accepted == "Hello überworld\nProposed\nYet A line\nThe end\n"
