"""What is applied in the place of an update that the document engine does not take.

An update that is set aside leaves a hole in its author's clocks, and what was written later builds
on them. So something else takes these clocks, the same on every node, because the choice is stored
with the mark:

1. the update's structs as deleted content in the same places: what stands behind them finds its
   neighbours, and stays. What the update deletes is deleted, as it is for whoever has taken the
   update; if that does not apply, the structs stand alone;
2. garbage-collected structs of the same clocks: what stands beside them is collected too, but the
   clocks go on;
3. nothing, for bytes that cannot even be read.

An update whose past the log does not have gets that past filled in, so that it can be applied
itself. Browsers that hold the original are told that it is deleted, and end where everybody else
is.
"""

from collections.abc import Iterator, Mapping

from crdt.errors import ProtocolError
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.row import WHOLE_ROW, Row, SetAside
from crdt.yjs.contents import DELETED, GC
from crdt.yjs.items import Item, ItemReader
from crdt.yjs.reader import Inspected
from crdt.yjs.varint import varuint
from crdt.yjs.writing import Blocks, write_struct, write_update

ANY_NUMBER = 2**62
"""Updates of a stored batch: it was accepted once, so it has not too many."""

NOTHING = b"\0\0"
"""An update without structs and deletions."""


def updates_of(row: Row) -> Iterator[tuple[int, list[bytes]]]:
    """What is to be applied of a stored row: each position of its batch with its update, or with what stands in for that.

    Raises ProtocolError when the batch cannot be taken apart and is not set aside.
    """
    stand_ins = {each.position: each.stand_in for each in row.set_aside}
    if WHOLE_ROW in stand_ins:
        yield WHOLE_ROW, _unpacked(stand_ins[WHOLE_ROW])
        return
    for position, update in enumerate(decode_batch(row.batch, max_updates=ANY_NUMBER)):
        stand_in = stand_ins.get(position)
        yield position, [update] if stand_in is None else _unpacked(stand_in)


def positions_of(row: Row) -> list[int]:
    """The positions of a stored batch."""
    try:
        return list(range(len(_unpacked(row.batch)))) or [WHOLE_ROW]
    except ProtocolError:
        return [WHOLE_ROW]


def original(row: Row, position: int) -> bytes:
    """An update as it is stored, whatever stands in for it."""
    return row.batch if position == WHOLE_ROW else _unpacked(row.batch)[position]


def batch_of(row: Row) -> bytes:
    """The batch that a row is told as, and folded with: the stored one, with stand-ins for what is set aside."""
    if not row.set_aside:
        return row.batch
    return encode_batch([update for _, updates in updates_of(row) for update in updates] or [NOTHING])


def _unpacked(batch: bytes) -> list[bytes]:
    return decode_batch(batch, max_updates=ANY_NUMBER) if batch else []


def holds(each: SetAside, raw: bytes) -> bool:
    """Whether the update itself is applied, behind something that takes the place of its past."""
    return raw in _unpacked(each.stand_in)


def stood_in_for(each: SetAside) -> Iterator[tuple[int, int, int, int]]:
    """The clocks (client id, first, end) that a stand-in has taken, and whether as deleted content or as garbage."""
    for update in _unpacked(each.stand_in):
        for item in ItemReader(update).items():
            if item.kind in (DELETED, GC):
                yield item.client, item.clock, item.clock + item.length, item.kind


def tombstones(update: Inspected, *, deletes: bool) -> bytes:
    """The same structs in the same places, all of them deleted. `deletes`: and deleted what the update deletes of others."""
    blocks: Blocks = {}
    for item in ItemReader(update.engine).items():
        blocks.setdefault(item.client, (item.clock, []))[1].append(_tombstone(item))
    own = {client: first for client, first, _ in update.clients}
    of_others = [
        (client, first, min(end, own.get(client, end)))
        for client, ranges in update.deletions
        for first, end in ranges
        if first < own.get(client, end)
    ]
    return write_update(blocks, [*of_others, *update.clients] if deletes else update.clients)


def collected(update: Inspected) -> bytes:
    """The same clocks, garbage-collected."""
    blocks: Blocks = {client: (first, [_garbage(end - first)]) for client, first, end in update.clients}
    return write_update(blocks, update.clients)


def missing_past(update: Inspected, clocks: Mapping[int, int]) -> dict[int, int]:
    """How far the clocks of client ids would have to reach for this update to be complete; empty when it is."""
    missing: dict[int, int] = {}
    reach = {client: end for client, _, end in update.clients}

    def need(client: int, clock: int) -> None:
        if clock > clocks.get(client, 0):
            missing[client] = max(clock, missing.get(client, 0))

    for client, first, _ in update.clients:
        need(client, first)
    for structs in update.structs:
        for _, _, _, origin, origin_clock, right, right_clock, parent, _ in structs:
            if origin >= 0 and origin_clock >= reach.get(origin, 0):
                need(origin, origin_clock + 1)
            if right >= 0 and right_clock >= reach.get(right, 0):
                need(right, right_clock + 1)
            if isinstance(parent, tuple) and parent[1] >= reach.get(parent[0], 0):
                need(parent[0], parent[1] + 1)
    for client, ranges in update.deletions:
        last = max([end for _, end in ranges])
        if last > reach.get(client, 0):
            need(client, last)
    return missing


def filler(missing: Mapping[int, int], clocks: Mapping[int, int], *, in_place: bool) -> bytes:
    """Structs for clocks that the log does not have. `in_place`: behind what their author wrote before, else garbage-collected."""
    blocks: Blocks = {}
    for client, end in missing.items():
        first = clocks.get(client, 0)
        item = Item(client, first, end - first, DELETED, (client, first - 1), None, None, None, None)
        blocks[client] = first, [_tombstone(item) if in_place and first else _garbage(end - first)]
    return write_update(blocks, [(client, clocks.get(client, 0), end) for client, end in missing.items()])


def _tombstone(item: Item) -> bytes:
    return _garbage(item.length) if item.kind == GC else write_struct(item._replace(kind=DELETED), varuint(item.length))


def _garbage(length: int) -> bytes:
    return bytes((GC,)) + varuint(length)
