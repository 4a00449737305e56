"""Intake of batches that cannot be taken at once.

A batch is taken at once if it is small, and little else came in the same turn of the event loop.
Any other batch is read in its turn, or, if it is large, in the sandbox. It is tried there if need
be, and judged in slices while others go on.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

from msgspec import Struct

from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.ids import DocumentId
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import Request
from crdt.room.effects import Effect, Proof
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect_batch
from server.rooms.driver import Driver
from server.rooms.seat import Seat
from server.rooms.shares import MemoryShares, Turnstile
from server.sandbox import Sandbox

INLINE_BYTES = 32 * 2**10
"""A batch up to this many bytes is read here when its turn has come.

A larger batch is read in the sandbox, while others go on.
"""

AT_ONCE_BYTES = 8 * 2**10
"""Bytes that are taken in one turn of the event loop, keystrokes apart. The rest takes turns.

So many bytes hold 4,000 of the smallest structs, which take some 30 ms.
"""


class Intake(Struct):
    """All batches of this node that have to wait.

    `update_bytes`: the largest batch that is taken.
    """

    sandbox: Sandbox
    gate_limits: GateLimits
    update_bytes: int
    memory_shares: MemoryShares
    turnstile: Turnstile
    taken_at_once: int = 0
    """Bytes that were taken in this turn of the event loop."""

    def may_go_at_once(self, size: int, person: str) -> bool:
        """Whether a batch of so many bytes may be taken in this turn of the event loop.

        If so, its bytes are counted.
        """
        if not self.memory_shares.wrote(person, size) or self.taken_at_once + size > min(
            AT_ONCE_BYTES, self.update_bytes
        ):
            return False
        if not self.taken_at_once:
            asyncio.get_running_loop().call_soon(self._turn)
        self.taken_at_once += size
        return True

    def _turn(self) -> None:
        self.taken_at_once = 0

    def receive(self, seat: Seat, batch: bytes, request: Request | None) -> Awaitable[None] | None:
        """Take a batch that could not be taken at once.

        An awaitable must be awaited before the seat's next batch.
        """
        try:
            seat.driver.check_open()
            self.memory_shares.look(seat.card.person)
            if len(batch) > self.update_bytes:
                raise ProtocolError(Code.TOO_LARGE, f"A batch may have {self.update_bytes} bytes, not {len(batch)}.")
            return self._receive(seat, decode_batch(batch), request)
        except ManyhandsError as refusal:
            seat.refuse(request, refusal)
            return None

    async def _receive(self, seat: Seat, updates: list[bytes], request: Request | None) -> None:
        driver = cast(Driver, seat.driver)
        try:
            inspected = await self._inspected(driver.document_id, updates, seat.card.person)
            await driver.learned()
            driver.check_open()
            await driver.declare_format(seat)
            driver.check_open()
            if seat.only_suggests:
                await self._suggest(driver, seat, inspected, request)
                return
            async with driver.trials.turn:
                effects = await self._taken(driver, seat, inspected, request)
        except ManyhandsError as refusal:
            seat.refuse(request, refusal)
            return
        driver.do(lambda: effects)

    async def _taken(
        self,
        driver: Driver,
        seat: Seat,
        inspected: Sequence[Inspected],
        request: Request | None,
        proof: Proof | None = None,
    ) -> list[Effect]:
        """Try a batch if need be, and have the gate judge it."""
        dear, tried = False, driver.trials.needed(inspected)
        if tried:
            dear = await self._try(seat, inspected)
        try:
            effects = await self._judged(seat, inspected, request, proof, measured=tried)
        except ProtocolError as refusal:
            if refusal.code is not Code.TOO_COSTLY:
                raise
            dear, effects = await self._measured_first(driver, seat, inspected, request, proof)
        if dear:
            driver.room.spare(inspected)
        return effects

    async def _measured_first(
        self,
        driver: Driver,
        seat: Seat,
        inspected: Sequence[Inspected],
        request: Request | None,
        proof: Proof | None,
    ) -> tuple[bool, list[Effect]]:
        """Have the gate judge a batch that was too much beside what is unmeasured.

        Measuring the document takes a tenth of the time that a trial of the batch takes.
        """
        if await driver.trials.catch_up(driver.room, seat.card.person):
            try:
                return False, await self._judged(seat, inspected, request, proof, measured=False)
            except ProtocolError as refusal:
                if refusal.code is not Code.TOO_COSTLY:
                    raise
        dear = await self._try(seat, inspected)
        return dear, await self._judged(seat, inspected, request, proof, measured=True)

    async def _suggest(
        self, driver: Driver, seat: Seat, inspected: Sequence[Inspected], request: Request | None
    ) -> None:
        """Take a batch of somebody who may only suggest, once it is proven to do nothing else.

        A small batch is taken in the turn in which it is proven, so that the proof holds. A large
        one may be proven once more in its row.
        """
        async with driver.proving.turn:
            driver.room.may_write(seat)
            proof = await driver.proving.prove(inspected, seat.user.user_id, seat.card.person)
            driver.check_open()
            taken = driver.room.taken
            if self._is_small(driver, inspected):
                try:
                    effects = driver.room.receive(seat, inspected, request, proof)
                except ProtocolError as refusal:
                    if refusal.code is not Code.TOO_COSTLY:
                        raise
                    async with driver.trials.turn:
                        effects = await self._taken(driver, seat, inspected, request, proof)
            else:
                async with driver.trials.turn:
                    effects = await self._taken(driver, seat, inspected, request, proof)
            if driver.room.taken == taken + 1:
                driver.proving.took()
            driver.do(lambda: effects)

    def _is_small(self, driver: Driver, updates: Sequence[Inspected]) -> bool:
        """Whether the gate can judge a batch in this turn of the event loop."""
        size = sum([len(update.raw) for update in updates])
        return size <= AT_ONCE_BYTES and not driver.room.replica.judging and not driver.trials.needed(updates)

    async def _inspected(self, document_id: DocumentId, updates: list[bytes], person: str) -> Sequence[Inspected]:
        if sum(map(len, updates)) <= min(INLINE_BYTES, self.update_bytes):
            await self.turnstile.go_through(document_id)
            return inspect_batch(updates, self.gate_limits)
        return await self.sandbox.inspect(updates, self.gate_limits, person)

    async def _try(self, seat: Seat, updates: Sequence[Inspected]) -> bool:
        """Have the sandbox open the document with a batch.

        Return whether the engine takes too long with the batch to apply it here.
        """
        room = seat.driver.room
        room.may_write(seat)
        return await cast(Driver, seat.driver).trials.run(room, updates, seat.card.person, suggests=seat.only_suggests)

    async def _judged(
        self,
        seat: Seat,
        updates: Sequence[Inspected],
        request: Request | None,
        proof: Proof | None,
        *,
        measured: bool,
    ) -> list[Effect]:
        """Have the gate judge a batch, a slice in each turn of the event loop.

        Raises ProtocolError(too_costly) if the batch has to be tried first.
        """
        driver = seat.driver
        slices = driver.room.receive_in_slices(seat, updates, request, proof, measured=measured)
        try:
            while True:
                await self.turnstile.go_through(driver.document_id)
                driver.check_open()
                try:
                    next(slices)
                except StopIteration as judged:
                    effects: list[Effect] = judged.value
                    return effects
        finally:
            slices.close()
