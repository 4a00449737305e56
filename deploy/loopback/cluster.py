"""Cluster of Redis, PostgreSQL, three nodes and HAProxy on loopback.

The programs are started one after the other, and are always stopped in the opposite order.
`Links` names the ports at which nodes reach Redis and PostgreSQL. In `make cluster` these are the
programs' own ports. In tests they are the ports of relays, which can be cut.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, Self

from deploy.loopback import programs
from deploy.loopback.program import CannotStart, Hear, Program
from deploy.loopback.waiting import listens, status_of, until_up


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports on 127.0.0.1 at which the programs listen."""

    balancer: int
    nodes: tuple[int, ...]
    redis: int
    postgres: int

    @classmethod
    def from_first(cls, first: int) -> Self:
        """Take the first port for the balancer, and the five after it for the others."""
        return cls(first, (first + 1, first + 2, first + 3), first + 4, first + 5)

    @property
    def all(self) -> tuple[int, ...]:
        return (self.balancer, *self.nodes, self.redis, self.postgres)


class Links(Protocol):
    """The ports at which a node finds its dependencies. Nodes are counted from 0."""

    def redis(self, node: int) -> int:
        """Return the port at which this node finds Redis."""

    def postgres(self, node: int) -> int:
        """Return the port at which this node finds PostgreSQL."""


class DirectLinks:
    """Links without anything between: the programs' own ports."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def redis(self, node: int) -> int:  # noqa: ARG002 - the same for each node
        return self._ports.redis

    def postgres(self, node: int) -> int:  # noqa: ARG002 - the same for each node
        return self._ports.postgres


class Cluster:
    """All programs of the cluster. They run as long as the `async with` block.

    `say` gets the progress. `hear` gets every line that a program writes.
    """

    def __init__(
        self,
        directory: Path,
        ports: Ports,
        hear: Hear,
        say: Callable[[str], None],
        links: Links | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Take further environment variables for every node in `settings`."""
        self.ports = ports
        self._directory = directory.absolute()
        self._links = links or DirectLinks(ports)
        self._settings = settings or {}
        self._hear = hear
        self._say = say
        self._database = programs.Postgres(self._directory / "postgres", ports.postgres)
        self._exits = AsyncExitStack()
        self.redis = Program("redis", programs.redis(self._directory / "redis", ports.redis), hear)
        self.postgres = Program("postgres", self._database.command, hear)
        self.haproxy = Program(
            "haproxy", programs.haproxy(self._directory / "haproxy", ports.balancer, ports.nodes), hear
        )
        self.nodes: list[Program] = []

    @property
    def url(self) -> str:
        """The address for people."""
        return f"http://127.0.0.1:{self.ports.balancer}"

    @property
    def database_url(self) -> str:
        """The address of the database, with the password."""
        return self._database.url(self.ports.postgres)

    @property
    def programs(self) -> list[Program]:
        """All programs, in the order in which they are started."""
        return [self.redis, self.postgres, *self.nodes, self.haproxy]

    async def __aenter__(self) -> Self:
        """Start all programs, and wait until they answer.

        Raises CannotStart. Then no program is left running.
        """
        async with AsyncExitStack() as exits:
            for port in self.ports.all:
                if await listens(port):
                    raise CannotStart(f"Port {port} on 127.0.0.1 is in use. Stop the program there, or choose another.")
            self._directory.mkdir(parents=True, exist_ok=True)
            self._say("Starting Redis")
            exits.push_async_callback(self.redis.stop)
            await self.start_redis()
            self._say("Starting PostgreSQL")
            await self._database.prepare()
            exits.push_async_callback(self.postgres.stop)
            await self.start_postgres()
            await self._database.make_database()
            self._say(f"Starting {len(self.ports.nodes)} nodes")
            exits.push_async_callback(self._stop_nodes)
            self.nodes = [self._node(number) for number in range(len(self.ports.nodes))]
            for node in self.nodes:
                await node.start()
            for node, port in zip(self.nodes, self.ports.nodes, strict=True):
                await until_up(node, partial(self._ready, port))
            self._say("Starting HAProxy")
            exits.push_async_callback(self.haproxy.stop)
            await self.start_haproxy()
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._exits.aclose()

    async def start_redis(self) -> None:
        """Start Redis, empty."""
        await self.redis.start()
        await until_up(self.redis, partial(listens, self.ports.redis))

    async def start_postgres(self) -> None:
        """Start PostgreSQL with the data that is there."""
        await self.postgres.start()
        await until_up(self.postgres, self._database.answers)

    async def start_node(self, number: int) -> None:
        """Start a node and wait until it is ready."""
        await self.nodes[number].start()
        await until_up(self.nodes[number], partial(self._ready, self.ports.nodes[number]))

    async def start_haproxy(self) -> None:
        """Start HAProxy, and wait until it has found a node that is ready and answers questions."""
        await self.haproxy.start()
        await until_up(self.haproxy, partial(self._ready, self.ports.balancer))
        await until_up(self.haproxy, self._obeys)

    async def ask_haproxy(self, question: str) -> str:
        """Ask HAProxy's master process, or its present worker if the question begins with `@1`.

        Raises OSError.
        """
        reader, writer = await asyncio.open_unix_connection(self._directory / "haproxy" / "haproxy.sock")
        writer.write(f"{question}\n".encode())
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async def _obeys(self) -> bool:
        try:
            return bool(await self.ask_haproxy("show proc"))
        except OSError:
            return False

    def reload_haproxy(self) -> None:
        """Let HAProxy read its file again.

        Open connections stay with the old process, and new ones go to a new process.
        """
        self.haproxy.signal(signal.SIGUSR2)

    async def restart_node(self, number: int) -> None:
        """Stop a node in good order, and start it again."""
        await self.nodes[number].stop()
        await self.start_node(number)

    def _node(self, number: int) -> Program:
        name = f"node-{number + 1}"
        database_url = self._database.url(self._links.postgres(number))
        redis_url = f"redis://127.0.0.1:{self._links.redis(number)}/0"
        command = programs.node(self._directory / name, self.ports.nodes[number], database_url, redis_url)
        settings = {**command.environ, **self._settings}
        return Program(name, replace(command, environ=settings), self._hear)

    async def _stop_nodes(self) -> None:
        await asyncio.gather(*(node.stop() for node in self.nodes))

    async def _ready(self, port: int) -> bool:
        return await status_of(port, "/ready") == 200
