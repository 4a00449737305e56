"""Outgoing events and acks as Engine.IO packets, encoded once for all receivers, and the queue."""

import asyncio
import base64
from collections.abc import Iterable

from engineio import packet as engine_packet

from crdt.ids import DocumentId
from crdt.protocol.answers import Value, encode_message, write_arguments
from crdt.protocol.messages import ServerMessage
from server.doors.native.lane.fast_lane import encode_frame

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


def event_packets(event: str, arguments: list[Value]) -> Packets:
    return _packets("2", "5", "", [event, *arguments])


def connected_packets(sid: str) -> Packets:
    """Encode the answer to a CONNECT. A session's id has nothing to escape."""
    return Packets((SharedPacket(f'0{{"sid":"{sid}"}}'),))


def ack_packets(ack_id: int, value: Value) -> Packets:
    """Encode an ack with its one value."""
    return _packets("3", "6", str(ack_id), [value])


def message_packets(document_id: DocumentId, message: ServerMessage) -> Packets:
    """Encode what a room says."""
    return event_packets(*encode_message(document_id, message))


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
