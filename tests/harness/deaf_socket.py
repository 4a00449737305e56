"""A connected client that never reads, on a bare TCP socket with the smallest buffers."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HANDSHAKE = (
    "GET {path} HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class DeafSocket:
    """A client that can still send."""

    def __init__(self, tcp: socket.socket) -> None:
        self._tcp = tcp

    async def say(self, *messages: str | bytes) -> None:
        """Send frames of up to 125 bytes; a mask of zeros leaves them as they are."""
        frames = b"".join(
            bytes([0x81 if isinstance(message, str) else 0x82, 0x80 | len(message), 0, 0, 0, 0])
            + (message.encode() if isinstance(message, str) else message)
            for message in messages
        )
        await asyncio.get_running_loop().sock_sendall(self._tcp, frames)


@asynccontextmanager
async def deaf_socket(
    port: int, path: str = "/socket.io/?EIO=4&transport=websocket", greeting: str | bytes = "40"
) -> AsyncIterator[DeafSocket]:
    """Connect and send the greeting (CONNECT), without waiting for the server's answer."""
    with socket.socket() as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        tcp.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(tcp, ("127.0.0.1", port))
        await loop.sock_sendall(tcp, HANDSHAKE.format(port=port, path=path).encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += await loop.sock_recv(tcp, 100)
        deaf = DeafSocket(tcp)
        await deaf.say(greeting)
        yield deaf
