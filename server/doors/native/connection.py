"""Connections of browsers: what the gateway keeps of each, their rates, and the ways to many."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from msgspec import Struct, field

from crdt.budget import Account
from crdt.errors import Code, ManyhandsError, ProtocolError
from crdt.ids import ConnectionId, DocumentId, Seq
from crdt.protocol import requests
from crdt.protocol.frames import UpdateFrame, write_update
from crdt.protocol.frames import read_update as read_frame
from crdt.protocol.messages import Refused, Request, ServerMessage, UpdateMessage, encode_answer
from server.auth.base import Identity
from server.doors.entrance import Complaints, next_arrival
from server.doors.native.engine.engine_socket import EngineSocket
from server.doors.native.engine.packets import BadFrame, StrictPacket, ack_packets, message_packets
from server.doors.native.lane.outlet import Outlet, encode_frame, write_to_all
from server.doors.rates import ConnectionRates
from server.rooms import Circle, Seat

Refuse = Callable[["Connection", int | None, list[Any], Exception], None]
"""Answers an event that failed.

Arguments: the connection, the ack's id if an ack is awaited, the event, and what went wrong.
"""


OURS = frozenset({Code.DRAINING, Code.UNAVAILABLE, Code.INTERNAL})
"""Refusals for which the peer did nothing, and whose cause has a line of its own in the log."""


class NativeDoor:
    """The native protocol as rooms see it.

    `backlog_bytes`: past this backlog a connection falls behind.
    """

    def __init__(self, backlog_bytes: int, refuse: Refuse, complaints: Complaints) -> None:
        self._backlog_bytes = backlog_bytes
        self.refuse = refuse
        self._complaints = complaints

    def complain(self, socket: EngineSocket, code: Code, reason: str) -> None:
        """Say in the log why a peer was refused, once for each kind."""
        if code not in OURS:
            self._complaints.note(code.value, socket.address, socket.told, reason)

    def say(self, circle: Circle, document_id: DocumentId, message: ServerMessage, but: Seat | None) -> Sequence[Seat]:
        """Say the same to many, encoded once; never waits.

        Return the seats whose backlog has passed its limit.
        """
        audience = circle.found
        if not isinstance(audience, Audience):
            audience = circle.found = Audience(circle.seats)
        limit, slow = self._backlog_bytes, []
        for protocol, lanes in audience.in_lanes.items():
            slow += audience.send(lanes, frames_of(document_id, message, protocol), limit, but)
        for protocol, seats in audience.others.items():
            packets = message_packets(document_id, message, protocol)
            others = [seat for seat in seats if seat is not but]
            slow += [seat for seat in others if cast(Connection, seat.ears).socket.push(packets) > limit]
        return slow


class Audience:
    """The people of a circle, by protocol: outlets of the fast lane, and sockets without a lane.

    An audience is found once, and serves all that is said to the circle.
    """

    def __init__(self, seats: Sequence[Seat]) -> None:
        self.in_lanes: dict[int, dict[Outlet, Seat]] = {}
        self.others: dict[int, list[Seat]] = {}
        for seat in seats:
            connection = cast(Connection, seat.ears)
            socket = connection.socket
            if connection.gone:
                continue
            if socket.lane is None:
                self.others.setdefault(socket.protocol, []).append(seat)
            else:
                self.in_lanes.setdefault(socket.protocol, {})[socket.lane.outlet] = seat

    def send(self, lanes: Mapping[Outlet, Seat], frames: bytes, limit: int, but: Seat | None) -> list[Seat]:
        """Send the same to lanes, except perhaps to one; never waits.

        Return the seats whose backlog has passed the limit.
        """
        authors_lane = None if but is None else cast(Connection, but.ears).socket.lane
        but_outlet = None if authors_lane is None else authors_lane.outlet
        slow = []
        for outlet in write_to_all(lanes, frames, limit, but_outlet):
            seat = lanes[outlet]
            socket = cast(Connection, seat.ears).socket
            if socket.bounded(socket.backlog) > limit:
                slow.append(seat)
        return slow


class Connection(Struct, eq=False):
    """One browser connection between its CONNECT and its end.

    Attributes:
        account: pays for what the connection makes us hold.
        seats: by document. A room that shows somebody out says so to `dismissed`.
        expiry: waits for the end of the identity; `expired` is true after it.
        gone: the connection has ended.
    """

    connection_id: ConnectionId
    door: NativeDoor
    socket: EngineSocket
    identity: Identity
    account: Account
    uploads: requests.Uploads
    rates: ConnectionRates
    seats: dict[DocumentId, Seat] = field(default_factory=dict)
    strikes: int = 0
    expiry: asyncio.TimerHandle | None = None
    expired: bool = False
    gone: bool = False
    agent_for: str | None = None
    arrival: int = field(default_factory=next_arrival)

    async def admit(self, request: requests.ClientRequest, *, answered: bool) -> None:
        """Let a request through, now or in its turn; raises ProtocolError(rate_limited).

        A request that is answered with a part of a document waits until this connection has taken
        the part before. So a peer that does not read has one answer waiting, not as many as it
        asked for.
        """
        await self.rates.admit(request, answered=answered)
        if isinstance(request, requests.Fetch | requests.Join):
            await self.socket.until_taken()

    # Hot messages.

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Act on a hot message.

        Return False, without any change, if the message has to wait or is refused for its rate.
        """
        if attachment is None:
            presence = read_presence(text)
            return presence is not None and self._hear_presence(*presence)
        update = read_update(text, attachment) if text else self._read_frame(attachment)
        if update is None:
            return False
        ack_id, document_id, after, batch = update
        seat = self.seats.get(document_id)
        if seat is None or self.expired or not self.rates.admit_update_now(len(batch)):
            return False
        try:
            return seat.receive_now(batch, Request(ack_id), after)
        except Exception as error:  # noqa: BLE001 - a bug of ours costs one answer, not the connection
            self.door.refuse(self, ack_id, ["update", document_id, batch], error)
            return True

    def _read_frame(self, frame: bytes) -> UpdateFrame | None:
        if self.socket.protocol == 1:
            return None
        try:
            return read_frame(frame)
        except ProtocolError:
            return None

    def _hear_presence(self, ack_id: int | None, event: list[Any]) -> bool:
        try:
            request = requests.decode_request(event[0], event[1:])
        except ManyhandsError:
            return False
        if not isinstance(request, requests.Presence) or self.expired or not self.rates.admit_presence_now():
            return False
        try:
            self.seat_in(request.document_id).moves(request.state)
            if ack_id is not None:
                self.socket.push(ack_packets(ack_id, {}))
        except Exception as error:  # noqa: BLE001 - as in `hear`
            self.door.refuse(self, ack_id, event, error)
        return True

    # Seats.

    def seat_in(self, document_id: DocumentId) -> Seat:
        """Return the seat in a document; raises ProtocolError(not_joined)."""
        seat = self.seats.get(document_id)
        if seat is None:
            raise ProtocolError(Code.NOT_JOINED, "Join the document first.")
        return seat

    def seat(self, document_id: DocumentId) -> Seat | None:
        """Return the seat in a document, if there is one."""
        return self.seats.get(document_id)

    def sits_down(self, seat: Seat) -> None:
        """Note that the connection is in a document from now on, or is so again."""
        self.seats[seat.document_id] = seat
        self.uploads.forget(seat.document_id)

    def dismissed(self, seat: Seat) -> None:
        """Forget a seat that is free."""
        if self.seats.get(seat.document_id) is seat:
            del self.seats[seat.document_id]
            self.uploads.forget(seat.document_id)

    def leave(self, document_id: DocumentId) -> None:
        """Leave a document, if the connection is in it."""
        seat = self.seats.get(document_id)
        if seat is not None:
            seat.leave()
            self.dismissed(seat)

    # What a seat is told.

    def say(self, document_id: DocumentId, message: ServerMessage) -> None:
        """Say something to this connection alone."""
        self.socket.push(message_packets(document_id, message, self.socket.protocol))

    def acknowledge(self, asked: Sequence[Request], seq: Seq) -> None:
        """Ack updates, or last parts of uploads."""
        self.socket.push_texts([saved_text(cast(int, request), seq) for request in asked])

    def refuse(self, request: Request, refused: Refused) -> None:
        """Ack an update, or the last part of an upload, with its refusal."""
        self.socket.push(ack_packets(cast(int, request), encode_answer(refused)))
        self.door.complain(self.socket, refused.code, refused.message)

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by this connection; 0 when it is gone."""
        return 0 if self.gone else self.socket.backlog

    def abort(self) -> None:
        """Cut the connection, whatever waits for it."""
        self.socket.end(cut=True)


# The two hot events, as Socket.IO's clients write them into an Engine.IO message. A message that
# does not match goes the ordinary way. These functions read exactly what StrictPacket would read.

_HOT_UPDATE = re.compile(
    rb'451-([0-9]{1,15})\["update","([\w-]{8,64})",(?:(0|[1-9][0-9]{0,14}),)?\{"_placeholder":true,"num":0\}\]',
    re.ASCII,
)
_HOT_PRESENCE = re.compile(rb'42[0-9]{0,15}\["presence",')


def read_update(text: bytes, batch: bytes) -> UpdateFrame | None:
    """Return an update that wants an ack; None for anything else."""
    found = _HOT_UPDATE.fullmatch(text)
    if found is None:
        return None
    after = None if found[3] is None else Seq(int(found[3]))
    return UpdateFrame(int(found[1]), DocumentId(found[2].decode()), after, batch)


def read_presence(text: bytes) -> tuple[int | None, list[Any]] | None:
    """Return the ack's id, if any, and a presence event; None for anything else."""
    if _HOT_PRESENCE.match(text) is None:
        return None
    try:
        packet = StrictPacket(encoded_packet=text[1:].decode())
    except (BadFrame, UnicodeDecodeError):
        return None
    return packet.id, packet.data


# The two hot messages to clients. Neither an id nor a number needs escaping.


def frames_of(document_id: DocumentId, message: ServerMessage, protocol: int = 1) -> bytes:
    """Encode what a room says as WebSocket frames."""
    if not isinstance(message, UpdateMessage) or message.heirs:
        return message_packets(document_id, message, protocol).frames
    if protocol > 1:
        return encode_frame(write_update(document_id, message.seq, message.batch))
    text = f'451-["update","{document_id}",{message.seq},{{"_placeholder":true,"num":0}}]'
    return encode_frame(text) + encode_frame(message.batch)


def saved_text(ack_id: int, seq: Seq) -> str:
    """Write the ack of a durable edit, which is as hot as edits are.

    The ack is one text without anything to escape.
    """
    return f'3{ack_id}[{{"seq":{seq}}}]'
