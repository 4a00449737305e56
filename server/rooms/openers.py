"""Who makes this node hold which documents in memory, so that one person's opening of many large ones ends with them.

A document costs everybody who is in it. When the last of them has left it goes on costing that one until it is closed, which takes a
while; so does a document that somebody has opened without getting in. Whoever holds more than their share can open nothing that is not
open already. A single document may be larger than the share. One person opens one document at a time, so that each is counted.
"""

import asyncio
from collections import Counter
from weakref import WeakValueDictionary

from crdt.errors import Code, ProtocolError
from crdt.ids import ConnectionId, DocumentId
from server.rooms.open_room import OpenRoom, Surroundings
from server.rooms.open_rooms import OpenRooms


class Openers:
    """`share`: bytes in memory of the documents that one person has open, by estimate (`Replica.memory`)."""

    def __init__(self, rooms: OpenRooms, share: int) -> None:
        self._rooms = rooms
        self._share = share
        self._people: dict[DocumentId, dict[ConnectionId, str]] = {}
        """Who is in each document, through which connection."""
        self._documents: dict[str, Counter[DocumentId]] = {}
        """In how many sessions of each document a person is."""
        self._left_by: dict[DocumentId, str] = {}
        """Of documents that nobody is in, or not yet."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def opened(self, document_id: DocumentId, person: str, surroundings: Surroundings) -> OpenRoom:
        """The document's room, opened if need be; raises ManyhandsError, too_many if the person may open no other."""
        if self._rooms.get(document_id) is not None:
            return await self._rooms.opened(document_id, surroundings)
        turn = self._turns.get(person)
        if turn is None:
            turn = self._turns[person] = asyncio.Lock()
        async with turn:
            if self._rooms.get(document_id) is None:
                await self._check_share(person)
            try:
                return await self._rooms.opened(document_id, surroundings)
            finally:
                if self._rooms.get(document_id) is not None and document_id not in self._people:
                    self._left_by.setdefault(document_id, person)

    async def _check_share(self, person: str) -> None:
        held = self._held_by(person)
        for document_id in self._of(person):
            if held <= self._share:
                return
            if (learning := self._rooms.learning(document_id)) is not None:
                await learning.finish()  # until then it is estimated at the most that it can be
                held = self._held_by(person)
        if held > self._share:
            most = self._share // 2**20
            raise ProtocolError(
                Code.TOO_MANY, f"You have documents open that take more than {most} MB together. Close some of them."
            )

    def _held_by(self, person: str) -> int:
        rooms = map(self._rooms.get, self._of(person))
        return sum(each.room.replica.memory for each in rooms if each is not None)

    def _of(self, person: str) -> set[DocumentId]:
        return {*self._documents.get(person, ()), *(each for each, by in self._left_by.items() if by == person)}

    def enter(self, connection: ConnectionId, document_id: DocumentId, person: str) -> None:
        """A connection of theirs is in a document, now or still."""
        self.leave(connection, document_id)
        self._people.setdefault(document_id, {})[connection] = person
        self._documents.setdefault(person, Counter())[document_id] += 1
        self._left_by.pop(document_id, None)

    def leave(self, connection: ConnectionId, document_id: DocumentId) -> None:
        """The connection is in the document no longer; nothing happens if it was not."""
        people = self._people.get(document_id, {})
        person = people.pop(connection, None)
        if person is None:
            return
        if not people:
            del self._people[document_id]
            self._left_by[document_id] = person
        documents = self._documents[person]
        documents[document_id] -= 1
        if not documents[document_id]:
            del documents[document_id]
        if not documents:
            del self._documents[person]

    def closed(self, document_id: DocumentId) -> None:
        """The document is in memory no longer."""
        for connection in tuple(self._people.get(document_id, ())):
            self.leave(connection, document_id)
        self._left_by.pop(document_id, None)
