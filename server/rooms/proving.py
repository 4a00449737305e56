"""Proving: has the judge in the sandbox look at what is written by people who may only suggest.

A batch is proven before the gate sees it, so that a refusal leaves no trace. Meanwhile its author's
later batches wait, and nobody else. If others have written before the answer comes, the batch is
proven again behind that. crdt/room/proving.py says how long a proof holds.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.log.document import Damaged
from crdt.room.effects import Effect, Proof, Prove
from crdt.room.room import Room
from crdt.suggestions.judge import Candidate, Entry
from crdt.yjs.reader import Inspected
from server.observe import log
from server.sandbox.judging import Brief, Judged

MOST_TRIES = 20
"""Times that a batch is proven because others have written meanwhile. An answer takes some 2 ms."""

PAUSES = (0.1, 0.3, 1.0, 3.0)
"""Seconds between tries to prove a row while the sandbox is too busy."""


class Sandbox(Protocol):
    """Port to the jobs that proofs need."""

    async def judge(self, brief: Callable[[], Brief], document: str, person: str) -> Judged:
        """Judge a person's suggestions."""

    async def judge_row(
        self, state: bytes, entries: Sequence[Entry], format_name: str | None, person: str
    ) -> list[Judged]:
        """Judge the suggestions of a row in their places."""


class Proving:
    """The proofs of one open document. `do` calls a verb of its room."""

    def __init__(
        self, document_id: DocumentId, room: Room, sandbox: Sandbox, do: Callable[[Callable[[], list[Effect]]], None]
    ) -> None:
        self._document_id = document_id
        self._room = room
        self._sandbox = sandbox
        self._do = do
        self.turn = asyncio.Lock()
        """Held by the batch that is proven. Others' suggestions wait for their turn."""
        self._copy = ""
        """The name of the judge's copy of the document; empty if there is none."""
        self._life = -1
        self._served = 0
        self._took_last = False

    async def prove(self, updates: Sequence[Inspected], user: str, person: str) -> Proof:
        """Return the proof that a batch is nothing but somebody's suggestions. Hold `turn`.

        Nothing may be taken by the room between the return and the batch's admission. Call `took`
        then. Raises ProtocolError(not_a_suggestion) and ManyhandsError.
        """
        candidates = tuple([Candidate(update.raw, update.engine) for update in updates])
        for _ in range(MOST_TRIES):
            moment: list[object] = []
            judged = await self._sandbox.judge(
                partial(self._brief, candidates, user, moment), self._document_id, person
            )
            self._took_last = False
            if not judged.is_known:
                self._copy = ""
                continue
            self._served += 1
            if judged.refusal is not None:
                code, message = judged.refusal
                log.info("suggestion_refused", document=self._document_id, code=code)
                raise ProtocolError(Code(code), message)
            if moment == [self._moment()]:
                return self._room.proving.now
        raise Unavailable("Others change the document too fast for your suggestion. Send it again.")

    def took(self) -> None:
        """Take note that what was proven last was taken."""
        self._took_last = True

    def _moment(self) -> object:
        return self._room.proving.now, self._room.taken, self._format_name

    @property
    def _format_name(self) -> str | None:
        """The format that suggestions must have; None if the document has none, or takes any."""
        info = self._room.info
        return None if info.format is None or info.any_format else info.format.name

    def _brief(self, candidates: tuple[Candidate, ...], user: str, moment: list[object]) -> Brief:
        moment[:] = [self._moment()]
        state, proving = None, self._room.proving
        if not self._copy or proving.followed is None or self._life != proving.now.life:
            state = self._state()
            self._copy, self._life, self._served = secrets.token_hex(8), proving.now.life, 0
            proving.follow_from_here()
        in_flight = [update.engine for update in self._room.in_flight()]
        rows, proving.followed = proving.followed or [], []
        return Brief(
            self._copy,
            self._served,
            state,
            (*rows, *in_flight),
            self._took_last and state is None,
            candidates,
            user,
            self._format_name,
        )

    def _state(self) -> bytes:
        try:
            return self._room.replica.document.snapshot()
        except Damaged as error:
            self._do(partial(self._room.damaged, "encode", error))
            raise Unavailable("The document is being repaired; try again.") from error

    async def prove_row(self, question: Prove) -> Sequence[ManyhandsError | None] | None:
        """Prove a row's suggestions in their places. None: the log has gone on meanwhile."""
        if self._room.seq != question.known:
            return None
        try:
            state = self._state()
            judged = await _patiently(
                lambda: self._sandbox.judge_row(state, question.entries, self._format_name, self._document_id)
            )
        except ManyhandsError as error:
            log.warning("suggestions_unproven", document=self._document_id, reason=error.message)
            return [None if entry.user is None else error for entry in question.entries]
        refusals = [None if each.refusal is None else each.refusal for each in judged]
        return [None if each is None else ProtocolError(Code(each[0]), each[1]) for each in refusals]


async def _patiently(judge: Callable[[], Awaitable[list[Judged]]]) -> list[Judged]:
    for pause in PAUSES:
        try:
            return await judge()
        except Unavailable:
            await asyncio.sleep(pause)
    return await judge()
