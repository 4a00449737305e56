"""Items of a Yjs v1 update, with contents that can be compared: the slow, complete reader.

Compaction is checked with this reader. It parses independently of crdt/yjs/reader.py on purpose, so
that a mistake in one of the two can be found by the other. crdt/yjs/reader.py describes the format.
"""

import json
import struct
from collections.abc import Iterator
from typing import NamedTuple

from crdt.errors import Code, InvariantError
from crdt.yjs.contents import (
    ANY,
    BINARY,
    DELETED,
    EMBED,
    FORMAT,
    GC,
    JSON,
    SKIP,
    STRING,
    TYPE,
    XML_ELEMENT,
    XML_HOOK,
    XML_TEXT,
)
from crdt.yjs.varint import read_varuint

Id = tuple[int, int]
"""(client_id, clock)"""

_UNDEFINED, _NULL, _FALSE, _TRUE = ("undefined",), ("null",), ("boolean", False), ("boolean", True)
_LITERALS = {127: _UNDEFINED, 126: _NULL, 121: _FALSE, 120: _TRUE}


class Item(NamedTuple):
    """One struct.

    `content` is UTF-16 bytes for a string, and a list with one value for each clock for other
    contents. `content` is None if the struct is deleted or garbage-collected.
    """

    client: int
    clock: int
    length: int
    kind: int
    origin: Id | None
    right_origin: Id | None
    parent: str | Id | None
    key: str | None
    content: bytes | list[object] | None


class ItemReader:
    """One update. Read `items()` to the end, then `deleted()`.

    Both raise InvariantError for bytes that this reader does not know.
    """

    def __init__(self, update: bytes) -> None:
        self._data = update
        self.at = 0
        """The offset behind the last byte that was read."""
        self.count = 0
        """Number of items that were read."""
        self.head_at = self.content_at = 0
        """Offsets of the last item and of its content. The content ends at `at`."""

    def items(self) -> Iterator[Item]:
        """Yield every struct, in the order of the bytes."""
        for _ in range(self._uint()):
            count, client, clock = self._uint(), self._uint(), self._uint()
            for _ in range(count):
                item = self._item(client, clock)
                self.count += 1
                yield item
                clock += item.length

    def deleted(self) -> Iterator[tuple[int, int, int]]:
        """Yield every deleted range as (client, first clock, end)."""
        for _ in range(self._uint()):
            client = self._uint()
            for _ in range(self._uint()):
                clock = self._uint()
                yield client, clock, clock + self._uint()
        if self.at != len(self._data):
            raise _odd("bytes behind its end")

    def _item(self, client: int, clock: int) -> Item:
        self.head_at = self.at
        info = self._byte()
        kind = info & 0x1F
        if kind in {GC, SKIP}:
            return Item(client, clock, self._uint(), kind, None, None, None, None, None)
        origin = (self._uint(), self._uint()) if info & 0x80 else None
        right_origin = (self._uint(), self._uint()) if info & 0x40 else None
        parent: str | Id | None = None
        key = None
        if not info & 0xC0:
            parent = self._parent()
            key = self._string() if info & 0x20 else None
        self.content_at = self.at
        length, content = self._content(kind)
        return Item(client, clock, length, kind, origin, right_origin, parent, key, content)

    def _parent(self) -> str | Id:
        match self._uint():
            case 1:
                return self._string()
            case 0:
                return self._uint(), self._uint()
            case _:
                raise _odd("a parent of unknown form")

    def _content(self, kind: int) -> tuple[int, bytes | list[object] | None]:
        if kind == STRING:
            text = self._string().encode("utf-16-le")
            return len(text) // 2, text
        if kind == DELETED:
            return self._uint(), None
        values = self._values(kind)
        return len(values), values

    def _values(self, kind: int) -> list[object]:
        if kind == ANY:
            return [self._any() for _ in range(self._uint())]
        if kind == JSON:
            return [self._json() for _ in range(self._uint())]
        if kind == BINARY:
            return [self._bytes()]
        if kind == EMBED:
            return [self._json()]
        if kind == FORMAT:
            return [(self._string(), self._json())]
        if kind == TYPE:
            return [self._type()]
        raise _odd(f"content of kind {kind}")

    def _type(self) -> object:
        kind = self._uint()
        if kind > XML_TEXT or kind == XML_HOOK:
            raise _odd(f"a type of kind {kind}")
        return (kind, self._string()) if kind == XML_ELEMENT else (kind, None)

    def _json(self) -> object:
        text = self._string()
        return _UNDEFINED if text == "undefined" else _comparable(json.loads(text, parse_int=float))

    def _any(self) -> object:
        tag = self._byte()
        if tag in _LITERALS:
            return _LITERALS[tag]
        match tag:
            case 125:
                return self._signed()
            case 124 | 123:
                return self._float(">f" if tag == 124 else ">d")
            case 122:
                return ("BigInt", self._take(8))
            case 119:
                return self._string()
            case 118:
                return {self._string(): self._any() for _ in range(self._uint())}
            case 117:
                return [self._any() for _ in range(self._uint())]
            case 116:
                return self._bytes()
            case _:
                raise _odd(f"a value of kind {tag}")

    def _signed(self) -> int:
        byte = self._byte()
        value, shift, sign = byte & 0x3F, 6, -1 if byte & 0x40 else 1
        while byte & 0x80:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            shift += 7
        return sign * value

    def _float(self, form: str) -> object:
        size = struct.calcsize(form)
        (value,) = struct.unpack(form, self._take(size))
        return _comparable(value)

    def _uint(self) -> int:
        at = self.at
        # Nearly every integer takes one byte, which needs no call.
        if at < len(self._data) and (byte := self._data[at]) < 0x80:
            self.at = at + 1
            return byte
        value, self.at = read_varuint(self._data, self.at)
        return value

    def _byte(self) -> int:
        return self._take(1)[0]

    def _string(self) -> str:
        return self._bytes().decode()

    def _bytes(self) -> bytes:
        return self._take(self._uint())

    def _take(self, length: int) -> bytes:
        start, self.at = self.at, self.at + length
        if self.at > len(self._data):
            raise _odd("an end inside an item")
        return self._data[start : self.at]


def _comparable(value: object) -> object:
    """Return a JSON value in a form in which `==` means "the same value".

    True differs from 1, NaN equals NaN, and numbers are compared by value.
    """
    match value:
        case None:
            return _NULL
        case bool():
            return _TRUE if value else _FALSE
        case float():
            return ("nan",) if value != value else value
        case list():
            return [_comparable(inner) for inner in value]
        case dict():
            return {key: _comparable(inner) for key, inner in value.items()}
        case _:
            return value


def _odd(what: str) -> InvariantError:
    return InvariantError(f"A stored update holds {what}.", Code.QUARANTINED)
