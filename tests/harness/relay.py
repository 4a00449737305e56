"""A TCP port in front of a dependency's port, so that connections can be cut, slowed and mended."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Self

CHUNK = 65536

Hear = Callable[[bytes], None]


class Relay:
    """A relay of bytes in both directions. Use it as `async with`."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.delay = 0.0
        """Seconds by which everything from the dependency is late."""
        self.open = asyncio.Event()
        """Set while what comes from the dependency may pass."""
        self.open.set()
        self.to_dependency: Hear | None = None
        self.from_dependency: Hear | None = None
        """Functions that get the bytes of all connections as they pass."""
        self._target = target
        self._listener: socket.socket | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: dict[asyncio.Task[None], socket.socket] = {}
        """All connections, from their first moment on."""

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.cut()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def connections(self) -> int:
        """The number of open connections."""
        return len(self._writers) // 2

    async def mend(self) -> None:
        """Take connections again.

        Not with asyncio's own server, which loses a connection that comes while the server closes.
        """
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._listener.setblocking(False)
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    async def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        for writer in self._writers:
            writer.transport.abort()
        for serving in self._serving:
            serving.cancel()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # whoever came has gone
            connection, _ = listener.accept()
            connection.setblocking(False)
            serving = asyncio.create_task(self._serve(connection))
            self._serving[serving] = connection
            serving.add_done_callback(lambda _: self._serving.pop(serving).close())

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection, limit=CHUNK)
        try:
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
            return
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
                if slow:
                    await asyncio.sleep(self.delay)
                    await self.open.wait()
                writer.write(data)
                await writer.drain()
