"""One browser connection: what the gateway keeps of it, and the ears of everybody who sits behind it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from crdt.budget import Account
from crdt.errors import InvariantError
from crdt.ids import ConnectionId, DocumentId, Seq
from crdt.protocol.answers import encode_answer
from crdt.protocol.messages import Refused, Request, User
from crdt.protocol.requests import ClientRequest, Fetch, Join
from crdt.protocol.uploads import Uploads
from server.auth.base import Identity
from server.doors.native.engine.engine_socket import EngineSocket
from server.doors.native.engine.outgoing import ack_packets, saved_text
from server.doors.native.lane.hold import Holds
from server.doors.native.rates import ConnectionRates
from server.rooms import Door, Seat


@dataclass(slots=True, eq=False)
class Connection:
    """One browser connection between its CONNECT and its end.

    Attributes:
        account: pays for what the connection makes us hold.
        seats: by document; the room shows out whoever may not stay, and says so to `dismissed`.
        expiry: waits for the end of the identity; `expired` is after it.
        gone: the connection has ended.
    """

    connection_id: ConnectionId
    door: Door
    socket: EngineSocket
    identity: Identity
    account: Account
    uploads: Uploads
    rates: ConnectionRates
    holds: Holds
    seats: dict[DocumentId, Seat] = field(default_factory=dict)
    strikes: int = 0
    expiry: asyncio.TimerHandle | None = None
    expired: bool = False
    gone: bool = False
    agent_for: str | None = None

    @property
    def user(self) -> User:
        """The person as others see them."""
        return self.identity.user

    async def admit(self, request: ClientRequest, *, answered: bool) -> None:
        """Let a request through, now or after its turn has come; raises ProtocolError(rate_limited).

        One that is answered with a part of a document waits until this connection has taken the one
        before: so the answers that wait for a peer who does not read are one, and not as many as
        were asked for.
        """
        await self.rates.admit(request, answered=answered)
        if isinstance(request, Fetch | Join):
            await self.socket.until_taken()

    # Seats.

    def seat(self, document_id: DocumentId) -> Seat | None:
        """The seat in a document, if there is one."""
        return self.seats.get(document_id)

    def sits_down(self, seat: Seat) -> None:
        """The connection is in a document from now on, or is so again."""
        self.seats[seat.document_id] = seat
        self.holds.assign(self.socket.lane, self.seats)
        self.uploads.forget(seat.document_id)

    def dismissed(self, seat: Seat) -> None:
        """The seat is free."""
        if self.seats.get(seat.document_id) is seat:
            del self.seats[seat.document_id]
            self.uploads.forget(seat.document_id)
            # In a turn of its own: what was held would be read in the middle of what the room is
            # about to do.
            asyncio.get_running_loop().call_soon(self.holds.assign, self.socket.lane, self.seats)

    def leave(self, document_id: DocumentId) -> None:
        """Leave a document, if the connection is in it."""
        seat = self.seats.get(document_id)
        if seat is not None:
            seat.leave()
            self.dismissed(seat)

    # What a seat hears.

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        """Ack updates, or last parts of uploads."""
        self.socket.push_texts([saved_text(_ack_id(request), seq) for request in requests])

    def refuse(self, request: Request, refused: Refused) -> None:
        """Ack an update, or the last part of an upload, with its refusal."""
        self.socket.push(ack_packets(_ack_id(request), encode_answer(refused)))

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by this connection; 0 when it is gone."""
        return 0 if self.gone else self.socket.backlog

    def abort(self) -> None:
        """Cut the connection, whatever waits for it."""
        self.socket.end(cut=True)


def _ack_id(request: Request) -> int:
    if not isinstance(request, int):
        raise InvariantError("A request that the gateway did not make.")
    return request
