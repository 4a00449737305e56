"""A network line between one person's browser and the server, which the test can cut and mend."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_AT_ONCE = 65536


class Line:
    """A TCP relay on a port of its own; while it is cut, open connections are gone and new ones are reset."""

    def __init__(self, port: int) -> None:
        self._far_port = port
        self._is_cut = False
        self._ends: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        self.url = ""

    def cut(self) -> None:
        self._is_cut = True
        for end in self._ends:
            end.transport.abort()

    def mend(self) -> None:
        self._is_cut = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side has ended it."""
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        try:
            if self._is_cut:
                writer.transport.abort()
                return
            with suppress(OSError):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
                async with asyncio.TaskGroup() as both_ways:
                    both_ways.create_task(self._pump(reader, far_writer))
                    both_ways.create_task(self._pump(far_reader, writer))
        finally:
            writer.transport.abort()
            self._relays.discard(task)

    async def close(self) -> None:
        self.cut()
        await asyncio.gather(*self._relays, return_exceptions=True)

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
