"""Who is in which document through which connection, as whom and by which link: what is judged anew when access changes.

A connection that has joined holds a card for the document. When the document's access has a new
version, all its cards are judged again by one reading of the store: sessions get their new roles,
and those who have none left are shown out.

While the store is away nobody's access can change, so whoever comes to a document that is open is
let in as by the last ruling, unless a newer version of its access has been heard of since.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from crdt.errors import ManyhandsError, Unavailable
from crdt.ids import ConnectionId, DocumentId
from server.auth.base import Identity
from server.observe import log
from server.people.access import Access, Ruling
from server.rooms.open_room import OpenRoom
from server.rooms.openers import Openers
from server.rooms.reader import FIRST_PAUSE, LAST_PAUSE
from server.store.sharing_base import Standing

PATIENCE = 1.5
"""Seconds that the store may take to say who may come into a document that is open; past it, memory answers if it can."""

REMEMBERED = 1000
"""People per open document who are let in again while the store is away; past it, whoever came first is forgotten."""


@dataclass(frozen=True, slots=True)
class Card:
    """What somebody showed on joining. `link`: the token that came with the address, if any; `person`: who pays for what is held."""

    identity: Identity
    link: str | None
    person: str

    @property
    def credit(self) -> tuple[object, ...]:
        """What the role follows from."""
        return *_credit(self.identity), self.link


class Attendance:
    """The cards of this node's sessions, and how those who were here were ruled on."""

    def __init__(self, access: Access, openers: Openers) -> None:
        self._access = access
        self._openers = openers
        self._cards: dict[ConnectionId, dict[DocumentId, Card]] = {}
        self._departed: dict[DocumentId, dict[ConnectionId, Card]] = {}
        """Of who has left while something of theirs was not durable."""
        self._rulings: dict[DocumentId, dict[tuple[object, ...], Ruling]] = {}

    def enter(self, connection: ConnectionId, document_id: DocumentId, card: Card, ruling: Ruling) -> None:
        """The connection has joined."""
        self._cards.setdefault(connection, {})[document_id] = card
        self._openers.enter(connection, document_id, card.person)
        self._remember(document_id, card, ruling)

    async def ruling(self, open_room: OpenRoom | None, document_id: DocumentId, card: Card) -> Ruling:
        """What somebody may do; raises ProtocolError(not_found), and Unavailable when neither the store nor memory can tell."""
        try:
            async with asyncio.timeout(None if open_room is None else PATIENCE):
                return await self._access.ruling(card.identity, document_id, card.link)
        except (Unavailable, TimeoutError) as error:
            known = self._recall(document_id, card)
            if open_room is None or known is None or known.version < open_room.access_version:
                raise error if isinstance(error, Unavailable) else Unavailable("The store does not answer.") from error
            return known

    def _remember(self, document_id: DocumentId, card: Card, ruling: Ruling) -> None:
        rulings = self._rulings.setdefault(document_id, {})
        rulings.pop(card.credit, None)
        rulings[card.credit] = ruling
        if len(rulings) > REMEMBERED:
            del rulings[next(iter(rulings))]

    def _recall(self, document_id: DocumentId, card: Card) -> Ruling | None:
        """How this person was ruled on last. A newcomer may do what everybody may, if that is to write: no grant lets write more."""
        rulings = self._rulings.get(document_id, {})
        known = rulings.get(card.credit)
        if known is None and rulings:
            newest = max(rulings.values(), key=lambda ruling: ruling.version)
            if newest.anybody is not None and newest.anybody.may_write:
                return replace(newest, role=newest.anybody)
        return known

    def close(self, document_id: DocumentId) -> None:
        """The document has been closed."""
        self._rulings.pop(document_id, None)
        self._departed.pop(document_id, None)
        self._openers.closed(document_id)

    def leave(self, connection: ConnectionId, document_id: DocumentId, open_room: OpenRoom | None = None) -> None:
        """The connection has left. `open_room`: where something of theirs may wait, which is judged until it is durable."""
        cards = self._cards.get(connection, {})
        card = cards.pop(document_id, None)
        if not cards:
            self._cards.pop(connection, None)
        self._openers.leave(connection, document_id)
        if card is not None and open_room is not None and open_room.room.owes(connection):
            self._departed[document_id] = {**self._owed(open_room), connection: card}

    def documents(self, connection: ConnectionId) -> tuple[DocumentId, ...]:
        """The documents that the connection is in."""
        return tuple(self._cards.get(connection, ()))

    def identify(self, connection: ConnectionId, identity: Identity) -> dict[DocumentId, bool]:
        """The connection belongs to this person from now on; the documents that it is in, and whether they may do other things there."""
        cards = self._cards.get(connection, {})
        differs: dict[DocumentId, bool] = {}
        for document_id, card in cards.items():
            cards[document_id] = replace(card, identity=identity)
            differs[document_id] = _credit(card.identity) != _credit(identity)
        return differs

    async def judge(self, open_room: OpenRoom) -> None:
        """Give everybody in a room the role that the store has for them now; returns when it is done, however long the store is away."""
        document_id, pause = open_room.document_id, FIRST_PAUSE
        while not open_room.over and (cards := dict(self._cards_in(open_room))):
            try:
                identities = [card.identity for card in cards.values()]
                standing = (await self._access.standings([document_id], identities)).get(document_id)
            except ManyhandsError as error:
                log.warning("access_unread", document=document_id, reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LAST_PAUSE)
                continue
            heard = open_room.access_version
            if standing is None:
                return
            if standing.version < heard:  # it was read before the change that has been heard of meanwhile
                await asyncio.sleep(pause)
                continue
            open_room.access_version = standing.version
            self._carry_out(open_room, standing, cards)
            if standing.version == heard:
                open_room.judged_version = heard
                return
            # Nobody had heard of this version yet, so whoever joined while it was read may have
            # been judged by the one before.
        open_room.judged_version = open_room.access_version  # there was nobody to be judged

    def _carry_out(self, open_room: OpenRoom, standing: Standing, cards: dict[ConnectionId, Card]) -> None:
        present = dict(self._cards_in(open_room))
        for connection, card in cards.items():
            if present.get(connection) is not card:
                continue  # left, or joined anew and was judged then
            ruling = self._access.rule(standing, open_room.document_id, card.identity, card.link)
            if ruling is None:
                self.leave(connection, open_room.document_id)
            else:
                self._remember(open_room.document_id, card, ruling)
            role = None if ruling is None else ruling.role
            open_room.do(lambda connection=connection, role=role: open_room.room.judge(connection, role))  # type: ignore[misc]

    def _owed(self, open_room: OpenRoom) -> dict[ConnectionId, Card]:
        """The cards of who has left, as long as they are needed."""
        departed = self._departed.pop(open_room.document_id, {})
        owed = {connection: card for connection, card in departed.items() if open_room.room.owes(connection)}
        if owed:
            self._departed[open_room.document_id] = owed
        return owed

    def _cards_in(self, open_room: OpenRoom) -> Iterator[tuple[ConnectionId, Card]]:
        yield from self._owed(open_room).items()
        for session in open_room.room.people.sessions():
            card = self._cards.get(session.connection, {}).get(open_room.document_id)
            if card is not None:
                yield session.connection, card


def _credit(identity: Identity) -> tuple[object, ...]:
    """What roles follow from."""
    return identity.user.user_id, identity.email, frozenset(identity.document_roles.items())
