"""Bytes of the native protocol: Socket.IO packets and batches of updates. Pure.

Only what server/PROTOCOL.md uses of Socket.IO 5 and Engine.IO 4 is here. A packet with attachments
is a text frame and one binary frame for each attachment. From protocol 2 on, an update is one
binary frame. What is no packet raises WireError.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Frame = str | bytes

_MOST_LENGTH_BYTES = 8
_KINDS: dict[str, Literal["connected", "disconnected", "event", "answer", "refused"]] = {
    "0": "connected",
    "1": "disconnected",
    "2": "event",
    "3": "answer",
    "4": "refused",
    "5": "event",
    "6": "answer",
}
_BINARY = frozenset("56")


class WireError(Exception):
    """The server said something that is not in the protocol."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One Socket.IO packet. `number` is that of the request which an answer belongs to."""

    kind: Literal["connected", "disconnected", "event", "answer", "refused"]
    number: int | None
    content: Any


def event_frames(number: int | None, event: str, arguments: Sequence[Any]) -> list[Frame]:
    """Return the frames of an event, with Engine.IO's `4`. With a number, the server answers it."""
    attachments: list[bytes] = []

    def placed(value: Any) -> Any:
        if not isinstance(value, bytes):
            raise TypeError(f"{type(value).__name__} is not JSON")
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}

    text = json.dumps([event, *arguments], default=placed, separators=(",", ":"), ensure_ascii=False)
    head = f"45{len(attachments)}-" if attachments else "42"
    return [f"{head}{'' if number is None else number}{text}", *attachments]


def update_frame(number: int, document_id: str, after: int | None, batch: bytes) -> bytes:
    """Return an update as one frame, which the server answers."""
    name = document_id.encode()
    row = 0 if after is None else after + 1
    return b"".join((b"\1", _varuint(len(name)), name, _varuint(number), _varuint(row), batch))


def _update(frame: bytes) -> Packet:
    """Return the event that one frame is."""
    if frame[:1] != b"\1":
        raise WireError("An attachment belongs to no packet.")
    length, at = _length(frame, 1)
    seq, behind = _length(frame, at + length)
    try:
        document_id = frame[at : at + length].decode()
    except UnicodeDecodeError as error:
        raise WireError("A document's id is not UTF-8.") from error
    return Packet("event", None, ["update", document_id, seq, frame[behind:]])


class Packets:
    """Packets from frames: a packet is complete with its last attachment."""

    def __init__(self) -> None:
        self._open: tuple[Packet, int] | None = None
        self._attachments: list[bytes] = []

    def take(self, frame: Frame) -> Packet | None:
        """Take the next frame (a text without Engine.IO's `4`); the packet that it completes."""
        if isinstance(frame, bytes):
            if self._open is None:
                return _update(frame)
            self._attachments.append(frame)
        else:
            self._open, self._attachments = _packet(frame), []
        packet, count = self._open
        if len(self._attachments) < count:
            return None
        self._open = None
        return Packet(packet.kind, packet.number, _filled(packet.content, self._attachments))


def _packet(text: str) -> tuple[Packet, int]:
    """Return a text frame's packet with placeholders, and the number of its attachments."""
    kind, at, count = text[:1], 1, 0
    if kind in _BINARY:
        digits, _, _ = text[1:].partition("-")
        count, at = _natural(digits), len(digits) + 2
    start = at
    while text[at : at + 1].isdecimal():
        at += 1
    number = _natural(text[start:at]) if at > start else None
    try:
        return Packet(_KINDS[kind], number, json.loads(text[at:]) if at < len(text) else None), count
    except (KeyError, ValueError, RecursionError) as error:
        raise WireError("The server sent what is no packet of Socket.IO.") from error


def _natural(digits: str) -> int:
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):
        raise WireError("The server sent no number where one belongs.")
    return int(digits)


def _filled(value: Any, attachments: Sequence[bytes]) -> Any:
    if isinstance(value, list):
        return [_filled(each, attachments) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("_placeholder") is not True:
        return {key: _filled(each, attachments) for key, each in value.items()}
    number = value.get("num")
    if not isinstance(number, int) or not 0 <= number < len(attachments):
        raise WireError("A placeholder names no attachment.")
    return attachments[number]


def encode_batch(updates: Iterable[bytes]) -> bytes:
    """Frame updates as one batch: each with its length in front, as lib0's varUint."""
    return b"".join([part for update in updates for part in (_varuint(len(update)), update)])


def decode_batch(batch: bytes) -> list[bytes]:
    """Take a batch apart into one update or more."""
    updates: list[bytes] = []
    at = 0
    while at < len(batch):
        length, at = _length(batch, at)
        if length > len(batch) - at:
            raise WireError("The batch ends inside an update.")
        updates.append(batch[at : at + length])
        at += length
    if not updates:
        raise WireError("A batch holds at least one update.")
    return updates


def _varuint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _length(batch: bytes, at: int) -> tuple[int, int]:
    length = 0
    for shift in range(_MOST_LENGTH_BYTES):
        if at + shift >= len(batch):
            raise WireError("The batch ends inside a length.")
        byte = batch[at + shift]
        length |= (byte & 0x7F) << (7 * shift)
        if byte <= 0x7F:
            return length, at + shift + 1
    raise WireError("A length is too large.")
