"""Stand-ins: updates that are applied in place of one that the document engine does not take.

An update that is set aside leaves a hole in its author's clocks, and later updates build on these
clocks. So a stand-in takes the clocks. The stand-in is the same on every node, because it is stored
with the mark that the update is set aside. Stand-ins, the best first:

1. Tombstones: the update's structs as deleted content in the same places. Structs behind them find
   their neighbours, and stay. The update's deletions are carried out, as on replicas that took the
   update. If these do not apply, the tombstones are applied alone.
2. Garbage-collected structs of the same clocks. Structs beside them are collected too, but the
   clocks go on.
3. Nothing, for bytes that cannot even be read.

If the log lacks the update's past, fillers take the clocks of that past, and the update itself can
be applied behind them. Browsers that hold the original get its deletion, and end in the same state
as everybody else.
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
"""No limit on the updates of a stored batch, because the batch was accepted once."""

NOTHING = b"\0\0"
"""An update without structs and deletions."""


def updates_of(row: Row) -> Iterator[tuple[int, list[bytes]]]:
    """Yield each position of a stored row's batch, with the updates to apply for it.

    These are the position's own update, or its stand-in. Raises ProtocolError if the batch cannot
    be decoded and is not set aside as a whole.
    """
    stand_ins = {each.position: each.stand_in for each in row.set_aside}
    if WHOLE_ROW in stand_ins:
        yield WHOLE_ROW, _unpacked(stand_ins[WHOLE_ROW])
        return
    for position, update in enumerate(decode_batch(row.batch, max_updates=ANY_NUMBER)):
        stand_in = stand_ins.get(position)
        yield position, [update] if stand_in is None else _unpacked(stand_in)


def positions_of(row: Row) -> list[int]:
    """Return a stored batch's positions, or `WHOLE_ROW` if it has none or cannot be decoded."""
    try:
        return list(range(len(_unpacked(row.batch)))) or [WHOLE_ROW]
    except ProtocolError:
        return [WHOLE_ROW]


def original(row: Row, position: int) -> bytes:
    """Return an update as it is stored, even if a stand-in is applied for it."""
    return row.batch if position == WHOLE_ROW else _unpacked(row.batch)[position]


def batch_of(row: Row) -> bytes:
    """Return a row's batch as it is sent and folded: with stand-ins for what is set aside."""
    if not row.set_aside:
        return row.batch
    return encode_batch([update for _, updates in updates_of(row) for update in updates] or [NOTHING])


def _unpacked(batch: bytes) -> list[bytes]:
    return decode_batch(batch, max_updates=ANY_NUMBER) if batch else []


def holds(each: SetAside, raw: bytes) -> bool:
    """Whether the stand-in holds the update itself, behind fillers for its past."""
    return raw in _unpacked(each.stand_in)


def stood_in_for(each: SetAside) -> Iterator[tuple[int, int, int, int]]:
    """Yield the clocks that a stand-in has taken: client id, first, end, and `DELETED` or `GC`."""
    for update in _unpacked(each.stand_in):
        for item in ItemReader(update).items():
            if item.kind in (DELETED, GC):
                yield item.client, item.clock, item.clock + item.length, item.kind


def tombstones(update: Inspected, *, deletes: bool) -> bytes:
    """Return the update's structs in the same places, but as deleted content.

    With `deletes`, the update's deletions of other structs are included.
    """
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
    """Return the update's clocks as garbage-collected structs."""
    blocks: Blocks = {client: (first, [_garbage(end - first)]) for client, first, end in update.clients}
    return write_update(blocks, update.clients)


def missing_past(update: Inspected, clocks: Mapping[int, int]) -> dict[int, int]:
    """Return the clocks that the document would need before this update, by client id.

    The result has only client ids whose clocks are too low. It is empty for a complete update.
    """
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
    """Return structs for clocks that the log does not have.

    With `in_place` they are deleted content behind the last known struct of the same client id.
    Otherwise they are garbage-collected.
    """
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
