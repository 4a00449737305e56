"""A network line between one person's browser and the server, which the test can cut, mend and make lie.

What lies reads the first request of each connection.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_AT_ONCE = 65536


class Line:
    """A TCP relay on a port of its own; while it is cut, open connections are gone and new ones are reset.

    Attributes:
        swallows_upgrades: requests for a WebSocket are never answered, as behind some firewalls.
        changes_host: the server is told its own address as Host, as by a careless proxy.
    """

    def __init__(self, port: int) -> None:
        self._far_port = port
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self._portal: bytes | None = None
        self.swallows_upgrades = False
        self.changes_host = False
        self.url = ""

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        """Carry everything again, unchanged."""
        self._is_cut = self.swallows_upgrades = self.changes_host = False
        self._portal = None

    def capture(self, answer: bytes) -> None:
        """Answer every request with this response, as a captive portal does."""
        self.cut()
        self._is_cut = False
        self._portal = answer

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side has ended it."""
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            if self._is_cut:
                writer.transport.abort()
                return
            with suppress(OSError, asyncio.IncompleteReadError):
                first = await self._lie(reader, writer)
                if first is None:
                    return
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
                far_writer.write(first)
                async with asyncio.TaskGroup() as both_ways:
                    both_ways.create_task(self._pump(reader, far_writer))
                    both_ways.create_task(self._pump(far_reader, writer))
        finally:
            writer.transport.abort()
            self._relays.discard(task)

    async def close(self) -> None:
        self.cut()
        await asyncio.gather(*self._relays, return_exceptions=True)

    async def _lie(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes | None:
        """Return what the server is to read first; None if it is to hear nothing of this connection."""
        if not (self.swallows_upgrades or self.changes_host or self._portal):
            return b""
        head = await reader.readuntil(b"\r\n\r\n")
        if self._portal is not None:
            writer.write(self._portal)
            await writer.drain()
            writer.close()
            return None
        is_upgrade = b"upgrade: websocket" in head.lower()
        if is_upgrade and self.swallows_upgrades:
            self._ends.add(writer)
            await reader.read()
            return None
        if not self.changes_host:
            return head
        head = re.sub(rb"(?i)(\r\nhost: )[^\r]*", rb"\g<1>127.0.0.1:%d" % self._far_port, head)
        # So that the next request comes by another connection.
        return head if is_upgrade else re.sub(rb"(?i)(\r\nconnection: )[^\r]*", rb"\1close", head)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            with suppress(OSError):
                while data := await reader.read(_AT_ONCE):
                    writer.write(data)
                    await writer.drain()
        finally:
            self._ends.discard(writer)
            writer.close()


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """Lay a line to a local port; its `url` has no path."""
    line = Line(port)
    server = await asyncio.start_server(line.carry, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        await line.close()
        await server.wait_closed()
