"""Rows and columns that somebody suggests: what the judge takes, and how tables are read then."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from pycrdt import XmlElement, XmlText

from crdt.content.suggested import View, seen
from crdt.content.tree import Node, tree
from crdt.content.writing import Form, Wanted, written
from crdt.errors import Code, ProtocolError
from crdt.suggestions.judge import Candidate, Judge
from crdt.suggestions.marks import proposal_key_of
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.suggester import Writer, texts_in

LIMITS = GateLimits()
Act = Callable[[Writer, Any], object]
OWN_KEY, THEIR_KEY = proposal_key_of("u"), proposal_key_of("third")


def an_element(tag: str, suggestion: dict[str, Any] | None, *inside: XmlElement | XmlText) -> XmlElement:
    given: Any = {"suggestion": suggestion} if suggestion else {}
    return XmlElement(tag, given, list(inside))


def a_cell(words: str, suggestion: dict[str, Any] | None = None) -> XmlElement:
    return an_element("tableCell", suggestion, an_element("paragraph", None, XmlText(words)))


def a_row(*words: str, suggestion: dict[str, Any] | None = None) -> XmlElement:
    return an_element("tableRow", suggestion, *[a_cell(each) for each in words])


def a_document() -> tuple[bytes, bytes]:
    """Return a table with suggestions of another person, and the same in the engine's form.

    It has three rows and columns. A row and a column are proposed, and a row and a column struck.
    """
    writer = Writer("third", 10, Random(0))
    rows = [a_row("a", "b", "c"), a_row("d", "e", "f"), a_row("g", "h", "i")]
    table = writer.root.children.append(XmlElement("table", {}, rows))
    column, struck = writer.of_block("insert"), writer.of_block("delete")
    for row in table.children:
        row.children[2].attributes[THEIR_KEY] = struck
        row.children.insert(1, a_cell("", column))
    table.children[2].attributes[THEIR_KEY] = writer.of_block("delete")
    table.children.append(a_row("x", "y", "z", "", suggestion=writer.of_block("insert")))
    inspected = inspect(writer.doc.get_update(), LIMITS, durable=True)
    return inspected.raw, inspected.engine


RAW, STATE = a_document()
THEIR_COLUMN, THEIR_STRUCK, FREE_ROW, STRUCK_ROW, THEIR_ROW = 1, 3, 1, 2, 3


def refusal(act: Act) -> str | None:
    """Return why the judge refuses what somebody else does to the table, or None."""
    writer = Writer("u", 30, Random(0))
    writer.hears(RAW)
    updates = writer.does(lambda _: act(writer, writer.root.children[0]))
    assert updates
    inspected = [inspect(update, LIMITS, durable=True) for update in updates]
    try:
        Judge(STATE).judge([Candidate(each.raw, each.engine) for each in inspected], "u")
    except ProtocolError as error:
        return error.message if error.code is Code.NOT_A_SUGGESTION else None
    return None


def proposes_a_column(writer: Writer, table: Any) -> None:
    suggestion = writer.of_block("insert")
    for row in table.children:
        row.children.insert(0, a_cell("new", suggestion))


def strikes_a_column(writer: Writer, table: Any) -> None:
    suggestion = writer.of_block("delete")
    for row in table.children:
        row.children[0].attributes[OWN_KEY] = suggestion
        for text in texts_in(row.children[0]):
            text.format(0, len(text), writer.mark("deletion"))


HONEST: dict[str, Act] = {
    "a row": lambda writer, table: table.children.insert(
        1, a_row("", "n", "", "", suggestion=writer.of_block("insert"))
    ),
    "a column": proposes_a_column,
    "a cell alone": lambda writer, table: table.children[0].children.insert(0, a_cell("", writer.of_block("insert"))),
    "a struck row": lambda writer, table: table.children[FREE_ROW].attributes.__setitem__(
        OWN_KEY, writer.of_block("delete")
    ),
    "a struck column": strikes_a_column,
    "a struck table": lambda writer, table: table.attributes.__setitem__(OWN_KEY, writer.of_block("delete")),
    "a new table": lambda writer, _: writer.root.children.append(
        an_element("table", writer.of_block("insert"), a_row("new"))
    ),
}


@pytest.mark.parametrize("name", HONEST)
def test_rows_and_columns_are_suggested(name: str) -> None:
    assert refusal(HONEST[name]) is None


def deletes(of: Callable[[Any], Any], at: int) -> Act:
    return lambda _, table: of(table).children.__delitem__(at)


def gives(of: Callable[[Any], Any], name: str, value: Callable[[Writer], Any]) -> Act:
    return lambda writer, table: of(table).attributes.__setitem__(name, value(writer))


def moves_a_cell(writer: Writer, table: Any) -> None:
    """Into a row of one's own."""
    del table.children[0].children[0]
    table.children.insert(0, a_row("a", suggestion=writer.of_block("insert")))


ATTACKS: dict[str, Act] = {
    "a plain row": lambda _, table: table.children.append(a_row("evil", "", "", "")),
    "a plain cell": lambda _, table: table.children[0].children.append(a_cell("evil")),
    "a plain cell in another's row": lambda _, table: table.children[THEIR_ROW].children.append(a_cell("evil")),
    "a deleted row": deletes(lambda table: table, FREE_ROW),
    "a deleted cell": deletes(lambda table: table.children[0], 0),
    "another's row deleted": deletes(lambda table: table, THEIR_ROW),
    "another's cell deleted": deletes(lambda table: table.children[0], THEIR_COLUMN),
    "another's words changed in a cell": lambda _, table: texts_in(table.children[THEIR_ROW])[0].insert(0, "evil"),
    "words of a cell": lambda _, table: texts_in(table.children[0])[0].insert(0, "evil"),
    "a row in another's name": lambda writer, table: table.children.append(
        a_row("evil", suggestion=writer.of_block("insert", "third"))
    ),
    "a cell in another's name": lambda writer, table: table.children[0].children.append(
        a_cell("evil", writer.of_block("insert", "third"))
    ),
    "a cell in another's name in an own row": lambda writer, table: table.children.append(
        an_element("tableRow", writer.of_block("insert"), a_cell("evil", writer.of_block("insert", "third")))
    ),
    "a row struck in another's name": gives(
        lambda table: table.children[FREE_ROW], THEIR_KEY, lambda writer: writer.of_block("delete", "third")
    ),
    "a claimed row": gives(
        lambda table: table.children[FREE_ROW], "suggestion", lambda writer: writer.of_block("insert")
    ),
    "a claimed cell": gives(
        lambda table: table.children[0].children[0], "suggestion", lambda writer: writer.of_block("insert")
    ),
    "another's cell claimed": gives(
        lambda table: table.children[0].children[THEIR_COLUMN], "suggestion", lambda writer: writer.of_block("insert")
    ),
    "another's row accepted": lambda _, table: table.children[THEIR_ROW].attributes.__delitem__("suggestion"),
    "another's cell accepted": lambda _, table: (
        table.children[0].children[THEIR_COLUMN].attributes.__delitem__("suggestion")
    ),
    "another's strike of a row taken away": lambda _, table: table.children[STRUCK_ROW].attributes.__delitem__(
        THEIR_KEY
    ),
    "another's strike of a cell overwritten": gives(
        lambda table: table.children[0].children[THEIR_STRUCK], THEIR_KEY, lambda writer: writer.of_block("delete")
    ),
    "a cell over two columns": gives(lambda table: table.children[0].children[0], "colspan", lambda _: 2.0),
    "a moved cell": moves_a_cell,
    "a line in a row": lambda writer, table: table.children[0].children.append(
        an_element("paragraph", writer.of_block("insert"), XmlText("evil"))
    ),
    "a cell in a table": lambda writer, table: table.children.append(a_cell("evil", writer.of_block("insert"))),
    "a row in a row": lambda writer, table: table.children[0].children.append(
        a_row("evil", suggestion=writer.of_block("insert"))
    ),
    "bare words in a row": lambda _, table: table.children[0].children.append(XmlText("evil")),
    "a row too wide to be drawn": lambda writer, table: table.children.append(
        a_row(*[""] * 1001, suggestion=writer.of_block("insert"))
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_nobody_else_s_rows_and_cells_are_touched_and_nothing_is_forged(name: str) -> None:
    assert refusal(ATTACKS[name]) is not None


def words_of(node: Node) -> str:
    return node.text or "".join(map(words_of, node.content))


def test_a_table_is_read_with_and_without_its_suggested_rows_and_columns() -> None:
    writer = Writer("reader", 40, Random(0))
    writer.hears(RAW)

    def rows(view: View) -> list[str]:
        (table,) = seen(tree(writer.doc), view).content
        return ["|".join(map(words_of, row.content)) for row in table.content]

    # The words of the struck row and column are not struck here: so they stay.
    assert rows(View.WITHOUT) == ["a|b|c", "d|e|f", "g|h|i"]
    assert rows(View.ACCEPTED) == ["a||b|c", "d||e|f", "g||h|i", "x|y|z|"]
    markdown = written(writer.doc, Wanted(Form.MARKDOWN, "https://a.example", view=View.WITHOUT)).content.decode()
    assert "| a | b | c |" in markdown
    assert "x" not in markdown


def cell(words: str, suggestion: dict[str, Any] | None = None, **given: Any) -> Node:
    line = Node("paragraph", {}, (Node("text", text=words),) if words else ())
    return Node("tableCell", {"colspan": 1, "rowspan": 1, **given, "suggestion": suggestion}, (line,))


@pytest.mark.parametrize(
    ("last", "without", "accepted"),
    [
        ("", ["a|b", "|"], ["a||b", "||"]),
        ("words", ["a||b", "|words|"], ["a||b", "|words|"]),
        (None, ["a|b", "|"], ["a||b", "||"]),
    ],
    ids=["empty", "with words", "missing"],
)
def test_a_row_without_the_proposal_of_a_column_fits(last: str | None, without: list[str], accepted: list[str]) -> None:
    """`last`: what stands in the row in the place of the proposed column."""
    new = {"kind": "insert", "id": "s", "user": "u", "at": 1}
    beside = () if last is None else (cell(last),)
    rows = (
        Node("tableRow", {}, (cell("a"), cell("", new), cell("b"))),
        Node("tableRow", {}, (cell(""), *beside, cell(""))),
    )
    doc = Node("doc", {}, (Node("table", {}, rows),))
    for view, expected in ((View.WITHOUT, without), (View.ACCEPTED, accepted)):
        (table,) = seen(doc, view).content
        assert ["|".join(map(words_of, row.content)) for row in table.content] == expected


def test_a_cell_over_a_struck_column_becomes_smaller() -> None:
    gone = {"kind": "delete", "id": "s", "user": "u", "at": 1}
    rows = (
        Node("tableRow", {}, (cell("wide", colspan=2, colwidth=[9, 9]),)),
        Node("tableRow", {}, (cell("", gone), cell("b"))),
    )
    (table,) = seen(Node("doc", {}, (Node("table", {}, rows),)), View.ACCEPTED).content
    (wide,), (left,) = (row.content for row in table.content)
    assert (words_of(wide), wide.attributes["colspan"], wide.attributes["colwidth"]) == ("wide", 1, None)
    assert words_of(left) == "b"


def test_a_table_goes_with_its_last_row() -> None:
    gone = {"kind": "delete", "id": "s", "user": "u", "at": 1}
    rows = (Node("tableRow", {"suggestion": gone}, (cell(""),)),)
    assert [each.type for each in seen(Node("doc", {}, (Node("table", {}, rows),)), View.ACCEPTED).content] == [
        "paragraph"
    ]
