"""Shares of people who come at once: of this node's memory, and of turns of the event loop.

`MemoryShares` bounds what one person's open documents may take of the memory.

A document counts for everybody who is in it. When the last of them has left, the document goes on
counting for that person until it is closed, which takes a while. So does a document that somebody
has opened without getting in. A person who holds more than their share can join only documents that
count for them already. A person who goes on writing is stopped at twice the share, unless they have
a single document, which may be as large as any. One person opens one document at a time, so that
each is counted.
"""

import asyncio
from collections import Counter, deque
from weakref import WeakValueDictionary

from msgspec import Struct, field

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from server.rooms.driver import Driver
from server.rooms.registry import Registry
from server.rooms.seat import Seat

LOOK_BYTES = 2**20
"""A person types as many bytes in a year. A program or an attacker sends them in a second."""


class MemoryShares(Struct, eq=False):
    """The shares of all people.

    Attributes:
        share: bytes that `Replica.memory` estimates, per person.
        documents: how many sessions a person has in each document.
        left_by: the person that a document counts for while nobody is in it: the last one or the
            first.
        coming: the documents that people are about to join.
        written: bytes that a person in a document has written since their share was last checked.
    """

    rooms: Registry
    share: int
    documents: dict[str, Counter[DocumentId]] = field(default_factory=dict)
    left_by: dict[DocumentId, str] = field(default_factory=dict)
    coming: dict[str, set[DocumentId]] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    _turns: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def opened(self, document_id: DocumentId, person: str) -> Driver:
        """Return the driver of a document, opened if need be.

        The document counts for the person from now on, until `arrived` at the latest. Raises
        ManyhandsError, too_many if the person holds too much already.
        """
        if document_id in self._of(person):
            return await self.rooms.opened(document_id)
        if self.rooms.get(document_id) is not None:
            await self._join(document_id, person)
            return await self.rooms.opened(document_id)
        turn = self._turns.get(person)
        if turn is None:
            turn = self._turns[person] = asyncio.Lock()
        async with turn:
            await self._join(document_id, person)
            try:
                return await self.rooms.opened(document_id)
            finally:
                driver = self.rooms.get(document_id)
                if driver is not None and not driver.room.members:
                    self.left_by.setdefault(document_id, person)

    async def _join(self, document_id: DocumentId, person: str) -> None:
        await self._check_share(person)
        self.coming.setdefault(person, set()).add(document_id)

    def arrived(self, document_id: DocumentId, person: str) -> None:
        """Note that a person has joined, or has not been let in."""
        coming = self.coming.get(person, set())
        coming.discard(document_id)
        if not coming:
            self.coming.pop(person, None)

    async def _check_share(self, person: str) -> None:
        held = self.held_by(person)
        for document_id in self._of(person):
            if held <= self.share:
                return
            driver = self.rooms.get(document_id)
            if driver is not None and driver.learning is not None:
                await driver.learned()  # until then the estimate is the most that it can be
                held = self.held_by(person)
        if held > self.share:
            raise self._too_much()

    def wrote(self, person: str, octets: int) -> bool:
        """Count what somebody is about to write.

        Return False after each `LOOK_BYTES`: call `look` first.
        """
        if person not in self.documents:
            return True  # nothing of it will be taken
        written = self.written[person] = self.written.get(person, 0) + octets
        return written < LOOK_BYTES

    def look(self, person: str) -> None:
        """Raise ProtocolError(too_many) if what a person wrote has made their share too large."""
        if self.written.get(person, 0) >= LOOK_BYTES:
            if len(self._of(person)) > 1 and self.held_by(person) > 2 * self.share:
                raise self._too_much()
            self.written[person] = 0

    def _too_much(self) -> ProtocolError:
        most = self.share // 2**20
        return ProtocolError(
            Code.TOO_MANY, f"You have documents open that take more than {most} MB together. Close some of them."
        )

    def held_by(self, person: str) -> int:
        """Bytes of the documents that count for a person."""
        rooms = map(self.rooms.get, self._of(person))
        return sum(each.room.replica.memory for each in rooms if each is not None)

    def _of(self, person: str) -> set[DocumentId]:
        left = [each for each, by in self.left_by.items() if by == person]
        return {*self.documents.get(person, ()), *self.coming.get(person, ()), *left}

    def enter(self, seat: Seat) -> None:
        """Note that somebody is in a document who was not."""
        self.documents.setdefault(seat.card.person, Counter())[seat.document_id] += 1
        self.left_by.pop(seat.document_id, None)

    def leave(self, seat: Seat) -> None:
        """Note that somebody has left a document. Call this when the room knows."""
        document_id, person = seat.document_id, seat.card.person
        if not seat.driver.room.members and not seat.driver.over:
            self.left_by[document_id] = person
        documents = self.documents[person]
        documents[document_id] -= 1
        if not documents[document_id]:
            del documents[document_id]
        if not documents:
            del self.documents[person]
            self.written.pop(person, None)

    def closed(self, document_id: DocumentId) -> None:
        """Note that a document is in memory no longer."""
        self.left_by.pop(document_id, None)


class Turnstile:
    """Lets work through that many people bring at once, for instance when everybody reconnects.

    One piece of work goes through in each turn of the event loop. Between two pieces everything
    else runs that is ready: others' edits, timers, sockets. Work with different purposes (a
    document, an address) takes turns. So a storm on one document does not hold up the people who
    come to another. Nobody waits unless somebody has just gone through.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._turning = False

    async def go_through(self, what_for: str) -> None:
        """Wait for a turn. What follows runs without another before the event loop has turned."""
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)
            return
        turn = loop.create_future()
        self._waiting.setdefault(what_for, deque()).append(turn)
        await turn

    def _turn(self) -> None:
        """Let the next one through, if somebody waits."""
        while self._waiting:
            what_for = next(iter(self._waiting))
            queue = self._waiting.pop(what_for)
            turn = queue.popleft()
            if queue:
                self._waiting[what_for] = queue  # behind the others
            if not turn.done():  # otherwise the waiter has gone
                turn.set_result(None)
                asyncio.get_running_loop().call_soon(self._turn)
                return
        self._turning = False
