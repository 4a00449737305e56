"""Foreign updates: what another server has kept of a document, as one missing update.

Another server's store holds a state, or the updates one after the other, perhaps not in order. A
document may have some of that already: from the last import, or because people have come with
copies. `lacking` finds the rest. Its deletions are those that the document has not seen yet. So a
small change makes a small row, and the rescue does not take old deletions for new ones.

The bytes are applied here. Run `lacking` where a crash does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pycrdt import Doc

from crdt.gate.gate import Knowledge
from crdt.log.compaction_check import without
from crdt.log.document import apply_update
from crdt.log.stand_ins import missing_past
from crdt.yjs.items import ItemReader
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from crdt.yjs.varint import encode_state_vector
from crdt.yjs.wrapping import unwrap
from crdt.yjs.writing import write_update


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a document lacks of foreign updates.

    Attributes:
        update: the missing update, in the clients' form; empty if nothing is missing.
        left_out: number of foreign updates whose past is nowhere. They cannot be applied.
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
    clocks = {client: end for client, _, end in known.clients} if known else {}
    doc: Doc[Any] = Doc()
    left_out = _apply(doc, [inspect(update, limits) for update in updates])
    found = _without_known(unwrap(doc.get_update(encode_state_vector(clocks))), known)
    if found:
        gate = Knowledge.from_snapshot(state, limits) if state else Knowledge(limits)
        gate.admit([inspect(found, limits)], lambda _: True, measured=True)
    return Lacking(found, left_out)


def _apply(doc: Doc[Any], updates: list[Inspected]) -> int:
    """Apply updates, each behind its past. Return how many have no past.

    pycrdt is never given an update before its past, because it may then hold structs that it does
    not show.
    """
    clocks: dict[int, int] = {}
    while updates:
        waiting = [update for update in updates if not _applied(doc, update, clocks)]
        if len(waiting) == len(updates):
            break
        updates = waiting
    return len(updates)


def _applied(doc: Doc[Any], update: Inspected, clocks: dict[int, int]) -> bool:
    if missing_past(update, clocks):
        return False
    apply_update(doc, update.engine)
    for client, _, end in update.clients:
        clocks[client] = max(end, clocks.get(client, 0))
    return True


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
