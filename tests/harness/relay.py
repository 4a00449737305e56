"""A TCP port in front of another one, so that the way of one node to one dependency can be cut, slowed down, and mended."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Self

CHUNK = 65536

Hear = Callable[[bytes], None]


class Relay:
    """Passes bytes on in both directions; `async with` is its lifetime."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay = 0.0
        """Seconds that everything from the dependency takes longer."""
        self.to_dependency: Hear | None = None
        self.from_dependency: Hear | None = None
        """Whoever wants to hear what passes: the bytes of all connections, as they come."""
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.cut()

    @property
    def connections(self) -> int:
        """Open ones."""
        return len(self._writers) // 2

    async def mend(self) -> None:
        """Take connections."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=CHUNK)

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        except asyncio.CancelledError:  # everything ends just now
            writer.transport.abort()
            raise
        ends = {writer, target_writer}
        self._writers |= ends
        pumps = {
            asyncio.create_task(self._pump(reader, target_writer, slow=False)),
            asyncio.create_task(self._pump(target_reader, writer, slow=True)),
        }
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            for end in ends:
                end.transport.abort()
            self._writers -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slow: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if (hear := self.from_dependency if slow else self.to_dependency) is not None:
                    hear(data)
                if slow and self.delay:
                    await asyncio.sleep(self.delay)
                writer.write(data)
                await writer.drain()
