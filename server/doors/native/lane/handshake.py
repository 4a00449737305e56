"""Handshake of a browser's WebSocket (RFC 6455, section 4.2), from a request's parsed head.

Only the plain handshake is accepted here. Whatever is missing, doubled or odd is left to
websockets, which knows how to refuse it.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha1

HEAD_BYTES = 4 * 2**10
"""Bytes of the address and of all headers. Longer heads are left to websockets' own limits."""

HEADERS = 64
"""Most headers of a plain handshake; websockets takes 128."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")  # 16 bytes in base64
_ADDRESS = re.compile(rb"/[!-~]*")

_LEFT_TO_WEBSOCKETS = frozenset({b"sec-websocket-protocol", b"content-length", b"transfer-encoding"})

_ONCE = frozenset({b"host", b"upgrade", b"connection", b"sec-websocket-key", b"sec-websocket-version", b"origin"})
"""Headers that must not be there twice."""

Headers = Sequence[tuple[bytes, bytes]]
"""Headers as in ASGI: names in lower case."""


def acceptance(method: str, address: bytes, http_version: str, headers: Headers) -> bytes | None:
    """Return the value of Sec-WebSocket-Accept for a plain handshake; None if it is not plain.

    A plain handshake has no body and asks for no subprotocol.
    """
    if method != "GET" or http_version != "1.1" or _ADDRESS.fullmatch(address) is None or len(headers) > HEADERS:
        return None
    found: dict[bytes, bytes] = {}
    size = len(address)
    for name, value in headers:
        size += len(name) + len(value)
        if name in _LEFT_TO_WEBSOCKETS or (name in _ONCE and name in found):
            return None
        found[name] = value
    if size > HEAD_BYTES or found.get(b"upgrade", b"").lower() != b"websocket":
        return None
    if found.get(b"connection", b"").lower() not in {b"upgrade", b"keep-alive, upgrade"}:
        return None
    key = found.get(b"sec-websocket-key", b"")
    if found.get(b"sec-websocket-version") != b"13" or _KEY.fullmatch(key) is None:
        return None
    return b64encode(sha1(key + _GUID, usedforsecurity=False).digest())


def answer(accept: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the whole response. `headers`: those that the server puts into all its responses."""
    lines = [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ",
        accept,
        b"\r\n",
    ]
    for name, value in headers:
        lines += (name, b": ", value, b"\r\n")
    lines.append(b"\r\n")
    return b"".join(lines)
