"""Schema of the rich text: the nodes, marks and attributes that Manyhands' editor knows.

`format.json` is written from the package @manyhands/schema (`make describe`), so both sides know
the same. Merged edits may leave what is not valid. `missing` and `bounded` mend it for readers, as
`readTolerantly` does in the editor (client_web/schema/src/tolerance.ts).
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

MOST_START = 10**9
"""Largest first number of a list."""


class MarkType(Struct, frozen=True):
    """A mark. Marks are nested in the order of `Schema.marks`, the first one outermost."""

    name: str
    groups: list[str]
    attributes: dict[str, Any]


class NodeType(Struct, frozen=True):
    """A node. `content` is a content expression of ProseMirror.

    `marks` says which marks words in it may have: `_` for all, or the name of a group.
    """

    name: str
    content: str
    groups: list[str]
    inline: bool
    marks: str
    attributes: dict[str, Any]

    @property
    def holds_text(self) -> bool:
        return self.content in ("inline*", "text*")


class Most(Struct, frozen=True):
    """Upper bounds of what attributes say: columns or rows, pixels, levels, characters."""

    span: int
    pixels: int
    indent: int
    formula: int
    caption: int


class Schema(Struct, frozen=True):
    """All of format.json.

    `fragment` is the root that holds the rich text, `settings` the map of what is said about the
    document as a whole.
    """

    name: str
    version: int
    fragment: str
    settings: str
    most: Most
    nodes: list[NodeType]
    marks: list[MarkType]


SCHEMA = msgspec.json.decode(files("crdt.content").joinpath("format.json").read_bytes(), type=Schema)
NODES: Mapping[str, NodeType] = {each.name: each for each in SCHEMA.nodes}
MARKS: Mapping[str, MarkType] = {each.name: each for each in SCHEMA.marks}
ANNOTATIONS = frozenset(each.name for each in SCHEMA.marks if "annotation" in each.groups)
"""Marks that say something about words, and change nothing of what the words say."""
RANKS: Mapping[str, int] = {each.name: rank for rank, each in enumerate(SCHEMA.marks)}


class _Term(Struct, frozen=True):
    """A part of a content expression: names that may stand there.

    The first one is added if one is missing.
    """

    names: tuple[str, ...]
    required: bool
    repeated: bool


def _terms_of(expression: str) -> tuple[_Term, ...]:
    terms = []
    for choice, sign in re.findall(r"(\([^)]*\)|\w+)([*+]?)", expression):
        names = tuple(
            node.name
            for name in re.findall(r"\w+", choice)
            for node in SCHEMA.nodes
            if name in (node.name, *node.groups)
        )
        terms.append(_Term(names, sign != "*", sign != ""))
    return tuple(terms)


_TERMS = {each.name: _terms_of(each.content) for each in SCHEMA.nodes}


def missing(name: str, children: Sequence[str]) -> tuple[list[str], list[str]] | None:
    """Return the nodes that `name` lacks before and behind these children.

    Return None if the children cannot stand there, whatever is added.
    """
    terms = _TERMS[name]
    for skipped in range(len(terms) + 1):
        before = [term.names[0] for term in terms[:skipped] if term.required]
        behind = _rest(terms, [*before, *children])
        if behind is not None:
            return before, behind
    return None


def _rest(terms: Sequence[_Term], names: Sequence[str]) -> list[str] | None:
    """Return what the terms still ask for behind these names, or None if the names do not match."""
    at = 0
    found = False
    for name in names:
        while at < len(terms) and name not in terms[at].names:
            if terms[at].required and not found:
                return None
            at, found = at + 1, False
        if at == len(terms):
            return None
        at, found = (at, True) if terms[at].repeated else (at + 1, False)
    return [term.names[0] for term in terms[at + found :] if term.required]


def bounded(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return a node's attributes with its numbers within bounds."""
    most = SCHEMA.most
    for name, least, largest, usual in (
        ("colspan", 1, most.span, 1),
        ("rowspan", 1, most.span, 1),
        ("level", 1, 6, 1),
        ("start", 0, MOST_START, 1),
        ("width", 1, most.pixels, None),
        ("height", 1, most.pixels, None),
    ):
        if name in attributes:
            number = whole_number(attributes[name], least, largest)
            attributes[name] = usual if number is None else number
    if "colwidth" in attributes:
        attributes["colwidth"] = _column_widths(attributes["colwidth"], attributes.get("colspan", 1))
    return attributes


def whole_number(value: object, least: int, largest: int) -> int | None:
    """Return a value as a whole number within bounds, or None if it is none.

    Digits at the start of a text count, as other editors store them.
    """
    if isinstance(value, str):
        digits = re.match(r"\s*([+-]?\d+)", value, re.ASCII)
        value = int(digits[1][:20]) if digits else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        return None
    return min(max(int(value // 1 + (value % 1 >= 0.5)), least), largest)


def _column_widths(value: object, columns: int) -> list[int] | None:
    if not isinstance(value, list) or len(value) != columns:
        return None
    return [0 if width == 0 else whole_number(width, 1, SCHEMA.most.pixels) or 0 for width in value]
