"""Foreign updates: what another server has kept of a document, as one missing update.

Another server's store holds a state, or the updates one after the other, perhaps not in order. A
document may have some of that already: from the last import, or because people have come with
copies. `lacking` finds the rest. Its deletions are those that the document has not seen yet. So a
small change makes a small row, and the rescue does not take old deletions for new ones.

The bytes are applied here. Run `lacking` where a crash does no harm.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from pycrdt import Doc

from crdt.gate.gate import Knowledge
from crdt.log.compaction_check import without
from crdt.log.document import apply_update
from crdt.log.stand_ins import missing_past
from crdt.yjs.contents import SKIP
from crdt.yjs.items import ItemReader
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from crdt.yjs.varint import encode_state_vector
from crdt.yjs.wrapping import unwrap
from crdt.yjs.writing import Blocks, write_update


class Lacking(Struct, frozen=True):
    """What a document lacks of foreign updates.

    Attributes:
        update: the missing update, in the clients' form; empty if nothing is missing.
        left_out: number of foreign updates of which something is left out, because the past of that
            is nowhere.
    """

    update: bytes
    left_out: int = 0


def lacking(state: bytes, updates: Sequence[bytes], limits: GateLimits) -> Lacking:
    """Return what a document lacks of foreign updates, which come in any order.

    `state`: the document as one update in the clients' form; empty for an empty document. Raises
    the gate's ProtocolError if it refuses the updates or what is missing, and whatever pycrdt
    raises.
    """
    known = inspect(state, limits, durable=True) if state else None
    foreign = _Foreign(limits)
    left_out = foreign.take([inspect(update, limits, gaps=True) for update in updates])
    clocks = {client: end for client, _, end in known.clients} if known else {}
    found = _without_known(unwrap(foreign.doc.get_update(encode_state_vector(clocks))), known)
    if found:
        gate = Knowledge.from_snapshot(state, limits) if state else Knowledge(limits)
        gate.admit([inspect(found, limits)], lambda _: True, measured=True)
    return Lacking(found, left_out)


class _Foreign:
    """A document that takes updates in, each behind its past.

    pycrdt is not given anything before its past, because pycrdt may then hold structs that it does
    not show.
    """

    def __init__(self, limits: GateLimits) -> None:
        self.doc: Doc[Any] = Doc()
        self._limits = limits
        self._clocks: dict[int, int] = {}

    def take(self, updates: Sequence[Inspected]) -> int:
        """Take updates in, in any order, as far as their past is there.

        Return of how many something is left out.
        """
        while updates:
            waiting = [update for update in updates if not self._take_whole(update)]
            if len(waiting) == len(updates):
                break
            updates = waiting
        # Parts of what is left may have their past, and be the past of other parts.
        before = None
        while updates and before != self._clocks:
            before = dict(self._clocks)
            for update in updates:
                self._apply(self._part(update))
        return sum(_is_beyond(update, self._clocks) for update in updates)

    def _take_whole(self, update: Inspected) -> bool:
        has_gap = any(struct[2] == SKIP for structs in update.structs for struct in structs)
        if has_gap or missing_past(update, self._clocks):
            return False
        self._apply(update)
        return True

    def _part(self, update: Inspected) -> Inspected:
        """Return the part of an update that has its past."""
        ends = self._ends(update)
        reader = ItemReader(update.raw)
        blocks: Blocks = {}
        for item in reader.items():
            if item.clock + item.length <= ends[item.client]:
                _, structs = blocks.setdefault(item.client, (item.clock, []))
                structs.append(update.raw[reader.head_at : reader.at])
        deleted = [
            (client, first, min(end, most))
            for client, first, end in reader.deleted()
            if first < (most := max(ends.get(client, 0), self._clocks.get(client, 0)))
        ]
        return inspect(write_update(blocks, deleted), self._limits)

    def _ends(self, update: Inspected) -> dict[int, int]:
        """Return up to which clock each client id's structs of an update have their past."""
        clocks = self._clocks
        ends: dict[int, int] = {}
        for (client, first, end), structs in zip(update.clients, update.structs, strict=True):
            gaps = [struct[0] for struct in structs if struct[2] == SKIP]
            ends[client] = 0 if first > clocks.get(client, 0) else min([*gaps, end])

        def has(client: int, clock: int) -> bool:
            return client < 0 or clock < max(ends.get(client, 0), clocks.get(client, 0))

        before = None
        while before != ends:
            before = dict(ends)
            for (client, _, _), structs in zip(update.clients, update.structs, strict=True):
                for clock, _, _, origin, origin_clock, right, right_clock, parent, _ in structs:
                    if clock >= ends[client]:
                        break
                    if not (
                        has(origin, origin_clock)
                        and has(right, right_clock)
                        and (not isinstance(parent, tuple) or has(*parent))
                    ):
                        ends[client] = clock
                        break
        return ends

    def _apply(self, update: Inspected) -> None:
        apply_update(self.doc, update.engine)
        for client, _, end in update.clients:
            self._clocks[client] = max(end, self._clocks.get(client, 0))


def _is_beyond(update: Inspected, clocks: Mapping[int, int]) -> bool:
    """Whether a document with these clocks lacks something of an update."""
    ends = [(client, end) for client, _, end in update.clients]
    ends += [(client, end) for client, ranges in update.deletions for _, end in ranges]
    return any(end > clocks.get(client, 0) for client, end in ends)


def _missing(doc: Doc[Any], known: Inspected | None) -> bytes:
    """Return what `known` lacks of a document; empty if nothing is missing."""
    clocks = {client: end for client, _, end in known.clients} if known else {}
    return _without_known(unwrap(doc.get_update(encode_state_vector(clocks))), known)


def _check(update: bytes, state: bytes, limits: GateLimits) -> bytes:
    """Return an update that a document lacks. Raises ProtocolError if the gate refuses it."""
    if update:
        gate = Knowledge.from_snapshot(state, limits) if state else Knowledge(limits)
        gate.admit([inspect(update, limits)], lambda _: True, measured=True)
    return update


def _without_known(update: bytes, known: Inspected | None) -> bytes:
    """Return an update without the deletions that a document knows; empty if nothing is left."""
    reader = ItemReader(update)
    count = sum(1 for _ in reader.items())
    structs = update[: reader.at]
    seen = dict(known.deletions) if known else {}
    said: dict[int, list[tuple[int, int]]] = {}
    for client, first, end in reader.deleted():
        said.setdefault(client, []).append((first, end))
    new = [(client, *each) for client, ranges in said.items() for each in without(sorted(ranges), seen.get(client, ()))]
    return structs + write_update({}, new)[1:] if count or new else b""
