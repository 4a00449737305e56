"""Trials of updates in the sandbox, before they are taken.

Unusual updates are tried. For a while after something had to be set aside, everything but plain
text is tried. The sandbox opens the stored document, with what is on its way and the update
behind it, as this node would after a restart. If a worker dies of that, or sets the
update aside, the update is refused. Nobody but its sender notices anything.

A trial also measures. An update that keeps the engine busy for long, such as thousands of cuts of a
large text, is taken but not applied here. The log is folded in the sandbox instead, and the
document is read anew. An update that makes the document itself slow to open is refused, because
browsers would have to open it as well. A document that is slow to open already takes whatever makes
it only a little slower.

Many small updates may add up to as much work. The document is measured as it is then, beside
everything else, before anybody has to wait for it (`measure`).
"""

import asyncio
from collections.abc import Callable, Sequence
from math import inf

from msgspec import Struct, field
from msgspec.structs import replace

from crdt.errors import Code, ProtocolError, Unavailable
from crdt.gate.admission import too_costly
from crdt.gate.engine_cost import PLENTY, ROUNDS
from crdt.gate.gate import Knowledge
from crdt.gate.growth import too_many_values
from crdt.gate.interweaving import missing_past
from crdt.gate.shapes import unusual
from crdt.gate.typing_runs import Keystroke
from crdt.ids import DocumentId, Seq
from crdt.log.replay import NO_PAST
from crdt.permissions import nearly_full
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Row
from crdt.room.outbox import SET_ASIDE
from crdt.room.room import Room
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected
from server.observe import log
from server.rooms.mending import Sandbox
from server.sandbox import SandboxRejected, Trial
from server.store.base import Loaded, Log

LASTING = 600.0
"""Seconds after something was set aside in which only plain text is trusted.

An author seldom makes a room reload by accident.
"""


MOST_APPLYING = 0.1
"""Seconds of processor time for a batch that is applied on the event loop."""

MOST_OPENING = 0.4
"""Seconds of processor time that the engine may need to open a document.

Past it, the trial finds out how much of the time is due to the batch.
"""

MOST_GROWTH = 1.25
"""Factor by which a batch may slow the opening of a document that is slow to open already."""

SOON = ROUNDS * PLENTY // 2
"""Nanoseconds of unmeasured work from which on the document is measured beside everything else."""

REST = 4.0
"""Seconds between two such measurements, for each second that the first one took."""


class Trials(Struct):
    """Trials of one open room. `clock`: monotonic seconds."""

    document_id: DocumentId
    clock: Callable[[], float]
    log_of_all: Log
    sandbox: Sandbox
    limits: GateLimits
    until: float = -inf
    """When more than plain text is trusted again."""

    opened_in: float = 0.0
    """Seconds of processor time in which the engine opened the document last."""

    measures_again: float = -inf
    """When the document may be measured again beside everything else."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the batch that is tried and judged.

    Batches that could not be taken at once wait here, in the order in which they came.
    """

    def suspect(self) -> None:
        """Try everything but plain text for a while, because something had to be set aside."""
        self.until = self.clock() + LASTING

    def needed(self, updates: Sequence[Inspected]) -> bool:
        """Whether a batch is to be tried first."""
        if type(updates[0]) is Keystroke:
            return False  # most batches: the clock need not be asked
        return unusual(updates, suspicious=self.clock() < self.until) is not None

    def asks_to_measure(self, knowledge: Knowledge) -> bool:
        """Whether so much work is unmeasured that `measure` is to run now. Says so once."""
        if knowledge.unmeasured < SOON or self.clock() < self.measures_again:
            return False
        self.measures_again = inf
        return True

    async def measure(self, room: Room, person: str = "") -> None:
        """Measure the document as it is. Only what comes meanwhile is unmeasured afterwards.

        Nothing changes if the document cannot be opened, or if it has become slow to open. It is
        not measured again then before a batch has been tried by itself. Without a `person` nobody
        waits for this.
        """
        began, self.measures_again = self.clock(), inf
        knowledge, updates = room.replica.knowledge, [update.raw for update in room.in_flight()]
        work, snapshot = knowledge.work, room.replica.document.snapshot()
        try:
            seconds = await self.sandbox.opening(snapshot, updates, self.limits, person)
        except (SandboxRejected, Unavailable) as failure:
            log.warning("document_unmeasured", document=self.document_id, reason=failure.message)
            return
        if seconds > max(MOST_OPENING, MOST_GROWTH * self.opened_in):
            return
        self.opened_in = seconds
        knowledge.measured(work)
        now = self.clock()
        self.measures_again = now + REST * (now - began)

    async def catch_up(self, room: Room, person: str) -> bool:
        """Measure the document if so much is unmeasured that somebody's batch has to wait for that.

        Return whether less is unmeasured than before.
        """
        before = room.replica.knowledge.unmeasured
        if before >= SOON:
            await self.measure(room, person)
        return room.replica.knowledge.unmeasured < before

    async def run(self, room: Room, updates: Sequence[Inspected], person: str, *, suggests: bool = False) -> bool:
        """Try a batch of somebody's, who perhaps only suggests.

        Return whether the engine takes long to apply it.

        Raises Unavailable. Raises ProtocolError if the document cannot be opened with the batch
        (bad_update), or not soon (too_costly). Also raised if the batch's past is missing, or if
        the values in the document become too many.
        """
        before = await self._as_it_is(room)
        if before is None:
            return False  # the append will say so
        after = _with_rows(before, [updates])
        try:
            trial = await self.sandbox.trial(after, self.limits, person)
        except SandboxRejected as rejected:
            if await self._is_broken(before, person):
                return False  # not this update's fault
            log.warning("update_rejected", document=self.document_id, reason=rejected.message)
            if rejected.code is Code.TOO_COSTLY:
                raise too_costly() from rejected
            raise ProtocolError(Code.BAD_UPDATE, SET_ASIDE) from rejected
        bad = [each.set_aside.reason for each in trial.found if each.seq == after.head]
        if NO_PAST in bad:
            # Not left to the gate: the past may come meanwhile, and the trial was made without it.
            raise missing_past()
        if bad:
            log.warning("update_rejected", document=self.document_id, reason="It does not apply.")
            raise ProtocolError(Code.BAD_UPDATE, SET_ASIDE)
        coming = sum(update.values for update in updates)
        if coming:
            self._check_values(trial.values, suggests=suggests)
        room.replica.knowledge.values = max(0, trial.values - coming)
        if trial.load_seconds > MOST_OPENING:
            await self._check_opening(trial, before, person)
        self.opened_in, self.measures_again = trial.load_seconds, -inf
        return trial.apply_seconds > MOST_APPLYING

    async def _check_opening(self, trial: Trial, before: Loaded, person: str) -> None:
        """Compare a slow opening with that of the document without the batch. Raise too_costly."""
        known = await self.sandbox.trial(before, self.limits, person)
        if trial.load_seconds >= MOST_GROWTH * known.load_seconds:
            log.warning(
                "update_rejected", document=self.document_id, reason="The document would take too long to open."
            )
            raise too_costly()
        # Otherwise slow to open already, or the machine is busy

    def _check_values(self, values: int, *, suggests: bool) -> None:
        if suggests and values > self.limits.for_suggestions().document_values:
            raise nearly_full()
        if values > self.limits.document_values:
            raise too_many_values(self.limits)

    async def _is_broken(self, document: Loaded, person: str) -> bool:
        try:
            await self.sandbox.trial(document, self.limits, person)
        except SandboxRejected:
            return True
        return False

    async def _as_it_is(self, room: Room) -> Loaded | None:
        """Return the stored document with what is on its way, or None if there is none."""
        # Before the log is read. What becomes durable meanwhile would otherwise be in neither.
        in_flight = room.in_flight()
        loaded = await self.log_of_all.load(self.document_id)
        return None if loaded is None else _with_rows(_with_marks(loaded, room), [in_flight])


def _with_marks(stored: Loaded, room: Room) -> Loaded:
    """Add the marks that this room knows of and that may not be stored yet."""
    marks = {**stored.set_aside, **room.replica.set_aside}
    rows = [replace(row, set_aside=marks.get(row.seq, ())) for row in stored.rows]
    return replace(stored, rows=rows, set_aside=marks)


def _with_rows(stored: Loaded, batches: Sequence[Sequence[Inspected]]) -> Loaded:
    filled = [encode_batch([update.raw for update in updates]) for updates in batches if updates]
    rows = [Row(Seq(stored.head + number), batch) for number, batch in enumerate(filled, 1)]
    return replace(stored, rows=[*stored.rows, *rows], head=Seq(stored.head + len(rows)))
