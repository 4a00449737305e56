"""Sets of Redis servers: a master and a replica with sentinels, or a cluster of three."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.exceptions import ConnectionError as RedisConnectionError

from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port
from tests.harness.redis_server import RedisServer

SERVICE = "hands"
DOWN_AFTER = 500
"""Milliseconds of silence after which a sentinel takes a server for dead."""

_SENTINEL = """
sentinel monitor {service} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {service} {down_after}
sentinel failover-timeout {service} 3000
"""
_OF_A_CLUSTER = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--dir")
_OF_A_REPLICA = ("--dbfilename", "replica.rdb", "--replicaof")


class Watched:
    """A master, its replica, and three sentinels, two of which must agree."""

    def __init__(self, servers: Sequence[RedisServer], sentinels: Sequence[RedisServer]) -> None:
        self.servers = servers
        self.sentinels = sentinels

    @property
    def sentinel_hosts(self) -> str:
        return ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)

    async def master(self) -> RedisServer:
        """Return the master that the sentinels name now."""
        found = await self.sentinels[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
        assert isinstance(found, list)
        return next(server for server in self.servers if server.port == int(found[1]))

    async def promote_the_other(self) -> None:
        """Ask for a change of masters, as an operator may."""
        await self.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)

    async def follows(self, former: RedisServer) -> None:
        """Wait until a former master is the other's replica. Sentinels give it some ten seconds."""
        async with asyncio.timeout(3 * PATIENCE):
            while not await _is_replica(former):  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.2)

    async def _agree(self) -> bool:
        """Whether each sentinel knows the two others and the replica."""
        for sentinel in self.sentinels:
            fields = await sentinel.ask("SENTINEL MASTER", SERVICE)
            assert isinstance(fields, dict)
            if (fields["num-other-sentinels"], fields["num-slaves"]) != (2, 1):
                return False
        return True

    async def settled(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while not await self._agree():  # noqa: ASYNC110 - other processes have no event to wait for
                await asyncio.sleep(0.05)


async def _is_replica(server: RedisServer) -> bool:
    try:
        role = await server.ask("ROLE")
    except RedisConnectionError:
        return False  # it is just becoming one, and cuts everybody's connections
    assert isinstance(role, list)
    return bool(role[0] == b"slave")


@asynccontextmanager
async def watched(directory: Path, *options: str) -> AsyncIterator[Watched]:
    """Run master, replica and sentinels. `options` are the two servers'."""
    async with AsyncExitStack() as stack:
        options = (*options, "--dir", str(directory))
        master = await _running(stack, RedisServer(*options))
        replica = await _running(stack, RedisServer(*options, *_OF_A_REPLICA, f"127.0.0.1 {master.port}"))
        config = _SENTINEL.format(service=SERVICE, master=master.port, down_after=DOWN_AFTER)
        sentinels = []
        for number in range(3):
            (written := directory / f"sentinel-{number}.conf").write_text(config)
            sentinels.append(await _running(stack, RedisServer("--sentinel", config=written)))
        together = Watched((master, replica), sentinels)
        await together.settled()
        yield together


@asynccontextmanager
async def watched_over_tls(directory: Path, password: str, *tls: str) -> AsyncIterator[RedisServer]:
    """Run a master and one sentinel, and yield the sentinel.

    Both ask for a password, and speak TLS. `tls` are options for certificates.
    """
    tls = (*tls, "--tls-replication", "yes")
    async with AsyncExitStack() as stack:
        master = await _running(stack, RedisServer("--requirepass", password, *tls, tls=True))
        config = _SENTINEL.format(service=SERVICE, master=master.tls_port, down_after=DOWN_AFTER).replace(
            " 2\n", " 1\n"
        )
        (written := directory / "sentinel.conf").write_text(f"{config}sentinel auth-pass {SERVICE} {password}\n")
        options = ("--requirepass", f"{password}-of-sentinels", *tls, "--sentinel")
        yield await _running(stack, RedisServer(*options, config=written, tls=True))


@asynccontextmanager
async def redis_cluster(directory: Path) -> AsyncIterator[Sequence[RedisServer]]:
    """Run three masters that share the slots."""
    async with AsyncExitStack() as stack:
        servers = []
        for number in range(3):
            (own := directory / f"redis-{number}").mkdir()
            servers.append(
                await _running(stack, RedisServer(*_OF_A_CLUSTER, str(own), "--cluster-port", str(quiet_port())))
            )
        await _join(servers)
        yield servers


async def _join(servers: Sequence[RedisServer]) -> None:
    program = shutil.which("redis-cli")
    assert program is not None, "redis-cli is missing: apt-get install redis-tools"
    process = await asyncio.create_subprocess_exec(
        program,
        *("--cluster", "create", *(f"127.0.0.1:{server.port}" for server in servers), "--cluster-yes"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


async def _running(stack: AsyncExitStack, server: RedisServer) -> RedisServer:
    stack.push_async_callback(server.kill)
    await server.start()
    return server
