"""Yjs v1 updates written struct by struct, for the few updates that the server makes itself.

The counterpart of crdt/yjs/items.py.
"""

from collections.abc import Iterable, Mapping, Sequence

from crdt.yjs.items import Id, Item
from crdt.yjs.varint import sized, varuint

Blocks = dict[int, tuple[int, list[bytes]]]
"""The first struct's clock, and the encoded structs, by client id."""


def write_struct(item: Item, content: bytes, *, keyed: bool = False) -> bytes:
    """Encode a struct that is not garbage-collected. `content` is its encoded content.

    Set `keyed` if the struct is under a map key that its origin tells.
    """
    out = bytearray([item.kind])
    for flag, beside in ((0x80, item.origin), (0x40, item.right_origin)):
        if beside is not None:
            out[0] |= flag
            out += _id(beside)
    if keyed or item.key is not None:
        out[0] |= 0x20
    if out[0] < 0x40:
        out += (
            b"\0" + _id(item.parent) if isinstance(item.parent, tuple) else b"\1" + sized((item.parent or "").encode())
        )
        if item.key is not None:
            out += sized(item.key.encode())
    return bytes(out) + content


def write_update(blocks: Mapping[int, tuple[int, Sequence[bytes]]], deleted: Iterable[tuple[int, int, int]]) -> bytes:
    """Encode an update. Each deleted range is client id, first clock and the clock behind."""
    out = bytearray(varuint(len(blocks)))
    for client, (clock, structs) in blocks.items():
        out += varuint(len(structs)) + varuint(client) + varuint(clock) + b"".join(structs)
    ranges: dict[int, list[tuple[int, int]]] = {}
    for client, first, end in deleted:
        ranges.setdefault(client, []).append((first, end - first))
    out += varuint(len(ranges))
    for client, each in ranges.items():
        out += varuint(client) + varuint(len(each)) + b"".join(map(_id, each))
    return bytes(out)


def _id(value: Id) -> bytes:
    return varuint(value[0]) + varuint(value[1])
