"""Sockets of Engine.IO, made to withstand their peers: WebSocket and long-polling.

Each has a queue that is accounted for. Four rules, which engineio's own sockets do not keep:

1. **A bad frame ends the connection at once**, and what the peer sent behind it is not looked at.
2. **An end is told once**, on the next turn of the loop (never from inside a call that sends), and
   leaves nothing behind.
3. **An end cuts the TCP connection.** A peer that does not read cannot hold a writer, a queue or a
   shutdown open. engineio only queues a packet behind the backlog.
4. **What is queued is counted** until the kernel has it, whatever holds it meanwhile.

The TCP transport is found behind the ASGI `send` that uvicorn passes in. If an application wraps
`send`, rule 3 is weaker: a cut ends the ASGI call, and the server's own time-outs do the rest.
Where uvicorn runs with a fast lane (fast_lane.py), frames go straight to that transport, in the
order of `push`. The queue then stays empty.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from engineio import packet as engine_packet
from engineio.async_drivers.asgi import WebSocket
from engineio.async_socket import AsyncSocket

from crdt.ids import ConnectionId
from server.doors.native.engine.packets import (
    NAMESPACE,
    BadFrame,
    PacketQueue,
    Packets,
    SharedPacket,
    check_frame,
    encode_frames,
    packet_bytes,
    split_payload,
)
from server.doors.native.lane.fast_lane import FastLane, lane_of
from server.doors.native.lane.outlet import encode_frame, write_in_parts
from server.observe import log

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
"""The three types of ASGI."""

Environ = MutableMapping[str, Any]
"""What engineio makes of an ASGI scope, in the words of WSGI."""

WRITE_BYTES = 256 * 2**10
"""Queued bytes taken at once, for one long-polling response or one round of writing."""

TAKEN_CHECK = 0.05
"""Seconds between looks at what waits for a peer that asks for more before it has taken that."""

GRACE_SECONDS = 2.0
"""Seconds for the last packets to leave when a connection ends in good order."""

BODY_SECONDS = 30.0
"""Seconds for one long-polling payload to arrive."""


class Inside(Protocol):
    """The application's end of a socket, from a CONNECT that was accepted to the end."""

    connection_id: ConnectionId

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Act on a hot message now; never raises.

        Return False if nothing has happened, and the message goes the ordinary way.
        """


class EngineSocket(AsyncSocket):  # type: ignore[misc]
    """The lower half of one connection. `address` is the peer's IP address."""

    queue: PacketQueue
    closed: bool
    connected: bool
    protocol = 1
    """The version of the native protocol that the last CONNECT agreed on."""
    greeting = False
    """The listener's: whether a CONNECT is being answered."""

    def __init__(self, server: Any, sid: str, address: str, cookie: str | None = None) -> None:
        super().__init__(server, sid)
        self.address = address
        self._cookie = cookie
        self.told: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._pinged_at: float | None = None
        self._in_flight = 0
        self.polling = self._posting = False
        self._message_bytes = 0  # until it is opened
        self._reader: Any = None
        self._protocol: Any = None
        self._ws: WebSocket | None = None
        self._writer: asyncio.Future[None] | None = None
        self.lane: FastLane | None = None
        """The lane for everything that is sent, once this is a WebSocket with a lane."""
        self._listening = False
        self.inside: Inside | None = None
        """The application's end, from an accepted CONNECT to the socket's end."""
        self.namespace = NAMESPACE
        """The namespace of the last CONNECT."""
        self._held: list[bytes] | None = None
        """Frames behind a long message that is being written."""
        self.backlog_bytes = server.backlog_bytes
        """Most bytes that may wait here. The application may allow more."""
        self.half: Any = None
        """The listener's: an event whose attachment is still to come."""

    def bound_messages(self, most_bytes: int) -> None:
        """Take no longer message from now on, nor keep what has come of one.

        uvicorn's protocol puts a message's frames together, and is told the bound.
        """
        self._message_bytes = most_bytes
        if hasattr(self._reader, "max_message_size"):
            self._reader.max_message_size = most_bytes

    def take_cookie(self) -> str | None:
        """Return the session cookie, once, and keep nothing of it.

        Who it belongs to is found out at CONNECT.
        """
        cookie, self._cookie = self._cookie, None
        return cookie

    # Sending

    def push(self, packets: tuple[engine_packet.Packet, ...]) -> int:
        """Send packets that belong together, or queue them; never waits.

        A socket that has ended takes nothing. Return the backlog, 0 if the socket has ended.
        """
        if self.closed:
            return 0
        if self.lane is None:
            for packet in packets:
                self.queue.put_nowait(packet)
            return self.bounded(self.backlog)
        frames = packets.frames if isinstance(packets, Packets) else encode_frames(packets)
        if self._held is not None:
            self._held.append(frames)
            return self.bounded(self.backlog)
        return self.bounded(self.lane.outlet.write(frames))

    async def push_long(self, text: str, parts: Iterable[bytes]) -> None:
        """Push a text and its one attachment in parts, as the peer takes them.

        What is pushed meanwhile comes behind. Without a lane the attachment is queued whole.
        """
        if self.lane is None:
            self.push((SharedPacket(text), SharedPacket(b"".join(parts))))
            return
        write, self._held = self.lane.outlet.write, []
        write(encode_frame("4" + text))
        await write_in_parts(write, b"", parts, self._is_taken)
        if not self.closed:
            held, self._held = self._held, None
            write(b"".join(held))

    def bounded(self, backlog: int) -> int:
        """Return the backlog. If it is above its bound, cut the connection and return 0."""
        if backlog <= self.backlog_bytes:
            return backlog
        log.warning("connection_aborted", reason="takes too little of what it is sent", address=self.address)
        self.end(cut=True)
        return 0

    def push_texts(self, texts: Sequence[str]) -> None:
        """Push text messages, without packets where none are needed."""
        if self.lane is None or self.closed:
            for text in texts:
                self.push((SharedPacket(text),))
        else:
            self.bounded(self.lane.outlet.write(b"".join([encode_frame("4" + text) for text in texts])))

    async def send(self, pkt: engine_packet.Packet) -> None:
        """Queue one packet. engineio and python-socketio come in here."""
        self.push((pkt,))

    @property
    def backlog(self) -> int:
        """Bytes queued and not yet taken by the kernel."""
        held = self._held
        return self._unsent if held is None else self._unsent + sum(map(len, held))

    @property
    def _unsent(self) -> int:
        waiting = self.queue.size + self._in_flight
        if self._transport is None or self._transport.is_closing():
            return waiting
        return waiting + self._transport.get_write_buffer_size()

    @property
    def unread(self) -> int:
        """Bytes of a message that has not come whole."""
        frames, reader = getattr(self._protocol, "frames", None), getattr(self._reader, "reader", None)
        kept = 0 if reader is None else len(reader.buffer)
        return kept + sum(map(len, frames)) if frames else kept

    async def until_taken(self) -> None:
        """Wait until the kernel has taken most of what was sent, or the socket has ended."""
        await self._is_taken()

    async def _is_taken(self) -> bool:
        """Do the same, and return False if the socket has ended."""
        while self._unsent > WRITE_BYTES and not self.closed:  # noqa: ASYNC110 - transports tell only their own protocol
            await asyncio.sleep(TAKEN_CHECK)
        return not self.closed

    @property
    def taken(self) -> int:
        """A count that changes whenever the kernel takes something of the backlog."""
        return self.queue.total + (0 if self.lane is None else self.lane.outlet.written) - self._unsent

    async def poll(self) -> list[engine_packet.Packet]:
        """Wait for packets and take some. An empty list means that there will be no more."""
        self._in_flight = 0
        taken: list[engine_packet.Packet] = []
        packet = await self.queue.get()
        while packet is not None:
            taken.append(packet)
            self._in_flight += packet_bytes(packet)
            if self.queue.empty() or self._in_flight >= WRITE_BYTES:
                return taken
            packet = self.queue.get_nowait()
        self.queue.put_nowait(None)
        return taken

    # Receiving

    async def take(self, frame: str | bytes) -> None:
        """Act on one frame; never raises. A bad frame ends the socket."""
        try:
            check_frame(frame, self._message_bytes)
            try:
                packet = engine_packet.Packet(encoded_packet=frame)
            except ValueError:
                raise BadFrame("a frame is not base64") from None
            match packet.packet_type:
                case engine_packet.MESSAGE:
                    await self.server.listener.received(self, packet.data)
                    # The peer lives, and its pong may wait behind much else that it sends
                    self._expect_no_pong()
                case engine_packet.PONG:
                    self._expect_no_pong()
                case _:
                    self.end()
        except BadFrame as bad:
            self.refuse(bad)

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        """Act on a message of the fast lane, unless one before it is still being acted on."""
        inside = self.inside
        if self.closed or not self._listening or self.half is not None or inside is None:
            return False
        if not inside.hear(text, attachment):
            return False
        if self._pinged_at is not None:
            self._expect_no_pong()
        return True

    def refuse(self, bad: BadFrame) -> None:
        """End because of what the peer sent."""
        if not self.closed:
            self.end(cut=True)
            self.server.listener.bad_frame(self, bad)

    # Liveness

    def open(self, upgrades: list[str]) -> None:
        """Queue the handshake's answer and begin to ping."""
        hello = f'{{"sid":"{self.sid}","upgrades":{json.dumps(upgrades)},{self.server.terms}}}'
        self.push((engine_packet.Packet(engine_packet.OPEN, hello),))
        self._timer = self._loop.call_later(self.server.ping_interval, self._ping)

    def _ping(self) -> None:
        self._pinged_at = self._loop.time()
        self.push((engine_packet.Packet(engine_packet.PING),))
        self._timer = self._loop.call_later(self.server.ping_timeout, self._miss_pong)

    def _expect_no_pong(self) -> None:
        if self._pinged_at is not None and self._timer is not None and not self.closed:
            self._pinged_at = None
            self._timer.cancel()
            self._timer = self._loop.call_later(self.server.ping_interval, self._ping)

    def _miss_pong(self) -> None:
        self.end(cut=True)

    # Ending

    def end(self, *, cut: bool = False) -> None:
        """End in good order, within a grace period, or by cutting the TCP connection now."""
        if cut and self._transport is not None:
            self._transport.abort()
        if self.closed:
            return
        self.closing = self.closed = True
        if self.lane is not None:
            self.lane.hearer = None
        if self._timer is not None:
            self._timer.cancel()
        if cut:
            self.queue.clear()
        if not self.upgraded:
            # A WebSocket has a close of its own. After an Engine.IO close, python-socketio's client
            # would not come back.
            self.queue.put_nowait(engine_packet.Packet(engine_packet.CLOSE))
        self.queue.put_nowait(None)
        self._begin_to_write()
        if self._transport is not None and not cut:
            self._loop.call_later(GRACE_SECONDS, self._transport.abort)
        self._loop.call_soon(self.server.forget, self)

    async def close(self, wait: bool = True, abort: bool = False, reason: object = None) -> None:  # noqa: ARG002
        """End in good order, as engineio asks for.

        engineio's own `wait` would wait for a peer that does not read.
        """
        self.end()

    # WebSocket

    async def serve(self, receive: Receive, send: Send) -> None:
        """Be a WebSocket from the beginning to the end."""
        ws = WebSocket(self._websocket_handler, self.server)
        ws.asgi_receive, ws.asgi_send = receive, send
        try:
            await send({"type": "websocket.accept"})
            await self._websocket_handler(ws)
        finally:
            self.end()  # also if the peer left before its handshake was answered

    async def _upgrade_websocket(self, environ: Environ) -> Any:
        if self.closed or self.upgrading or self.upgraded or environ["asgi.scope"]["type"] != "websocket":
            return self.server._bad_request()
        # This has a class of its own: 3 kB for as long as the connection lives
        environ["wsgi.input"] = None
        return await WebSocket(self._websocket_handler, self.server)(environ)

    async def _websocket_handler(self, ws: WebSocket) -> None:
        if self.connected and not await self._is_upgraded_by(ws):
            return
        self.connected = self.upgraded = True
        protocol = getattr(ws.asgi_send, "__self__", None)
        self._transport, self._reader = getattr(protocol, "transport", None), getattr(protocol, "conn", None)
        self._protocol = protocol
        self.bound_messages(self._message_bytes)
        self._ws = ws
        self._take(lane_of(ws.asgi_send))
        if self.lane is None:
            self._begin_to_write()
        try:
            while not self.closed:
                self._listening = True
                frame = await ws.wait()
                self._listening = False
                await self.take(frame)
        except OSError:
            pass  # The peer is gone.
        finally:
            self.end()
            await self._finish()

    def _begin_to_write(self) -> None:
        """Have a task write what is queued, and close.

        Over a fast lane only the close is left to do.
        """
        if self._writer is None and self._ws is not None:
            self._writer = asyncio.ensure_future(self._write(self._ws))

    def _take(self, lane: FastLane | None) -> None:
        """Use the lane from now on, behind what waits in the queue."""
        if lane is None or self.closed:
            return
        if not self.queue.empty():
            lane.outlet.write(self._queued_frames())
        self.lane, lane.hearer = lane, self

    def _queued_frames(self) -> bytes:
        """Take what waits in the queue, as WebSocket frames."""
        frames = b""
        while not self.queue.empty() and (packet := self.queue.get_nowait()) is not None:
            frames += encode_frames((packet,))
        return frames

    async def _is_upgraded_by(self, ws: WebSocket) -> bool:
        """Move from long-polling to this WebSocket, as the peer asks for it.

        Return False if the peer did not ask, and polling goes on.
        """
        self.upgrading = True
        try:
            async with asyncio.timeout(self.server.ping_timeout):
                if await ws.wait() != "2probe":
                    return False
                await ws.send("3probe")
                # Lets the waiting poll go
                self.queue.put_nowait(engine_packet.Packet(engine_packet.NOOP))
                return await ws.wait() == "5" and not self.closed
        except OSError:  # gone, or (TimeoutError) silent
            return False
        finally:
            self.upgrading = False

    async def _write(self, ws: WebSocket) -> None:
        try:
            while packets := await self.poll():
                for packet in packets:
                    await ws.send(packet.encode())
                    self._in_flight -= packet_bytes(packet)
        except (OSError, RuntimeError):
            pass  # The peer is gone, or the closing handshake has begun. Reading will tell.
        finally:
            await ws.close()

    async def _finish(self) -> None:
        """Let the writer finish, but at most for the grace period."""
        writer = self._writer
        if writer is None:
            return
        await asyncio.wait({writer}, timeout=GRACE_SECONDS)
        if self._transport is not None and not writer.done():
            self._transport.abort()
        writer.cancel()

    # Long-polling

    async def handle_get_request(self, environ: Environ) -> Any:
        """Answer a GET with packets, or by becoming a WebSocket."""
        if environ["asgi.scope"]["type"] == "websocket":
            return await self._upgrade_websocket(environ)
        if self.upgrading or self.upgraded:
            return [engine_packet.Packet(engine_packet.NOOP)]
        if self.polling:
            # Two responses would share the queue, and could part a text from its attachment.
            self.refuse(BadFrame("two polls at once"))
            return self.server._bad_request()
        self.polling = True
        try:
            return await self.poll()
        finally:
            self.polling = False

    async def handle_post_request(self, environ: Environ) -> None:
        """Act on a POST's payload.

        A payload that ends the socket is answered like any other. The waiting GET tells of the end.
        """
        try:
            if self._posting:
                raise BadFrame("two payloads at once")
            self._posting = True
            try:
                frames = split_payload(await self._body(environ))
                for frame in frames:
                    if not self.closed:
                        await self.take(frame)
            finally:
                self._posting = False
        except BadFrame as bad:
            self.refuse(bad)

    async def _body(self, environ: Environ) -> bytes:
        length = environ.get("CONTENT_LENGTH", "")
        if not (length.isascii() and length.isdigit() and int(length) <= self._message_bytes):
            raise BadFrame("a payload is too long, or of unknown length")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await environ["wsgi.input"].read(int(length))
        except TimeoutError:
            raise BadFrame("a payload does not arrive") from None
        if len(body) != int(length):
            raise BadFrame("a payload is cut short")
        return bytes(body)
