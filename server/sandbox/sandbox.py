"""The sandbox: jobs to await, a fair and bounded queue, and workers that are replaced on death."""

import asyncio
import pickle
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from crdt.content.excerpt import Excerpt
from crdt.errors import Code, InvariantError, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.protocol.row import Stored
from crdt.rescue.rescue import Rescued, Said
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected
from server.sandbox import inspected, trials
from server.sandbox.errors import SandboxRejected
from server.sandbox.process import Worker
from server.sandbox.queue import JobQueue
from server.sandbox.trials import Trial
from server.store.base import Folded, Loaded, Past

IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_ABSENT, _PRESENT = b"", b"+"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts from an image's content. `width` and `height` are pixels."""

    media_type: str
    width: int
    height: int


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

    The `person` of a job is the one that the job is for. People take turns
    (server/sandbox/queue.py).
    """

    def __init__(
        self, *, memory_bytes: int = 2**30, job_seconds: float = 10.0, workers: int = 1, waiting: int = 256
    ) -> None:
        self._workers = [Worker(memory_bytes, job_seconds) for _ in range(workers + 1)]
        self._busy: set[Worker] = set()
        self._queue = JobQueue(workers, waiting)
        self._closed = False

    async def __aenter__(self) -> "Sandbox":
        """Start the first worker, so that a failure shows now. Others start on demand."""
        await self._workers[0].start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """End every worker. All running and waiting jobs raise Unavailable before this returns."""
        self._closed = True
        for worker in self._workers:
            worker.close()
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
        past = past or Past(heirs=[b""] * len(batches))
        parts = [str(past.seq).encode(), past.memory, *_optional(snapshot), *batches, *past.heirs]
        folded, state_vector, memory, forgot = await self._run("fold", parts, answers=4)
        return Folded(folded, state_vector, memory, forgot.decode("utf-8", "replace"))

    async def rescue(self, loaded: Loaded, said: Sequence[Said]) -> Rescued:
        """Answer the updates of the next row of a document (crdt/rescue/rescue.py)."""
        job = [pickle.dumps((loaded.snapshot, loaded.memory, loaded.rows, loaded.head, tuple(said)))]
        parts = await self._run("rescue", job, answers=2 + len(said), person=loaded.document_id, urgent=True)
        heirs, failed, *answers = parts
        return Rescued(tuple([each or None for each in answers]), heirs, failed.decode("utf-8", "replace"))

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        """Open a document as this process would, encode it, and load it again.

        Without a `person` nobody waits for the result, so the job is not urgent. Raises
        SandboxRejected if one of the steps fails, or the process dies of it (`died`).
        """
        job = [pickle.dumps((stored, limits))]
        return trials.decode(await self._run("trial", job, person=person, urgent=bool(person)))

    async def inspect(self, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> list[Inspected]:
        """Inspect large updates (crdt/yjs/reader.py) in a worker instead of on the event loop.

        Raises the gate's ProtocolError.
        """
        parts = [inspected.encode_limits(limits), *updates]
        found = await self._run("inspect", parts, answers=len(updates), person=person, urgent=True)
        decoded: list[Inspected] = []
        for update, findings in zip(updates, found, strict=True):
            decoded.append(inspected.decode(update, findings))
            await asyncio.sleep(0)  # decoding 100,000 structs takes 50 ms: let the event loop turn
        return decoded

    async def excerpt(self, snapshot: bytes, document_id: DocumentId) -> Excerpt:
        """Read the first two lines of a snapshot in the engine's form (crdt/content/excerpt.py)."""
        first, second = await self._run("excerpt", [snapshot], answers=2, person=document_id)
        return Excerpt(first.decode(), second.decode())

    async def check_image(self, data: bytes, person: str = "") -> ImageFacts:
        """Decode a whole image: PNG, JPEG, GIF or WebP, recognised by its content.

        Raises SandboxRejected for all else.
        """
        media_type, width, height = await self._run("check_image", [data], answers=3, person=person)
        if media_type.decode("ascii", "replace") not in IMAGE_TYPES:
            raise InvariantError("The sandbox named an unknown image type.")
        return ImageFacts(media_type.decode("ascii"), _pixels(width), _pixels(height))

    async def _run(
        self, job: str, parts: Sequence[bytes], *, answers: int | None = None, person: str = "", urgent: bool = False
    ) -> list[bytes]:
        """Run a job, and check the form of its answer. `urgent` means that an edit waits for it."""
        async with self._slot(person, urgent=urgent) as worker:
            status, *rest = await worker.ask([job.encode(), *parts])
        if status == b"done" and answers in (None, len(rest)):
            return rest
        if status == b"rejected" and len(rest) == 2:
            raise SandboxRejected(rest[1].decode("utf-8", "replace"), _code(rest[0]))
        if status == b"refused" and len(rest) == 2:
            raise ProtocolError(_code(rest[0]), rest[1].decode("utf-8", "replace"))
        raise InvariantError("The sandbox's answer has an unknown form.")

    @asynccontextmanager
    async def _slot(self, person: str, *, urgent: bool) -> AsyncIterator[Worker]:
        """Wait for an idle worker. The first in the list most likely has a process already."""
        if self._closed:
            raise Unavailable("The sandbox is closed.")
        async with self._queue.slot(person, urgent=urgent):
            worker = next(each for each in self._workers if each not in self._busy)
            self._busy.add(worker)
            try:
                yield worker
            finally:
                self._busy.discard(worker)


def _optional(value: bytes | None) -> tuple[bytes, bytes]:
    return (_ABSENT, b"") if value is None else (_PRESENT, value)


def _code(value: bytes) -> Code:
    try:
        return Code(value.decode("ascii"))
    except ValueError as error:
        raise InvariantError("The sandbox named an unknown error code.") from error


def _pixels(value: bytes) -> int:
    if not value.isdigit() or len(value) > 9:
        raise InvariantError("The sandbox gave an image an impossible size.")
    return int(value)
