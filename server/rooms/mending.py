"""Mending of a stored document in the sandbox: finds what kills its readers, and sets it aside.

A replay sets aside by itself what the document engine refuses (crdt/log/replay.py). It cannot
survive a signal that ends the process, or work without end. A document that is suspected of this is
therefore replayed by a worker. If the worker dies, the culprit is the last update of the shortest
log that kills a worker. Halving finds the culprit in a dozen trials.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from crdt.errors import Code, ProtocolError
from crdt.log.stand_ins import collected, original, positions_of, tombstones
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Found, Row, SetAside, Stored
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from server.sandbox import WANT_OF_MEMORY, SandboxRejected, Trial

MOST_DEADLY = 16
"""Deadly updates that are looked for in one document. Each takes a dozen trials."""


class Sandbox(Protocol):
    """The sandbox, as far as mending needs it."""

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        """Open a document; raises SandboxRejected and Unavailable."""

    async def opening(self, snapshot: bytes, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> float:
        """Return how long that takes, in processor seconds."""


async def mend(stored: Stored, sandbox: Sandbox, limits: GateLimits) -> tuple[Found, ...]:
    """Return what must be set aside of a document before it can be opened.

    Raises SandboxRejected if setting aside is not enough, and Unavailable.
    """
    deadly: list[Found] = []
    while True:
        try:
            trial = await sandbox.trial(stored, limits)
        except SandboxRejected as rejected:
            # Too much work is never one update's fault alone: the row that crosses the limit may be
            # an honest person's.
            if len(deadly) == MOST_DEADLY or not stored.rows or rejected.code is Code.TOO_COSTLY:
                raise
        else:
            return (*deadly, *trial.found)
        found = await _find(stored, sandbox, limits)
        if _is_want_of_memory(found) and any(map(_is_want_of_memory, deadly)):
            # Two in one document: probably the whole is too large, and each row is sound.
            raise SandboxRejected(WANT_OF_MEMORY, Code.TOO_COSTLY)
        deadly.append(found)
        stored = marked(stored, [found])


def _is_want_of_memory(found: Found) -> bool:
    return found.set_aside.reason == WANT_OF_MEMORY


def marked(stored: Stored, found: Sequence[Found]) -> Stored:
    """Return the same document with these updates set aside."""
    by_seq = dict(stored.set_aside)
    for each in found:
        others = [other for other in by_seq.get(each.seq, ()) if other.position != each.set_aside.position]
        by_seq[each.seq] = (*others, each.set_aside)
    rows = [replace(row, set_aside=by_seq.get(row.seq, ())) for row in stored.rows]
    return replace(stored, rows=rows, set_aside=by_seq)


async def _find(stored: Stored, sandbox: Sandbox, limits: GateLimits) -> Found:
    """Return the first deadly update of a document that is deadly as a whole.

    Raises SandboxRejected if the snapshot is deadly.
    """

    async def is_deadly(rows: Sequence[Row]) -> str | None:
        try:
            await sandbox.trial(replace(stored, rows=rows), limits)
        except SandboxRejected as rejected:
            return rejected.message
        return None

    rows = stored.rows
    if (reason := await is_deadly(())) is not None:
        raise SandboxRejected(reason)
    place, reason = await _first(len(rows), lambda count: is_deadly(rows[:count]))
    before, row = rows[: place - 1], rows[place - 1]
    positions = positions_of(row)
    which, reason = await _first(
        len(positions), lambda count: is_deadly([*before, _without(row, positions[count:])]), reason
    )
    culprit = positions[which - 1]
    raw, rest = original(row, culprit), _without(row, positions[which:])
    for stand_in in _stand_ins(raw, limits):
        mark = SetAside(culprit, stand_in, reason)
        if await is_deadly([*before, replace(rest, set_aside=(*rest.set_aside, mark))]) is None:
            break
    return Found(row.seq, mark, raw)


async def _first(
    most: int, is_deadly: Callable[[int], Awaitable[str | None]], reason: str = "It is damaged."
) -> tuple[int, str]:
    """Return how many of `most` it takes to be deadly, and what the last of them dies of."""
    alive, dead = 0, most
    while dead - alive > 1:
        middle = (alive + dead) // 2
        if (died_of := await is_deadly(middle)) is None:
            alive = middle
        else:
            dead, reason = middle, died_of
    return dead, reason


def _without(row: Row, positions: Sequence[int]) -> Row:
    return replace(row, set_aside=(*row.set_aside, *(SetAside(position, b"", "") for position in positions)))


def _stand_ins(raw: bytes, limits: GateLimits) -> list[bytes]:
    try:
        update = inspect(raw, limits, durable=True)
    except ProtocolError:
        return [b""]
    standing = [tombstones(update, deletes=deletes) for deletes in ((True, False) if update.deletions else (False,))]
    return [*(encode_batch([each]) for each in (*standing, collected(update))), b""]
