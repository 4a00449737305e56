"""A WebSocket client for load generators: as little work per frame as RFC 6455 allows, so that what is measured is the server.

The masking key is zero, which the RFC permits and which leaves the payload as it is; the server
unmasks all the same. No extensions are offered, so no server compresses. Messages in several
fragments are not read: no server here sends any.
"""

import asyncio
import base64
import os
from typing import cast

TEXT, BINARY = 0x81, 0x82
"""First bytes of whole messages."""

CLOSE, PING, PONG = 0x88, 0x89, 0x8A

_REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(first: int, payload: bytes) -> bytes:
    """One masked message."""
    length = len(payload)
    if length < 126:
        return bytes((first, 0x80 | length, 0, 0, 0, 0)) + payload
    if length < 65536:
        return bytes((first, 0xFE)) + length.to_bytes(2) + b"\0\0\0\0" + payload
    return bytes((first, 0xFF)) + length.to_bytes(8) + b"\0\0\0\0" + payload


def split_frames(data: bytes) -> tuple[list[tuple[int, bytes]], int, int]:
    """The whole messages in bytes from a server, how many bytes they take, and how many the next one needs at least."""
    messages = []
    at, end, needed = 0, len(data), 2
    while end - at >= 2:
        length, start = data[at + 1], at + 2
        if length >= 126:
            start += 2 if length == 126 else 8
            if start > end:
                needed = start - at
                break
            length = int.from_bytes(data[at + 2 : start])
        if start + length > end:
            needed = start + length - at
            break
        messages.append((data[at], data[start : start + length]))
        at = start + length
        needed = 2
    return messages, at, needed


class WebSocketClient(asyncio.Protocol):
    """One connection. Subclasses say where it goes and what they make of messages."""

    transport: asyncio.Transport

    def __init__(self, path: str) -> None:
        self._path = path
        self._rest = bytearray()
        self._needed = 0
        self._open = False
        self.octets = self.frames = 0
        self.gone = False

    def opened(self) -> None:
        """The handshake has succeeded."""

    def received(self, first: int, payload: bytes) -> None:
        """A text or binary message came."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(_REQUEST.format(path=self._path, key=key).encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone = True

    def data_received(self, data: bytes) -> None:
        self.octets += len(data)
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        if not self._open:
            data = self._shake_hands(data)
        messages, taken, self._needed = split_frames(data)
        if taken < len(data):
            self._rest += data[taken:] if taken else data
        for first, payload in messages:
            self.frames += 1
            if first in (TEXT, BINARY):
                self.received(first, payload)
            elif first == PING:
                self.transport.write(frame(PONG, payload))  # uvicorn hangs up on those who do not say it again
            elif first == CLOSE:
                self.transport.close()
            else:
                raise AssertionError(f"a frame that begins with {first:#x}")

    def _shake_hands(self, data: bytes) -> bytes:
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            self._rest += data
            self._needed = len(data) + 1
            return b""
        assert b" 101 " in head.partition(b"\r\n")[0], head
        self._open = True
        self.opened()
        return rest
