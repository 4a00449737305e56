"""A real Redis on a free loopback port, without persistence, to be killed, frozen and restarted."""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port, until_open
from tests.harness.processes import mortal

_OPTIONS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--loglevel", "warning")


class RedisServer:
    """One server process at a time, always on the same port. It keeps nothing over a restart.

    `config`: a file for what is no option; `tls`: it takes TLS as well, at a port of its own.
    """

    def __init__(self, *options: str, config: Path | None = None, tls: bool = False) -> None:
        self.tls_port = quiet_port() if tls else 0
        self._arguments = (
            *([str(config)] if config else []),
            *_OPTIONS,
            *(("--tls-port", str(self.tls_port), "--tls-auth-clients", "no") if tls else ()),
            *options,
        )
        self._process: asyncio.subprocess.Process | None = None
        self.port = quiet_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        """Start empty, and return when it answers."""
        program = shutil.which("redis-server")
        assert program is not None, "redis-server is missing: `make test` installs it, or apt-get install redis-server"
        self._process = await asyncio.create_subprocess_exec(
            *mortal(program, *self._arguments, "--port", str(self.port)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await until_open(self.port, PATIENCE)

    async def kill(self) -> None:
        """Kill the process, and return when it is gone."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Freeze the process: connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the process go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def ask(self, *command: str | bytes | int) -> object:
        async with Redis.from_url(self.url, protocol=2) as client:
            return await client.execute_command(*command)  # type: ignore[no-untyped-call]

    async def calls(self, command: str) -> int:
        """Return how often a command has run since the statistics were reset."""
        async with Redis.from_url(self.url, protocol=2) as client:
            statistics = await client.info("commandstats")
        return int(statistics.get(f"cmdstat_{command}", {}).get("calls", 0))


@asynccontextmanager
async def redis_server(*options: str, tls: bool = False) -> AsyncIterator[RedisServer]:
    """Run a Redis for a while."""
    server = RedisServer(*options, tls=tls)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
