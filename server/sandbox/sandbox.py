"""The sandbox: jobs to await, a fair and bounded queue, and workers that are replaced on death."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from msgspec.msgpack import Decoder

from crdt.content.edits import Made, Order, Replacement
from crdt.content.excerpt import Excerpt
from crdt.content.writing import Wanted, Written
from crdt.errors import InvariantError, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.log.foreign import Lacking
from crdt.protocol.row import Stored
from crdt.rescue.rescue import Rescued, Said
from crdt.suggestions.judge import Entry
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected
from server.observe import log
from server.sandbox.judging import Brief, Judged
from server.sandbox.messages import ImageFacts, SandboxRejected, Trial, decode_findings, read
from server.sandbox.process import Worker
from server.sandbox.queue import JobQueue
from server.store.base import Folded, Loaded, Past

T = TypeVar("T")


class Sandbox:
    """Jobs on untrusted bytes in worker processes. Use it as `async with Sandbox() as sandbox:`.

    Every job raises SandboxRejected if the bytes are at fault; the message is for people. Every job
    raises Unavailable if it may succeed later: no worker could be started, too many jobs wait,
    somebody killed the worker, or the sandbox is closing. A cancelled job ends its worker. Other
    jobs notice only the restart.

    Args:
        memory_bytes: address space of one worker, its own 50 MB included.
        job_seconds: processor time of one job. By the clock a job may take four times as long.
        workers: processes, and so jobs at a time. One is right for a small machine, because each
            job uses a core. One more process is started for an edit that is to be checked while all
            others are busy with jobs that are not urgent.
        waiting: jobs that may wait for a worker. The next one is Unavailable at once.
        starts_late: `async with` starts no worker. The first job does, or `keep_ready`, whose
            failure is logged.
        idle_seconds: time without a job after which workers end that nobody needs. A worker takes
            25 MB, and 0.15 s to start.

    The `person` of a job is the one that the job is for. People take turns
    (server/sandbox/queue.py).
    """

    ready_seconds = 2.0
    """Seconds from `keep_ready` to the start of a worker.

    A start takes as much processor time as a hundred joins. After a restart everybody joins at
    once, and goes first.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = 2**30,
        job_seconds: float = 10.0,
        workers: int = 1,
        waiting: int = 256,
        starts_late: bool = False,
        idle_seconds: float = 15.0,
    ) -> None:
        self._workers = [Worker(memory_bytes, job_seconds) for _ in range(workers + 1)]
        self._busy: set[Worker] = set()
        self._queue = JobQueue(workers, waiting)
        self._starts_late = starts_late
        self._idle_seconds = idle_seconds
        self._starting: asyncio.TimerHandle | None = None
        self._start: asyncio.Task[None] | None = None
        self._is_needed = not starts_late
        self._ending: asyncio.TimerHandle | None = None
        self._closed = False

    async def __aenter__(self) -> "Sandbox":
        """Start the first worker, so that a failure shows now. Others start on demand."""
        if not self._starts_late:
            await self._workers[0].start()
        return self

    def keep_ready(self, *, needed: bool) -> None:
        """Say whether jobs are to be expected. Then the first worker is started beside, soon.

        A job that comes earlier starts the worker. Workers that are not needed end after a while
        without a job, and a later job starts one.
        """
        if needed == self._is_needed:
            return
        self._is_needed = needed
        self._stop_starting()
        if needed:
            self._starting = asyncio.get_running_loop().call_later(self.ready_seconds, self._begin_start)
        self._end_later()

    def _begin_start(self) -> None:
        if self._workers[0].pid is None and (self._start is None or self._start.done()):
            self._start = asyncio.create_task(self._start_beside())

    def _stop_starting(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None

    def _end_later(self) -> None:
        """Have the workers end if nobody needs them and no job comes."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None
        if not self._is_needed and not self._busy and not self._closed:
            self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    def _end_idle(self) -> None:
        for worker in self._workers:
            worker.end()

    async def _start_beside(self) -> None:
        """Start the first worker as a job would. Edits that come meanwhile wait for this worker."""
        if self._busy:
            return  # a job has come first, and starts it
        try:
            async with self._slot("", urgent=True) as worker:
                await worker.start()
        except Unavailable as error:
            if not self._closed:
                log.error("sandbox_not_started", reason=error.message)

    async def __aexit__(self, *exc_info: object) -> None:
        """End every worker. All running and waiting jobs raise Unavailable before this returns."""
        self._closed = True
        self._stop_starting()
        self._end_later()
        for worker in self._workers:
            worker.close()
        if self._start is not None:
            await self._start
        await self._queue.idle.wait()
        for worker in self._workers:
            await worker.wait()

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the living workers."""
        return tuple(worker.pid for worker in self._workers if worker.pid is not None)

    async def fold(self, snapshot: bytes | None, batches: Sequence[bytes], past: Past | None = None) -> Folded:
        """Build and verify a snapshot from the last one and the batches after it.

        See `fold` in crdt/log/compaction.py.
        """
        return await self._run(Folded, "fold", snapshot, batches, past or Past(heirs=[b""] * len(batches)))

    async def rescue(self, loaded: Loaded, said: Sequence[Said]) -> Rescued:
        """Answer the updates of the next row of a document (crdt/rescue/rescue.py)."""
        job = loaded.snapshot, loaded.memory, loaded.rows, loaded.head + 1, tuple(said)
        rescued = await self._run(Rescued, "rescue", *job, person=loaded.document_id, urgent=True)
        if len(rescued.answers) != len(said):
            raise InvariantError("The sandbox's answer has an unknown form.")
        return rescued

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        """Open a document as this process would, encode it, and load it again.

        Without a `person` nobody waits for the result, so the job is not urgent. Raises
        SandboxRejected if one of the steps fails, or the process dies of it (`died`).
        """
        return await self._run(Trial, "trial", stored, limits, person=person, urgent=bool(person))

    async def opening(self, snapshot: bytes, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> float:
        """Return the processor seconds that opening a document with some more updates takes."""
        return await self._run(float, "opening", snapshot, updates, limits, person=person, urgent=bool(person))

    async def inspect(self, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> list[Inspected]:
        """Inspect large updates (crdt/yjs/reader.py) in a worker instead of on the event loop.

        Raises the gate's ProtocolError.
        """
        found = await self._run(list[bytes], "inspect", updates, limits, person=person, urgent=True)
        if len(found) != len(updates):
            raise InvariantError("The sandbox's answer has an unknown form.")
        decoded: list[Inspected] = []
        for update, findings in zip(updates, found, strict=True):
            decoded.append(decode_findings(update, findings))
            await asyncio.sleep(0)  # decoding 100,000 structs takes 50 ms: let the event loop turn
        return decoded

    async def excerpt(self, snapshot: bytes, document_id: DocumentId) -> Excerpt:
        """Read the first two lines of a snapshot in the engine's form (crdt/content/excerpt.py)."""
        return await self._run(Excerpt, "excerpt", snapshot, person=document_id)

    async def content(self, stored: Stored, limits: GateLimits, wanted: Wanted, person: str) -> Written:
        """Write what a stored document says in the form that a person wants."""
        return await self._run(Written, "content", stored, limits, wanted, person=person)

    async def edit(self, state: bytes, limits: GateLimits, order: Order | Replacement, person: str) -> Made:
        """Make a person's edits in a document, which is one update in the clients' form."""
        return await self._run(Made, "edit", state, limits, order, person=person)

    async def lacking(self, state: bytes, updates: Sequence[bytes], limits: GateLimits) -> Lacking:
        """Return what a document lacks of another server's updates (crdt/log/foreign.py)."""
        return await self._run(Lacking, "lacking", state, updates, limits)

    async def judge(self, brief: Callable[[], Brief], document: str, person: str) -> Judged:
        """Judge a person's suggestions in a document (server/sandbox/judging.py).

        `brief` is called when a worker is free, so that it tells of the newest edits.
        """
        async with self._slot(person, urgent=True, document=document) as worker:
            return read(await self._asked(worker, "judge", brief()), Decoder(Judged).decode)

    async def judge_row(
        self, state: bytes, entries: Sequence[Entry], format_name: str | None, person: str
    ) -> list[Judged]:
        """Judge the suggestions of a row in their places behind a document."""
        judged = await self._run(list[Judged], "judge_row", state, entries, format_name, person=person, urgent=True)
        if len(judged) != len(entries):
            raise InvariantError("The sandbox's answer has an unknown form.")
        return judged

    async def check_image(self, data: bytes, person: str = "") -> ImageFacts:
        """Decode a whole image: PNG, JPEG, GIF or WebP, recognised by its content.

        Raises SandboxRejected for all else.
        """
        return await self._run(ImageFacts, "check_image", data, person=person)

    async def _run(self, form: type[T], job: str, *given: object, person: str = "", urgent: bool = False) -> T:
        """Run a job whose result has this form. `urgent` means that an edit waits for it."""
        async with self._slot(person, urgent=urgent) as worker:
            found = await self._asked(worker, job, *given)
        return read(found, Decoder(form).decode)

    async def _asked(self, worker: Worker, job: str, *given: object) -> bytes:
        answer = await worker.ask(pickle.dumps((job, given)))
        if answer.refusal is None:
            return answer.found
        code, message = answer.refusal
        raise SandboxRejected(message, code) if answer.rejected else ProtocolError(code, message)

    @asynccontextmanager
    async def _slot(self, person: str, *, urgent: bool, document: str = "") -> AsyncIterator[Worker]:
        """Wait for an idle worker: the one that keeps the document, or the first.

        The first in the list most likely has a process already.
        """
        if self._closed:
            raise Unavailable("The sandbox is closed.")
        async with self._queue.slot(person, urgent=urgent):
            idle = [each for each in self._workers if each not in self._busy]
            worker = next((each for each in idle if document and document in each.judges), idle[0])
            if document:
                worker.keeps(document)
            self._busy.add(worker)
            self._end_later()
            try:
                yield worker
            finally:
                self._busy.discard(worker)
                self._end_later()
