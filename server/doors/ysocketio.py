"""y-socket.io's protocol, for clients of its `SocketIOProvider`, in the namespaces `/yjs|{name}`.

One connection is in one document. It shares the engine of the native protocol: packets, liveness,
limits (server/doors/native/engine/). Two rules:

1. **The server asks for what the client has after it has answered.** Clients count as synced when
   they are asked.
2. **Whom coming back does not help is disconnected, and everybody else loses the connection.**
   Clients come back from the latter alone. `closed` says why; stock clients leave that to their
   application.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, assert_never, cast

from msgspec import Struct

from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.ids import ConnectionId, DocumentId
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import JoinAnswer
from crdt.protocol.requests import Guest
from server.auth.base import Credentials, Identity, unauthenticated
from server.doors.close_codes import helps_to_come_back
from server.doors.native.engine.engine_socket import EngineSocket
from server.doors.native.engine.packets import (
    YJS_NAMESPACE,
    Packets,
    ack_packets,
    disconnect_packets,
    event_packets,
)
from server.doors.reception import Reception
from server.doors.yjs_door import Cursors, Names, News, Updates, Word, YjsDoor
from server.doors.yjs_end import EXPIRED, Asked, End, Line
from server.observe import log
from server.rooms import shutting_down

MESSAGE_BYTES = 64
"""Bytes of a message beside the update in it."""

ACK_ID = "0"
"""The id under which clients answer our state vector. There is one such question at a time."""


class Recognised(Struct, frozen=True):
    """Who somebody is, and what they ask for."""

    identity: Identity
    document_id: DocumentId
    asked: Asked


class YSocketIoDoor(YjsDoor[Packets]):
    """All connections of y-socket.io's clients on this node: an Application of the engine."""

    def __init__(self, reception: Reception, names: Names) -> None:
        super().__init__(reception, names)
        self.connections: dict[ConnectionId, Connection] = {}
        self.message_bytes = reception.rooms.limits.update_bytes + MESSAGE_BYTES
        reception.sweeper.watch({}, self.connections)  # the engine's sockets are watched already

    def write(self, key: str, news: News) -> Packets:
        match news:
            case Updates(updates):
                events = [event_packets("sync-update", [update], key) for update in updates]
                return Packets([packet for packets in events for packet in packets])
            case Cursors(content):
                return event_packets("awareness-update", [content], key)
            case Word():
                return Packets([])
            case _:
                assert_never(news)

    # The application of the engine.

    async def recognise(self, socket: EngineSocket, payload: object) -> Recognised:
        """Find out who this is, and which document they ask for; raises ManyhandsError."""
        if self.draining:
            raise shutting_down()
        asked = Asked.of(payload if isinstance(payload, dict) else {})
        credentials = Credentials(socket.take_cookie(), asked.token, Guest())
        identity = await self.reception.authenticator.identify(credentials)
        name = socket.namespace.removeprefix(YJS_NAMESPACE)
        return Recognised(identity, await self.names.find(name, identity, socket.address), asked)

    def connected(self, connection_id: ConnectionId, socket: EngineSocket, known: Recognised) -> "Connection":
        """Let somebody in; raises ProtocolError."""
        self.reception.users.enter(known.identity.user.user_id)
        connection = self.connections[connection_id] = Connection(self, connection_id, socket, known)
        self.reception.sweeper.start()
        return connection

    async def received(self, connection_id: ConnectionId, ack_id: int | None, event: list[Any]) -> None:
        """Act on an event; never raises."""
        connection = self.connections[connection_id]
        try:
            await connection.act(ack_id, event)
        except ManyhandsError as refusal:
            connection.end.refuse_all(refusal)
        except Exception:  # noqa: BLE001 - a bug of ours costs one connection
            log.exception("event_failed", kind="y-socket.io")
            connection.end.refuse_all(InvariantError("The server made a mistake."))

    def disconnected(self, connection_id: ConnectionId) -> None:
        """Take somebody out."""
        connection = self.connections.pop(connection_id)
        self.reception.users.leave(connection.person)
        connection.end.leave()

    # Lifetime.

    def drain(self, spread_ms: int) -> None:
        """Let nobody in any more, and send everybody away, each at a moment within this time."""
        self.draining = True
        loop, refusal = asyncio.get_running_loop(), shutting_down()
        for turn, connection in enumerate(self.connections.values()):
            loop.call_later(spread_ms / 1000 * turn / len(self.connections), connection.end.refuse_all, refusal)


class Connection(Line[Packets]):
    """One client's connection: the line of its end."""

    socket: EngineSocket

    def __init__(
        self, door: YSocketIoDoor, connection_id: ConnectionId, socket: EngineSocket, known: Recognised
    ) -> None:
        reception, identity = door.reception, known.identity
        super().__init__(socket, reception)
        # Updates travel whole here, and come back to their author whole.
        socket.backlog_bytes += reception.rooms.limits.update_bytes
        self.connection_id = connection_id
        self.person = identity.user.user_id
        self.account = reception.account(identity, socket.address)
        self.end = YSocketIoEnd(door, self, known.document_id, identity, known.asked, socket.namespace)
        self._hot = f'451-{socket.namespace},["sync-update",{{"_placeholder":true,"num":0}}]'.encode()

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Take an update now, as stock clients write it. Return False if it has to wait."""
        if text != self._hot or attachment is None or not self.rates.admit_update_now(len(attachment)):
            return False
        try:
            return self.end.receive_now(attachment)
        except Exception as error:  # noqa: BLE001 - a bug of ours costs one connection
            known = error if isinstance(error, ManyhandsError) else InvariantError("The server made a mistake.")
            log.error("event_failed", kind="y-socket.io", exc_info=error) if known is not error else None
            self.end.refuse_all(known)
            return True

    async def act(self, ack_id: int | None, event: list[Any]) -> None:
        """Act on an event; raises ManyhandsError."""
        match event:
            case ["sync-step-1", bytes(state_vector), *_] if ack_id is not None:
                self.end.asked_under = ack_id
                await self.end.join(state_vector)
            case ["sync-update", bytes(update), *_]:
                await self.end.take(update, is_answer=False)
            case ["", bytes(update), *_]:
                await self.end.take(update, is_answer=True)
            case ["awareness-update", bytes(states), *_]:
                self.end.show(y.read_states(states))
            case _:
                raise ProtocolError(Code.UNKNOWN_EVENT, "This is no event of y-socket.io.")


class YSocketIoEnd(End[Packets]):
    """One client in its document. Its key is its namespace."""

    line: Connection
    asked_under = 0
    """The id under which the client has asked for what it lacks."""

    _expiry: asyncio.TimerHandle | None = None

    def __init__(
        self,
        door: YSocketIoDoor,
        line: Connection,
        document_id: DocumentId,
        identity: Identity,
        asked: Asked,
        key: str,
    ) -> None:
        super().__init__(door, line, document_id, identity, asked, key)
        if identity.expires_at is not None:
            seconds = max(0.0, identity.expires_at - door.reception.now())
            self._expiry = asyncio.get_running_loop().call_later(seconds, self.refuse_all, unauthenticated(EXPIRED))

    # What the client says.

    async def take(self, update: bytes, *, is_answer: bool) -> None:
        """Take changes.

        Those that a client has kept while it was away come before it has joined, and come again by
        its answer to our state vector.
        """
        if self.seat_here is not None:
            await self.receive(update, is_answer=is_answer)

    def receive_now(self, update: bytes) -> bool:
        """Take what was just written, if it need not wait."""
        seat = self.seat_here
        if seat is None or not seat.may_send or update == y.EMPTY_UPDATE:
            return False
        return seat.receive_now(encode_batch([update]), self.request_of(update, is_answer=False))

    # What the client is told.

    async def welcome(self, answer: JoinAnswer, parts: Iterable[bytes]) -> None:
        if answer.missing is not None:
            self.push(ack_packets(self.asked_under, answer.missing, self.key))
        else:
            text, _ = ack_packets(self.asked_under, b"", self.key)
            await self.line.socket.push_long(cast(str, text.data), parts)
        self._ask(answer.state_vector)

    def ask_again(self) -> None:
        self._ask(b"\0")

    def _ask(self, state_vector: bytes) -> None:
        self.push(event_packets("sync-step-1", [state_vector], self.key, ACK_ID))

    def deny(self, refusal: ProtocolError) -> None:
        """Say it in the log. The protocol has no word for it."""
        self.line.complain(refusal)

    def close(self, code: Code, sentence: str) -> None:
        self.push(event_packets("closed", [{"code": code.value, "message": sentence}], self.key))
        if not helps_to_come_back(code):
            self.push(disconnect_packets(self.key))
        self.leave()
        self.line.socket.end()

    def leave(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        super().leave()
