"""What sessions send, until it waits for the store: who may write, what the gate says of it, whose the client ids are.

A batch is taken whole or not at all. A large one is judged in slices, with pauses in which others
get their turn; until it is judged no other batch of the document may be, but rows of other nodes
may come.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.gate.admission import Admission, MayWrite, check_fits
from crdt.ids import ClientId, ConnectionId
from crdt.protocol.messages import ClosedMessage, Limits, Refused, Request
from crdt.room.effects import Effect, Refuse
from crdt.room.outbox import DAMAGED, SET_ASIDE, Entry, Outbox
from crdt.room.session import Session
from crdt.yjs.reader import Inspected

if TYPE_CHECKING:
    from crdt.room.room import Room


class Intake:
    """One room's."""

    def __init__(self, room: "Room", outbox: Outbox, limits: Limits) -> None:
        self._room = room
        self._outbox = outbox
        self._limits = limits

    def receive(self, connection: ConnectionId, updates: Sequence[Inspected], request: Request | None) -> list[Effect]:
        """Take one batch of a session, in the order in which the session sent it.

        A refusal comes back as an answer when one is awaited, else as the end of the session;
        nothing has changed then. Raises only ProtocolError(too_costly): have the engine measured
        with it, then say so to `receive_in_slices`.
        """
        try:
            return self.admit(self._entry(connection, updates, request))
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY:
                raise
            return self.refuse(connection, request, self._outbox.weigh(connection, refusal))

    def receive_in_slices(
        self, connection: ConnectionId, updates: Sequence[Inspected], request: Request | None, *, measured: bool
    ) -> Generator[None, None, list[Effect]]:
        """The same with pauses, in which no other batch may be received, and after which its author must still be one who may write."""
        try:
            replica, entry = self._room.replica, self._entry(connection, updates, request, measured=measured)
            own, may_write = entry.author.client_id, self._may_write(entry)
            slices = replica.admit_in_slices(entry.updates, may_write, own, measured=measured)
            admission = yield from _still_allowed(slices, lambda: self.may_write(connection, entry.size, updates))
            if replica is not self._room.replica:
                raise Unavailable("The document was read again meanwhile. Send it again.")
            return self._admitted(entry, admission)
        except ManyhandsError as refusal:
            if refusal.code is Code.TOO_COSTLY and not measured:
                raise
            return self.refuse(connection, request, self._outbox.weigh(connection, refusal))

    def _entry(
        self,
        connection: ConnectionId,
        updates: Sequence[Inspected],
        request: Request | None,
        *,
        measured: bool = False,
    ) -> Entry:
        size = sum([len(update.raw) for update in updates])
        session = self.may_write(connection, size, updates)
        if not session.begun:
            self._room.people.begin(session, known=session.client_id in self._room.replica.clocks)
        contributor = session.contributor
        return Entry(connection, request, tuple(updates), session.author, contributor, size=size, measured=measured)

    def _may_write(self, entry: Entry) -> MayWrite:
        authors, by = self._room.people.authors, entry.author
        return lambda client: authors.allows(ClientId(client), by)

    def refuse(self, connection: ConnectionId, request: Request | None, refused: Refused) -> list[Effect]:
        """Refuse a batch, here or because it did not even come this far."""
        if request is not None:
            return [Refuse(connection, request, refused)]
        if refused.code is Code.NOT_JOINED:
            return []
        return self._room.people.remove(connection, ClosedMessage(refused.code, refused.message))

    def admit(self, entry: Entry) -> list[Effect]:
        """Have the gate judge a batch, and let it wait for the store; raises ManyhandsError."""
        updates, own = entry.updates or entry.repeated, entry.author.client_id
        return self._admitted(
            entry, self._room.replica.admit(updates, self._may_write(entry), own, measured=entry.measured)
        )

    def _admitted(self, entry: Entry, admission: Admission) -> list[Effect]:
        if not admission.news and self._room.replica.is_set_aside(entry.updates or entry.repeated):
            raise ProtocolError(Code.BAD_UPDATE, SET_ASIDE)
        return self._outbox.take_admitted(entry, admission, self._room.people.authors, self._room.seq)

    def may_write(self, connection: ConnectionId, size: int = 0, updates: Sequence[Inspected] = ()) -> Session:
        """Who writes; raises what so many bytes from them would be refused with now, also before much is sent in parts. Changes nothing."""
        session = self._room.people.session(connection)
        if self._room.quarantined is not None:
            raise ProtocolError(Code.QUARANTINED, DAMAGED)
        session.must_write()
        self._room.info.check_change()
        if self._outbox.bytes + size > self._limits.waiting_bytes:
            raise Unavailable("The store does not answer. Keep the change and send it again later.")
        if self._room.size + size > self._limits.document_bytes:
            check_fits(updates, self._room.size + size, self._limits.document_bytes)
        return session


def _still_allowed(
    slices: Generator[None, None, Admission], ask: Callable[[], object]
) -> Generator[None, None, Admission]:
    """Judge on after each pause only if `ask`, which raises, still allows it; otherwise nothing has changed."""
    with closing(slices):
        while True:
            try:
                next(slices)
            except StopIteration as judged:
                admission: Admission = judged.value
                return admission
            yield
            ask()
