"""A writer of Yjs v1 updates, struct by struct, sound or not, for tests of their readers.

update({7: (0, [text("hello", parent="t"), text("!", left=(7, 4))])}, deleted={7: [(0, 2)]})
"""

from collections.abc import Mapping, Sequence

from crdt.yjs.contents import XML_ELEMENT, XML_HOOK
from crdt.yjs.varint import write_varuint

Id = tuple[int, int]


def number(value: int) -> bytes:
    """One varUint."""
    out = bytearray()
    write_varuint(value, out)
    return bytes(out)


def string(value: str | bytes) -> bytes:
    """A text with its length in front. Given as bytes, it need not be UTF-8."""
    raw = value.encode() if isinstance(value, str) else value
    return number(len(raw)) + raw


def _id(value: Id) -> bytes:
    return number(value[0]) + number(value[1])


def item(
    reference: int,
    content: bytes,
    *,
    left: Id | None = None,
    right: Id | None = None,
    parent: str | Id | None = None,
    key: str | None = None,
) -> bytes:
    """Any struct with a place. With an origin, parent and key are left out, as in Yjs."""
    info = reference | (0x80 if left else 0) | (0x40 if right else 0) | (0x20 if key is not None else 0)
    out = bytes([info])
    if left:
        out += _id(left)
    if right:
        out += _id(right)
    if not left and not right:
        out += b"\1" + string(parent) if isinstance(parent, str) else b"\0" + _id(parent or (0, 0))
        if key is not None:
            out += string(key)
    return out + content


def text(value: str | bytes, **place: object) -> bytes:
    """A string."""
    return item(4, string(value), **place)  # type: ignore[arg-type]


def embed(json: str, **place: object) -> bytes:
    """An object inside text."""
    return item(5, string(json), **place)  # type: ignore[arg-type]


def mark(name: str, json: str, **place: object) -> bytes:
    """The beginning or the end of a format."""
    return item(6, string(name) + string(json), **place)  # type: ignore[arg-type]


def values(*raw: str, **place: object) -> bytes:
    """`Any` values, each in hexadecimal: 7e is null, 7d01 is 1, 7501… is a list of one."""
    return item(8, number(len(raw)) + b"".join(map(bytes.fromhex, raw)), **place)  # type: ignore[arg-type]


def shared(reference: int, **place: object) -> bytes:
    """A shared type; an XML element is a `p`."""
    name = string("p") if reference in (XML_ELEMENT, XML_HOOK) else b""
    return item(7, number(reference) + name, **place)  # type: ignore[arg-type]


def tombstone(length: int, **place: object) -> bytes:
    """Deleted content whose place is still known."""
    return item(1, number(length), **place)  # type: ignore[arg-type]


def collected(length: int) -> bytes:
    """Garbage-collected structs."""
    return b"\0" + number(length)


def update(
    blocks: Mapping[int, tuple[int, Sequence[bytes]]], deleted: Mapping[int, Sequence[tuple[int, int]]] | None = None
) -> bytes:
    """An update by client id: first clock and structs; deleted ranges (first clock, length)."""
    out = number(len(blocks))
    for client, (clock, structs) in blocks.items():
        out += number(len(structs)) + number(client) + number(clock) + b"".join(structs)
    deleted = deleted or {}
    out += number(len(deleted))
    for client, ranges in deleted.items():
        out += number(client) + number(len(ranges)) + b"".join(map(_id, ranges))
    return out
