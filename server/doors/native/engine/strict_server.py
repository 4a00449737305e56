"""Socket.IO server on top of the engine: connections, and whole events out of packets.

python-socketio keeps the connections. Whatever a stranger can reach of it is replaced: the way
messages come in, the way connections end, and the time without CONNECT.
"""

import asyncio
import logging
from typing import Any, Protocol

import socketio
from socketio import packet as socketio_packet

from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.ids import ConnectionId
from crdt.protocol.answers import encode_error
from server.auth.base import Identity
from server.doors.native.engine.complaints import Complaints
from server.doors.native.engine.engine import Engine
from server.doors.native.engine.engine_socket import EngineSocket, Inside
from server.doors.native.engine.entrance import Entrance
from server.doors.native.engine.frames import BadFrame, StrictPacket
from server.doors.native.engine.origins import Origins
from server.doors.native.engine.outgoing import connected_packets
from server.doors.native.limits import GatewayLimits
from server.observe import log

NAMESPACE = "/"

_library_log = logging.getLogger("manyhands.socketio")
_library_log.setLevel(logging.ERROR)
"""The log of the two libraries. Below errors they write session ids and content."""


class Application(Protocol):
    """The application that the connections speak to."""

    async def recognise(self, socket: EngineSocket, payload: object) -> Identity:
        """Find out who says CONNECT. Whatever is raised refuses them.

        They may be gone when this returns.
        """

    def connected(self, connection_id: ConnectionId, socket: EngineSocket, identity: Identity) -> Inside:
        """Let them in. Whatever is raised refuses them."""

    async def received(self, connection_id: ConnectionId, ack_id: int | None, event: list[Any]) -> None:
        """Act on an event, name first. Raises nothing.

        While this waits, the connection's next event waits as well.
        """

    def disconnected(self, connection_id: ConnectionId) -> None:
        """Take note that a connection that `connected` accepted is over. Called once."""


class StrictServer(socketio.AsyncServer):  # type: ignore[misc]
    """The engine's listener. Tells an Application of connections and events."""

    eio: Engine

    def __init__(
        self,
        application: Application,
        limits: GatewayLimits,
        origins: Origins,
        *,
        message_bytes: int,
        backlog_bytes: int,
    ) -> None:
        super().__init__(
            async_mode="asgi",
            logger=_library_log,
            engineio_logger=_library_log,
            async_handlers=False,
            serializer=StrictPacket,
            cors_allowed_origins=origins.allow,
            cors_credentials=False,
            http_compression=False,
            max_http_buffer_size=message_bytes,
            monitor_clients=False,
            ping_interval=limits.ping_interval,
            ping_timeout=limits.ping_timeout,
        )
        self.eio.listener = self
        self.eio.backlog_bytes = backlog_bytes
        self._application = application
        self._limits = limits
        self.entrance = Entrance(limits)
        self.complaints = Complaints()
        self._connect_timers: dict[str, asyncio.TimerHandle] = {}

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    # The engine's listener

    def opened(self, socket: EngineSocket) -> bool:
        """Let a handshake wait for its CONNECT, for a while."""
        if not self.entrance.knock(socket.address):
            self.complaints.note("too many handshakes", socket.address, socket.told)
            return False
        self._expect_connect(socket)
        return True

    async def received(self, socket: EngineSocket, data: str | bytes) -> None:
        """Put packets and attachments together and act on what is whole; raises BadFrame."""
        packet, socket.half = socket.half, None
        if packet is None:
            packet = StrictPacket(encoded_packet=data) if data else None
            if packet is None or isinstance(data, bytes):
                raise BadFrame("an attachment that no event announced")
            if packet.attachment_count:
                socket.half = packet
                return
        elif isinstance(data, bytes):
            packet.add_attachment(data)
        else:
            raise BadFrame("an event's attachment is missing")
        await self._act(socket, packet)

    def bad_frame(self, socket: EngineSocket, bad: BadFrame) -> None:
        self.complaints.note(bad.message, socket.address, socket.told)

    def ended(self, socket: EngineSocket) -> None:
        """Forget everything about a socket."""
        was_inside = self._leave(socket)
        self._stop_timer(socket)
        socket.half = None
        self.entrance.leave(socket.address, was_inside=was_inside)

    # Connections

    async def _act(self, socket: EngineSocket, packet: StrictPacket) -> None:
        match packet.packet_type:
            case socketio_packet.CONNECT:
                if self.manager.sid_from_eio_sid(socket.sid, NAMESPACE) is not None:
                    raise BadFrame("a second CONNECT")
                await self._greet(socket, packet)
            case socketio_packet.DISCONNECT:
                if self._leave(socket):
                    self.entrance.step_out(socket.address)
                    self._expect_connect(socket)
            case _:
                if socket.inside is None:
                    raise BadFrame("an event before CONNECT")
                await self._application.received(socket.inside.connection_id, packet.id, packet.data)

    async def _greet(self, socket: EngineSocket, packet: StrictPacket) -> None:
        """Answer a CONNECT as python-socketio does, but without its way to a handler and back.

        That way is a third of the whole work.
        """
        if packet.namespace not in (None, NAMESPACE):
            self.complaints.note("another namespace", socket.address, socket.told)
            await self._turn_away(
                socket, ProtocolError(Code.MALFORMED, "Connect to the namespace /."), packet.namespace
            )
            return
        sid = await self.manager.pre_connect(socket.sid, NAMESPACE)
        try:
            await self._accept(ConnectionId(sid), socket, packet.data or None)
        except ManyhandsError as refusal:
            await self._turn_away(socket, refusal)
            self.manager.basic_disconnect(sid, NAMESPACE)
        except asyncio.CancelledError:
            self.manager.basic_disconnect(sid, NAMESPACE)
            raise
        else:
            socket.push(connected_packets(sid))
            await self.manager.connect(sid, NAMESPACE)

    async def _turn_away(self, socket: EngineSocket, refusal: ManyhandsError, namespace: str | None = None) -> None:
        reason = {"message": refusal.outward, "data": encode_error(refusal)["error"]}
        await self._send_packet(
            socket.sid, self.packet_class(socketio_packet.CONNECT_ERROR, reason, namespace=namespace)
        )

    async def _accept(self, connection_id: ConnectionId, socket: EngineSocket, payload: object) -> None:
        """Let a connection in.

        Whatever goes wrong is a refusal. Otherwise a half-made connection would be kept for good.
        While the authenticator is asked, the connection waits at the entrance: it may end, or its
        time may run out.
        """
        try:
            identity = await self._application.recognise(socket, payload)
            if socket.closed:
                raise ProtocolError(Code.DRAINING, "The connection has ended.")
            self.entrance.enter(socket.address)
            self._connect(connection_id, socket, identity)
        except ManyhandsError:
            raise
        except Exception as error:
            log.exception("event_failed", kind="connect")
            raise InvariantError("The server made a mistake. It has been logged.") from error
        self._stop_timer(socket)
        socket.bound_messages(self.eio.max_http_buffer_size)

    def _connect(self, connection_id: ConnectionId, socket: EngineSocket, identity: Identity) -> None:
        try:
            socket.inside = self._application.connected(connection_id, socket, identity)
        except BaseException:
            self.entrance.step_out(socket.address)
            raise

    def _leave(self, socket: EngineSocket) -> bool:
        """Take a socket's connection out, if it has one that was let in."""
        inside, socket.inside = socket.inside, None
        if inside is None:
            return False
        self.manager.basic_disconnect(inside.connection_id, NAMESPACE)
        self._application.disconnected(inside.connection_id)
        return True

    def _expect_connect(self, socket: EngineSocket) -> None:
        socket.bound_messages(self._limits.greeting_bytes)
        expire = asyncio.get_running_loop().call_later
        self._connect_timers[socket.sid] = expire(self._limits.connect_seconds, self._give_up, socket)

    def _give_up(self, socket: EngineSocket) -> None:
        self.complaints.note("no CONNECT in time", socket.address, socket.told)
        socket.end(cut=True)

    def _stop_timer(self, socket: EngineSocket) -> None:
        timer = self._connect_timers.pop(socket.sid, None)
        if timer is not None:
            timer.cancel()
