"""The rarer contents of an update: everything that a struct may hold except plain text.

Each reader takes the bytes, the offset and the `Reading`. It returns the kind, the number of clocks
that the content takes, and the offset behind the content. Two implementations will read the content
later: yjs in browsers, and yrs under pycrdt. Each reader is as strict as the stricter of the two.
The rules for values are in crdt/yjs/values.py.
"""

from collections.abc import Callable

from crdt.yjs.any_values import read_any
from crdt.yjs.json_values import read_json, read_json_as_any
from crdt.yjs.values import Reading, bad_update, read_bytes, read_count, read_text, unsupported
from crdt.yjs.varint import read_varuint
from crdt.yjs.wrapping import MARK_BYTES, wrap_binary

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOCUMENT, SKIP = range(11)
"""Content references of the wire format. `SKIP` marks a clock gap."""

FIRST_TYPE = 16
"""The kind of a shared type is `FIRST_TYPE` plus its type reference."""

ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_HOOK, XML_TEXT = range(7)
"""Type references of the wire format."""

SHARED_TYPES = frozenset(FIRST_TYPE + each for each in (ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_TEXT))
"""The kinds of shared types that can be kept unharmed: all but `XML_HOOK`."""

Content = tuple[int, int, int]


def _read_deleted(data: bytes, at: int, _: Reading) -> Content:
    length, at = read_varuint(data, at)
    return DELETED, length, at


def _read_binary(data: bytes, at: int, reading: Reading) -> Content:
    raw, end = read_bytes(data, at)
    if reading.marked and MARK_BYTES in raw:
        reading.wrap(at, end, wrap_binary(raw))
    return BINARY, 1, end


def _read_json(data: bytes, at: int, reading: Reading) -> Content:
    count, at = read_count(data, at, 1)
    reading.spend(count)
    for _ in range(count):
        at = read_json_as_any(data, at, reading)
    return JSON, count, at


def _read_embed(data: bytes, at: int, reading: Reading) -> Content:
    return EMBED, 1, read_json(data, at, reading)


def _read_format(data: bytes, at: int, reading: Reading) -> Content:
    _, at = reading.read_name(data, at)
    return FORMAT, 1, read_json(data, at, reading)


def _read_type(data: bytes, at: int, reading: Reading) -> Content:
    reference, at = read_varuint(data, at)
    if reference == XML_HOOK:
        raise unsupported("XmlHook cannot be kept unharmed. Use an XmlElement.")
    if reference > XML_TEXT:
        raise bad_update("There is no such shared type.")
    if reference == XML_ELEMENT:
        start = at
        _, at = read_text(data, at)
        if reading.marked:
            reading.check_text(data, start, at)
    return FIRST_TYPE + reference, 1, at


def _read_any(data: bytes, at: int, reading: Reading) -> Content:
    count, at = read_count(data, at, 1)
    reading.spend(count)
    for _ in range(count):
        at = read_any(data, at, reading)
    return ANY, count, at


def _refuse_document(_data: bytes, _at: int, _: Reading) -> Content:
    raise unsupported("Subdocuments cannot be kept unharmed. Keep each document's id in the other one.")


CONTENT_READERS: dict[int, Callable[[bytes, int, Reading], Content]] = {
    DELETED: _read_deleted,
    JSON: _read_json,
    BINARY: _read_binary,
    EMBED: _read_embed,
    FORMAT: _read_format,
    TYPE: _read_type,
    ANY: _read_any,
    DOCUMENT: _refuse_document,
}
"""Readers by content reference. `GC`, `STRING` and `SKIP` are read in crdt/yjs/reader.py."""
