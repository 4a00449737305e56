"""Two nodes with a Redis between them, on the servers' core, and a PostgreSQL for those who keep things."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.processes import PATIENCE, SERVER_CORE, Process, on_core
from tests.bench.servers import Kind, Running
from tests.harness.ports import quiet_port, until_open
from tests.harness.postgres import PostgresServer


@dataclass(frozen=True)
class Pair:
    """What counts is the nodes and Redis. PostgreSQL does not: the peers keep nothing here."""

    kind: Kind
    nodes: tuple[Running, Running]
    redis: Process

    @property
    def pids(self) -> list[int]:
        return [*self.nodes[0].pids, *self.nodes[1].pids, self.redis.pid]

    @property
    def ports(self) -> list[int]:
        return [node.port for node in self.nodes]


@asynccontextmanager
async def pair(kind: Kind, directory: Path) -> AsyncIterator[Pair]:
    """Run two nodes of a kind for a while."""
    async with AsyncExitStack() as stack:
        redis_port = quiet_port()
        redis = Process(_redis(redis_port), directory / "redis.log")
        stack.callback(redis.kill)
        await until_open(redis_port, PATIENCE)
        database = ""
        if kind.has_catalogue:
            with on_core(SERVER_CORE):
                postgres = PostgresServer()
            stack.callback(postgres.stop)
            database = postgres.url()
        placed = _placed(kind, str(redis_port), database)
        nodes = []
        for name in ("one", "two"):
            (directory / name).mkdir()
            nodes.append(await stack.enter_async_context(Running(placed, directory / name)))
        yield Pair(kind, (nodes[0], nodes[1]), redis)


def _placed(kind: Kind, redis: str, database: str) -> Kind:
    """The kind, with the places of its neighbours filled in."""

    def command(directory: Path, port: int) -> list[str]:
        given = kind.command(directory, port)
        return [part.replace("{redis}", redis).replace("{database}", database) for part in given]

    return replace(kind, command=command)


def _redis(port: int) -> list[str]:
    program = shutil.which("redis-server")
    assert program is not None, "redis-server is missing: `make bench` installs it, or apt-get install redis-server"
    return [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
