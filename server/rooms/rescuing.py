"""Rescuing: finds out for one open document which words would die of a change (crdt/rescue).

The document's sequences are built when they are first needed, and follow the log from one rescue to
the next. They are forgotten after a while, because they take ten times the memory of the words. The
sandbox does the work for large documents, from the beginning each time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec.structs import replace

from crdt.errors import InvariantError, Unavailable
from crdt.ids import DocumentId, Seq
from crdt.log.compaction import restored
from crdt.log.stand_ins import batch_of
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Row
from crdt.rescue.memory import follow
from crdt.rescue.rescue import Rescued, Said, answer
from crdt.rescue.sequences import Sequences
from crdt.room.effects import Rescue
from server.observe import log
from server.rooms.reader import Reader
from server.store.base import Loaded

INLINE_BYTES = 128 * 2**10
"""Stored bytes of a document whose sequences are kept here. They take some 20 ms to build."""

AT_ONCE_BYTES = 16 * 2**10
"""Stored bytes of a document whose sequences are built at once, in some 3 ms.

Those of a larger document are built in a thread, so that others go on meanwhile.
"""

INLINE_SAID = 16 * 2**10
"""Bytes of the updates of one row that are answered here. The work grows with them."""

INLINE_WORK = 200_000
"""Steps of hard work that are done here, some 0.1 s. Hostile rows need more for their bytes."""

AT_ONCE_ROWS = 200
"""Rows that the sequences follow at once, in some 2 ms. More are followed in a thread."""

BUSY_PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds between tries while the sandbox is too busy."""

MOST_OVERTAKEN, PATIENCE = 20, 20.0
"""Times and seconds for which a row is asked about again because other nodes were faster.

Afterwards the row leaves without an answer. It would perhaps never leave otherwise.
"""

AGAIN_SECONDS = 5.0
"""Seconds after an answer in which the same row may be asked about again because of `Behind`."""

FORGOTTEN_SECONDS = 60.0
"""Seconds after the last rescue after which the sequences are forgotten."""

Answers = Callable[[Loaded, Sequence[Said]], Awaitable[Rescued]]
"""Answers the updates of the next row of a document, elsewhere. Raises ManyhandsError."""


class Rescuing:
    """The rescue of one open document. `elsewhere` does it for large documents."""

    def __init__(self, document_id: DocumentId, reader: Reader, elsewhere: Answers) -> None:
        self._document_id = document_id
        self._reader = reader
        self._elsewhere = elsewhere
        self._sequences: Sequences | None = None
        self._seq = Seq(0)
        """The row that the sequences hold, in the log or not."""
        self._expected = b""
        """The batch of that row if it was answered here, so that the log may hold another one."""
        self._asked_first: Said | None = None
        """The first update of the last question. If that was in vain, the next one begins with it.
        """
        self._asked_known = Seq(0)
        self._asked_since = self._answered_at = 0.0
        self._overtaken = 0
        """How often other nodes have written before the same question was answered."""
        self._forget: asyncio.TimerHandle | None = None

    async def answer(self, question: Rescue) -> Rescued | None:
        """Return the answers for the updates of a row; None if they cannot be found.

        Words may die then. The log says why.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if question.said[0] != self._asked_first or now > self._answered_at + AGAIN_SECONDS:
            self._asked_first, self._asked_since, self._overtaken = question.said[0], now, 0
        elif question.known > self._asked_known:
            self._overtaken += 1
        self._asked_known = question.known
        try:
            if self._overtaken >= MOST_OVERTAKEN and now > self._asked_since + PATIENCE:
                raise Unavailable("Other nodes write faster than answers are found.")
            rescued = await self._answer(question)
            if rescued.failed:
                self._tell_failed(rescued.failed)
        except Exception as error:  # noqa: BLE001 - without a rescue everything else goes on
            self._sequences = None
            self._tell_failed(f"{type(error).__name__}: {error}")
            return None
        finally:
            self._answered_at = loop.time()
        if self._forget is not None:
            self._forget.cancel()
        self._forget = asyncio.get_running_loop().call_later(FORGOTTEN_SECONDS, self.forget)
        return rescued

    def _tell_failed(self, reason: str) -> None:
        log.error("rescue_failed", document=self._document_id, reason=reason[:300])

    def forget(self) -> None:
        """Forget the sequences. The next rescue builds them again."""
        self._sequences = None
        if self._forget is not None:
            self._forget.cancel()
            self._forget = None

    async def _answer(self, question: Rescue) -> Rescued:
        try:
            sequences = await self._go_on(question.known)
            if sequences is not None:
                return self._answer_here(sequences, question)
        except InvariantError:
            pass  # too much work for the loop, or one person's rescue fails
        loaded = await self._reader.load(failed=False)
        if loaded is None or not loaded.snapshot_seq <= question.known <= loaded.head:
            return Rescued((None,) * len(question.said), b"")  # the log has gone on, and the store will say so
        loaded = _up_to(loaded, question.known)
        stored = len(loaded.snapshot or b"") + len(loaded.memory) + sum(len(row.batch) for row in loaded.rows)
        if stored <= INLINE_BYTES and sum(len(said.update) for said in question.said) <= INLINE_SAID:
            build = partial(restored, loaded.snapshot, loaded.memory, loaded.rows, INLINE_WORK)
            try:
                sequences = build() if stored <= AT_ONCE_BYTES else await asyncio.to_thread(build)
                return self._answer_here(sequences, question)
            except InvariantError:
                pass
        return await self._answer_elsewhere(loaded, question.said)

    def _answer_here(self, sequences: Sequences, question: Rescue) -> Rescued:
        """Answer in the loop. Raises InvariantError for too much work."""
        sequences.allow(INLINE_WORK)
        rescued = answer(sequences, question.known + 1, question.said)
        # Only now, because an error leaves the sequences useless.
        self._sequences, self._seq = sequences, Seq(question.known + 1)
        self._expected = encode_batch(_with_answers(question.said, rescued))
        return rescued

    async def _answer_elsewhere(self, loaded: Loaded, said: Sequence[Said]) -> Rescued:
        for pause in BUSY_PAUSES:
            try:
                return await self._elsewhere(loaded, said)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._elsewhere(loaded, said)

    async def _go_on(self, known: Seq) -> Sequences | None:
        """Return the sequences at row `known`, or None if they must be built anew."""
        sequences, self._sequences = self._sequences, None
        if sequences is None or self._seq - 1 > known:
            return None
        rows = await self._reader.read(self._seq - 1)
        if not rows or rows[0].seq != self._seq or batch_of(rows[0]) != self._expected:
            return None
        later = [replace(row, batch=batch_of(row)) for row in rows[1:] if row.seq <= known]
        if len(later) <= AT_ONCE_ROWS:
            _follow_all(sequences, later)
        else:
            await asyncio.to_thread(_follow_all, sequences, later)
        return sequences


def _follow_all(sequences: Sequences, rows: Sequence[Row]) -> None:
    for row in rows:
        follow(sequences, row)


def _up_to(loaded: Loaded, seq: Seq) -> Loaded:
    rows: tuple[Row, ...] = tuple([row for row in loaded.rows if row.seq <= seq])
    return replace(loaded, head=seq, rows=rows)


def _with_answers(said: Sequence[Said], rescued: Rescued) -> list[bytes]:
    pairs = zip(said, rescued.answers, strict=True)
    return [update for each, written in pairs for update in (each.update, written) if update is not None]
