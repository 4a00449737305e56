"""Packets of Engine.IO and Socket.IO: strangers' are checked first, and ours are encoded once.

A frame is an Engine.IO packet. The text of a message packet is a Socket.IO packet. Both libraries
decode more than this protocol needs: JSON at any depth, any number of attachments, packets that
only a server sends. Each of those is a way to hurt the server. What is not listed here raises
BadFrame, and a connection that sends one ends. With a frame lost, nothing that follows on the
connection can be understood.
"""

import asyncio
import base64
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from engineio import packet as engine_packet

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.protocol.frames import write_update
from crdt.protocol.messages import ServerMessage, UpdateMessage, Value, encode_message, write_arguments
from server.doors.native.engine.library import socketio_packet
from server.doors.native.lane.outlet import encode_frame

TEXT_CHARACTERS = 64 * 2**10
"""Longest text frame.

Document content travels as attachments. The longest honest text is a presence state.
"""

ARGUMENTS = 8
"""Most arguments of an event. The protocol's longest event has three."""

INTEGER_DIGITS = 100
"""Most digits of an integer, as engineio reads them."""

BRACKETS = 512
"""Most opening brackets in a text.

They bound the nesting without parsing, well below the interpreter's recursion limit.
"""

PAYLOAD_FRAMES = 1000
"""Most frames of one long-polling request.

engineio's 16 cut off a browser that sends what it wrote while it was offline.
"""

SHORT_CHARACTERS = 16
"""Longest control frame (close, pong). Honest ones have one character."""

NAMESPACE = "/"
"""The namespace of the native protocol."""

YJS_NAMESPACE = "/yjs|"
"""The beginning of y-socket.io's namespaces, each of which is a document's name."""

_SOCKETIO_PACKET = re.compile(
    r"([0-6])(?:([0-9]{1,9})-)?(?:(/[^,?]{0,299})(?:\?[^,]*)?,?)?([0-9]{1,15})?(?![0-9])(.*)\Z", re.DOTALL
)


class BadFrame(ProtocolError):
    """Not a frame of this protocol.

    The sentence holds nothing of what was sent, so that it may be logged.
    """

    def __init__(self, message: str) -> None:
        super().__init__(Code.MALFORMED, message)


def check_frame(frame: str | bytes, most: int) -> None:
    """Raise BadFrame unless a client may send the frame after its handshake.

    The frame has at most `most` bytes.
    """
    if len(frame) > most:
        raise BadFrame("a frame is too long")
    if isinstance(frame, bytes):
        return
    match frame[:1]:
        case "4":
            if frame[1:2] not in {"0", "1", "2", "3", "4", "5", "6"}:
                raise BadFrame("a message is not a Socket.IO packet")
            if len(frame) > TEXT_CHARACTERS:
                raise BadFrame("a text frame is too long")
        case "b":
            pass
        case "1" | "3":
            if len(frame) > SHORT_CHARACTERS:
                raise BadFrame("a control frame is too long")
        case _:
            raise BadFrame("a frame is not an Engine.IO packet")


class StrictPacket(socketio_packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet as this protocol's clients send it.

    CONNECT, DISCONNECT, and events with at most one attachment. Clients of y-socket.io send acks
    with one attachment as well.
    """

    def decode(self, encoded_packet: object) -> int:
        """Read a text packet and return how many attachments follow; raises BadFrame."""
        found = _SOCKETIO_PACKET.match(encoded_packet) if isinstance(encoded_packet, str) else None
        if found is None:
            raise BadFrame("a message is not a Socket.IO packet")
        kind, attachments, namespace, ack_id, text = found.groups()
        self.packet_type = int(kind)
        self.namespace = namespace or NAMESPACE
        self.id = None if ack_id is None else int(ack_id)
        self.data = _parse(text)
        self._check_kind(attachments)
        return int(attachments or 0)

    def _check_kind(self, attachments: str | None) -> None:
        match self.packet_type:
            case socketio_packet.CONNECT | socketio_packet.DISCONNECT:
                if attachments is not None or self.id is not None:
                    raise BadFrame("a packet has an attachment or an ack id, which its kind does not have")
                return
            case socketio_packet.EVENT | socketio_packet.BINARY_EVENT:
                if attachments != ("1" if self.packet_type == socketio_packet.BINARY_EVENT else None):
                    raise BadFrame("an event announces a number of attachments that its kind does not have")
            case socketio_packet.BINARY_ACK if self.namespace.startswith(YJS_NAMESPACE):
                if attachments != "1" or not isinstance(self.data, list):
                    raise BadFrame("an ack without its attachment")
                return
            case _:
                raise BadFrame("a packet of a kind that clients do not send")
        if not isinstance(self.data, list) or not self.data or not isinstance(self.data[0], str):
            raise BadFrame("an event without a name")
        if len(self.data) > 1 + ARGUMENTS:
            raise BadFrame("an event has too many arguments")

    def add_attachment(self, attachment: bytes) -> bool:
        """Put the attachment where the text refers to it.

        Raises BadFrame if the text refers to another one.
        """
        try:
            return bool(super().add_attachment(attachment))
        except (LookupError, TypeError, ValueError):
            raise BadFrame("an event refers to an attachment that it does not have") from None


def _parse(text: str) -> Any:
    if not text:
        return None
    if text.count("[") + text.count("{") > BRACKETS:
        raise BadFrame("a text is nested too deeply")
    try:
        return _decode(text)
    except (ValueError, RecursionError):
        raise BadFrame("a text is not JSON") from None


def _refuse_constant(_: str) -> None:
    """Refuse NaN and Infinity, which Python reads and writes, and no browser reads."""
    raise ValueError


def _short_integer(digits: str) -> int:
    """Read what JavaScript could have written as an integer. Very long ones take long."""
    if len(digits) > INTEGER_DIGITS:
        raise ValueError
    return int(digits)


_decode = json.JSONDecoder(parse_int=_short_integer, parse_constant=_refuse_constant).decode
"""Made once, because `json.loads` with these options makes a decoder for every text."""


def split_payload(body: bytes) -> Sequence[str]:
    """Take a long-polling payload apart, without checking its frames.

    Raises BadFrame for more than PAYLOAD_FRAMES.
    """
    try:
        frames = body.decode().split("\x1e")
    except UnicodeDecodeError:
        raise BadFrame("a payload is not UTF-8") from None
    if len(frames) > PAYLOAD_FRAMES:
        raise BadFrame("a payload has too many frames")
    return frames


PACKET_OVERHEAD = 64
"""Bytes that a queued packet counts beside its content. A million empty packets are not free."""


class SharedPacket(engine_packet.Packet):  # type: ignore[misc]
    """A message packet that many connections' queues hold at once.

    engineio keeps one encoded form per packet, for the transport that asked first. If WebSocket and
    long-polling connections shared that packet, one of them would get the other's form.
    """

    def __init__(self, data: str | bytes) -> None:
        super().__init__(engine_packet.MESSAGE, data)
        self._base64: str | None = None

    def encode(self, b64: bool = False) -> str | bytes:
        """Return the frame. `b64`: for a transport that carries text only."""
        if isinstance(self.data, str):
            return "4" + self.data
        if not b64:
            return bytes(self.data)
        if self._base64 is None:
            self._base64 = "b" + base64.b64encode(self.data).decode()
        return self._base64


class Packets(tuple[SharedPacket, ...]):
    """A text and the attachments that belong right behind it."""

    _frames: bytes | None = None

    @property
    def frames(self) -> bytes:
        """All packets as WebSocket frames, one behind the other; made once."""
        if self._frames is None:
            self._frames = encode_frames(self)
        return self._frames


def encode_frames(packets: Iterable[engine_packet.Packet]) -> bytes:
    """Encode packets as WebSocket frames, one behind the other."""
    return b"".join(encode_frame(packet.encode()) for packet in packets)


def event_packets(event: str, arguments: list[Value], namespace: str = NAMESPACE, ack_id: str = "") -> Packets:
    """Encode an event. With an ack's id, the client is to answer."""
    return _packets("2", "5", _before(namespace) + ack_id, [event, *arguments])


def connected_packets(sid: str, namespace: str, protocol: int) -> Packets:
    """Encode the answer to a CONNECT. A session's id has nothing to escape."""
    spoken = "" if protocol == 1 else f',"protocol":{protocol}'
    return Packets((SharedPacket(f'0{_before(namespace)}{{"sid":"{sid}"{spoken}}}'),))


def ack_packets(ack_id: int, value: Value, namespace: str = NAMESPACE) -> Packets:
    """Encode an ack with its one value."""
    return _packets("3", "6", f"{_before(namespace)}{ack_id}", [value])


def disconnect_packets(namespace: str) -> Packets:
    """Encode what tells a client not to come back."""
    return Packets((SharedPacket(f"1{_before(namespace)}"),))


def _before(namespace: str) -> str:
    """Return what a packet has before its ack's id."""
    return "" if namespace == NAMESPACE else f"{namespace},"


def message_packets(document_id: DocumentId, message: ServerMessage, protocol: int = 1) -> Packets:
    """Encode what a room says."""
    if protocol > 1 and isinstance(message, UpdateMessage) and not message.heirs:
        return Packets((SharedPacket(write_update(document_id, message.seq, message.batch)),))
    return event_packets(*encode_message(document_id, message, protocol))


def _packets(kind: str, binary_kind: str, ack_id: str, arguments: list[Value]) -> Packets:
    text, attachments = write_arguments(arguments)
    start = f"{binary_kind}{len(attachments)}-" if attachments else kind
    return Packets([SharedPacket(start + ack_id + text), *map(SharedPacket, attachments)])


def packet_bytes(packet: engine_packet.Packet | None) -> int:
    """Return what a queued packet counts. None is the mark that ends a queue."""
    if packet is None:
        return 0
    data = packet.data
    return PACKET_OVERHEAD + (len(data) if isinstance(data, str | bytes) else 0)


class PacketQueue(asyncio.Queue[engine_packet.Packet | None]):
    """A connection's queue, which knows the bytes in it.

    The queue has no bound of its own. A text and its attachment are two entries, and a bound could
    come between them. The caller that puts looks at `size`, and ends the connection instead.
    """

    size = 0
    """Bytes in the queue now."""

    total = 0
    """Bytes ever put into the queue."""

    def _put(self, item: engine_packet.Packet | None) -> None:
        amount = packet_bytes(item)
        self.size += amount
        self.total += amount
        super()._put(item)

    def _get(self) -> engine_packet.Packet | None:
        item = super()._get()
        self.size -= packet_bytes(item)
        return item

    def clear(self) -> None:
        """Forget everything in the queue."""
        while not self.empty():
            self.get_nowait()
