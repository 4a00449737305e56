"""The sandbox's jobs in this process, for tests with honest content, which need no wall."""

from collections.abc import Callable, Sequence
from typing import Any

from pycrdt import Doc

from crdt.content.edits import Made, Order, Replacement
from crdt.content.excerpt import Excerpt, excerpt
from crdt.content.writing import Wanted, Written, written
from crdt.ids import DocumentId
from crdt.log.compaction import answered, engine_updates, fold, remembered
from crdt.log.document import Engine, apply_update
from crdt.log.foreign import Lacking, lacking
from crdt.log.replica import Replica
from crdt.protocol.row import Stored
from crdt.rescue.rescue import Rescued, Said
from crdt.suggestions.judge import Entry
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from server.sandbox import SandboxRejected, Trial
from server.sandbox.jobs import run
from server.sandbox.judging import Brief, Judged, Judges, judge_row
from server.store.base import Folded, Loaded, Past


class InProcessSandbox:
    """The jobs that rooms ask of a sandbox. `engine` is the document engine."""

    def __init__(self, engine: Engine = apply_update) -> None:
        self.engine = engine
        self.judges = Judges()

    def keep_ready(self, *, needed: bool) -> None:
        """It has no process."""

    async def fold(self, snapshot: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
        doc: Doc[Any] = Doc()
        for update in engine_updates(snapshot, batches) if self.engine is not apply_update else ():
            try:
                self.engine(doc, update)
            except Exception as error:
                raise SandboxRejected("The content is damaged: the document engine cannot work with it.") from error
        memory = remembered(snapshot, batches, past.seq, past.memory, past.heirs)
        return Folded(*fold(snapshot, batches), memory)

    async def rescue(self, loaded: Loaded, said: Sequence[Said]) -> Rescued:
        return answered(loaded.snapshot, loaded.memory, loaded.rows, loaded.head + 1, said)

    async def excerpt(self, snapshot: bytes, document_id: DocumentId) -> Excerpt:
        doc: Doc[Any] = Doc()
        self.engine(doc, snapshot)
        return excerpt(doc)

    async def content(self, stored: Stored, limits: GateLimits, wanted: Wanted, person: str) -> Written:
        doc: Doc[Any] = Doc()
        self.engine(doc, Replica(stored, limits, self.engine).document.snapshot())
        return written(doc, wanted)

    async def edit(self, state: bytes, limits: GateLimits, order: Order | Replacement, person: str) -> Made:
        made: Made = run("edit", (state, limits, order))  # type: ignore[assignment]
        return made

    async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
        replica = Replica(stored, limits, self.engine)
        if replica.quarantined is not None:
            raise SandboxRejected(replica.quarantined)
        values = inspect(replica.document.snapshot(), limits, durable=True).values
        return Trial(replica.document.state_vector(), 0.0, replica.found, values=values)

    async def opening(self, snapshot: bytes, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> float:
        run("opening", (snapshot, updates, limits))
        return 0.0

    async def judge(self, brief: Callable[[], Brief], document: str, person: str) -> Judged:
        return self.judges.judge(brief())

    async def judge_row(
        self, state: bytes, entries: Sequence[Entry], format_name: str | None, person: str
    ) -> list[Judged]:
        return judge_row(state, entries, format_name)

    async def inspect(self, updates: Sequence[bytes], limits: GateLimits, person: str = "") -> list[Inspected]:
        return [inspect(update, limits) for update in updates]

    async def lacking(self, state: bytes, updates: Sequence[bytes], limits: GateLimits) -> Lacking:
        return lacking(state, updates, limits)
