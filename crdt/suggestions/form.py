"""Form: whether what a person proposes is of the document's format.

A page opens a document read-only that holds what its editor does not know
(client_web/editor/src/extensions/foreign.ts). So nobody who may not write may bring such a thing:

1. Names of nodes, marks and attributes are known. In Manyhands' format those of format.json are. In
   another format those are that stand in the document already; without a format both.
2. Nodes stand where the schema allows them, and not too deep. Tables stay small enough to be drawn.
3. Values are what editors hold: texts, numbers, truths, lists of numbers. A suggestion says more.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pycrdt import XmlElement, XmlFragment, XmlText

from crdt.content.schema import ANNOTATIONS, MARKS, NODES, SCHEMA, missing, whole_number
from crdt.errors import ProtocolError
from crdt.permissions import not_a_suggestion
from crdt.suggestions.marks import ATTRIBUTE, is_proposal_key, kind_of, plain
from crdt.yjs.wrapping import MARK_CHARACTER

MOST_LEVELS = 100
"""Levels at which a block may be proposed. A page draws 200, and editors may put more around it."""

MOST_VALUE = 8192
"""Characters of a text in an attribute, or numbers in a list: a long formula, a link."""

MOST_TIME = 8_640_000_000_000_000
"""The last millisecond that a browser can show as a time."""

MOST_COLUMNS, MOST_TABLE_WORK = 1_000, 2_000_000
"""Bounds of a table as a page draws it (`LARGEST` in foreign.ts)."""

_LONGEST_SHOWN = 40
_MOST_BREAK = 10
_MOST_ITEMS = 100
_OWN: Mapping[str, frozenset[str]] = {
    ATTRIBUTE: frozenset({"kind", "id", "user", "at", "type", "attrs"}),
    "insertion": frozenset({"id", "user", "at", "run", "break"}),
    "deletion": frozenset({"id", "user", "at"}),
    "formatting": frozenset({"id", "user", "at", "add", "remove"}),
    "comment": frozenset(MARKS["comment"].attributes),
}
"""Words that a block's suggestion and the marks may say (client_web/schema/src/suggestions.ts)."""

_UNNAMED = frozenset({"doc", "text"})
"""Nodes that are never stored as elements."""

Names = frozenset[tuple[str, ...]]
"""Names in a document: `(node)`, `(node, attribute)`, `("", mark)`, `("", mark, attribute)`."""


class Form:
    """The form that one document's suggestions must have.

    Attributes:
        elements: how many proposed elements were looked at.
    """

    def __init__(self, format_name: str | None, held: Callable[[], Names]) -> None:
        self._is_ours = format_name == SCHEMA.name
        self._is_other = not self._is_ours and format_name is not None
        self._held = held
        self.elements = 0

    def check_element(self, tag: str, attributes: Mapping[str, Any], level: int) -> None:
        """Check a node that is proposed, or stands in a proposed one."""
        self.elements += 1
        if level > MOST_LEVELS:
            raise not_a_suggestion("proposes a block at too many levels")
        if tag in _UNNAMED or not (self._knows_node(tag) or (tag,) in self._also()):
            raise _unknown(f"the node {_shown(tag)}")
        for name, value in attributes.items():
            if name == ATTRIBUTE or is_proposal_key(name) or kind_of(name) is not None:
                continue
            known = not self._is_other and tag in NODES and name in NODES[tag].attributes
            if not (known or (tag, name) in self._also()):
                raise _unknown(f"the attribute {_shown(name)} of {_shown(tag)}")
            _check_value(name, value)

    def check_children(self, tag: str, kinds: Sequence[str], others: Sequence[str] | None) -> None:
        """Check what stands in a node, of which something is proposed.

        `others`: what is not; None in a proposed node. What did not fit before need not now.
        """
        if self._is_other or tag not in NODES or _fits(tag, kinds) or (others is not None and not _fits(tag, others)):
            return
        raise not_a_suggestion(f"puts into a {_shown(tag)} what cannot stand there")

    def check_mark(self, key: str, value: Any) -> None:
        """Check a format of proposed words."""
        known = not self._is_other and key in MARKS and key not in ANNOTATIONS
        if not (known or ("", key) in self._also()):
            raise _unknown(f"the mark {_shown(key)}")
        if not isinstance(value, dict):
            if value is not True and self._is_ours:
                raise _odd(key)
            _check_value(key, value)
            return
        for name, each in value.items():
            if each is None:
                continue
            if not ((known and name in MARKS[key].attributes) or ("", key, name) in self._also()):
                raise _unknown(f"the attribute {_shown(name)} of {_shown(key)}")
            _check_value(name, each)

    def check_own(self, kind: str, value: Mapping[str, Any]) -> None:
        """Check a mark of comments or suggestions, or a block's suggestion, of the person's own."""
        for name, each in value.items():
            if name not in _OWN[kind]:
                raise _unknown(f"the attribute {_shown(name)} of {_shown(kind)}")
            if each is not None and not self._is_sound(name, each):
                raise _odd(f"{kind}.{name}")

    def _is_sound(self, name: str, value: Any) -> bool:
        match name:
            case "at":
                sound = _is_number(value) and 0 <= value <= MOST_TIME
            case "run":
                sound = _is_number(value)
            case "break":
                sound = _is_number(value) and 1 <= value <= _MOST_BREAK
            case "type" | "attrs" | "add" | "remove" if not self._is_ours:
                sound = True  # other editors say what they propose in their own words
            case "type":
                sound = _is_node(value)
            case "attrs":
                sound = _are_plain(value)
            case "add":
                sound = _is_list(value) and all(map(_is_format, value))
            case "remove":
                sound = _is_list(value) and all(isinstance(each, str) for each in value)
            case _:
                sound = isinstance(value, str)
        return sound

    def _knows_node(self, tag: str) -> bool:
        return not self._is_other and tag in NODES

    def _also(self) -> Names:
        return frozenset() if self._is_ours else self._held()


def names_in(root: XmlFragment) -> Names:
    """Return the names that stand in a document."""
    found: set[tuple[str, ...]] = set()
    nodes: list[Any] = [root]
    while nodes:
        node = nodes.pop()
        if isinstance(node, XmlText):
            for _, formats in node.diff():
                for key, held in (formats or {}).items():
                    value = plain(held)
                    found.add(("", key))
                    found.update(("", key, name) for name in (value if isinstance(value, dict) else ()))
            continue
        if isinstance(node, XmlElement):
            tag = node.tag or ""
            found.add((tag,))
            found.update((tag, name) for name, _ in node.attributes.__iter__())
        nodes += node.children
    return frozenset(found)


def check_table(table: XmlElement) -> None:
    """Raise ProtocolError(not_a_suggestion) for a table that a page takes too long to draw."""
    rows = [row for row in table.children if isinstance(row, XmlElement)]
    cells, columns, spans, taken = 0, 0, False, dict[int, int]()
    for at, row in enumerate(rows):
        width = taken.get(at, 0)
        for cell in row.children:
            if not isinstance(cell, XmlElement):
                continue
            across, down = _span(cell, "colspan"), _span(cell, "rowspan")
            cells, width, spans = cells + 1, width + across, spans or down > 1
            for below in range(at + 1, at + down):
                taken[below] = taken.get(below, 0) + across
        columns = max(columns, width)
    if columns > MOST_COLUMNS or len(rows) * (columns + (cells if spans else 0)) > MOST_TABLE_WORK:
        raise not_a_suggestion("makes a table too large to be drawn")


def _span(cell: XmlElement, name: str) -> int:
    return whole_number(dict(cell.attributes.__iter__()).get(name), 1, SCHEMA.most.span) or 1


def _fits(tag: str, kinds: Sequence[str]) -> bool:
    return missing(tag, [kind for kind in kinds if kind in NODES]) is not None


def _is_node(name: Any) -> bool:
    return isinstance(name, str) and name in NODES and name not in _UNNAMED


def _is_format(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= {"type", "attrs"}:
        return False
    name, given = value.get("type"), value.get("attrs")
    is_known = isinstance(name, str) and name in MARKS and name not in ANNOTATIONS
    return is_known and (given is None or _are_plain(given))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_ITEMS


def _are_plain(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= _MOST_ITEMS and all(map(_is_plain, value.values()))


def _is_plain(value: Any) -> bool:
    """Whether an editor holds such a value (`isPlain` in foreign.ts). It holds no wrapped one."""
    match value:
        case None | bool():
            return True
        case int() | float():
            return _is_number(value)
        case str():
            return len(value) <= MOST_VALUE and MARK_CHARACTER not in value
        case list():
            return len(value) <= MOST_VALUE and all(map(_is_number, value))
        case _:
            return False


def _check_value(name: str, value: Any) -> None:
    if not _is_plain(value):
        raise _odd(name)


def _odd(name: str) -> ProtocolError:
    return not_a_suggestion(f"holds a value in {_shown(name)} that no editor writes, or that is too long")


def _unknown(what: str) -> ProtocolError:
    return not_a_suggestion(f"brings {what}, which the document's format does not know")


def _shown(name: str) -> str:
    return f"“{name if len(name) <= _LONGEST_SHOWN else name[:_LONGEST_SHOWN] + '…'}”"
