"""The way to Redis: a URL becomes a pair of connections, one to publish on and one that listens.

`redis://`, `rediss://` (TLS) and `unix://` name one server, with user, password and redis-py's own
options in the query. `redis+sentinel://[user:password@]host:port,host:port/service` asks the
sentinels for the present master each time: user and password are the servers', those of the
sentinels stand in the query as `sentinel_username` and `sentinel_password`;
`redis+cluster://[user:password@]host:port,host:port` takes the first node that answers, for a
cluster passes messages on among its own.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from server.bus.redis_wire import Wire

ANSWER_SECONDS = 2.0
"""After so long without an answer Redis counts as away: nothing may wait for it for long."""

SENTINEL_SECONDS = 0.5
"""After so long without an answer the next sentinel is asked."""

FAILURES = (RedisError, OSError, TimeoutError)
"""What the way to Redis fails with."""

_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class RedisLink:
    """Two open connections. `sharded`: the server knows sharded pub/sub, and is not a cluster.

    In a cluster a shard's own server would have to be found for each document; plain messages reach
    every server of it.
    """

    publishing: Wire
    listening: Wire
    sharded: bool


class RedisConnector:
    """How Redis is reached; raises ValueError for a URL that says nothing of the kind."""

    def __init__(self, url: str) -> None:
        self._sentinels: Sequence[Any] = ()
        scheme, _, kind = urlsplit(url).scheme.partition("+")
        try:
            self._dials = self._by_kind(url, scheme, kind)
        except (ValueError, TypeError):
            # Neither the URL, which may hold a password, nor what redis-py says of it.
            raise ValueError("This is not the URL of a Redis server.") from None

    def _by_kind(self, url: str, scheme: str, kind: str) -> list[Callable[[], Any]]:
        if not kind:
            return [ConnectionPool.from_url(url, **_options()).make_connection]
        parts = urlsplit(url)
        login, at, hosts = parts.netloc.rpartition("@")
        if kind == "cluster":
            each = (parts._replace(scheme=scheme, netloc=login + at + host).geturl() for host in hosts.split(","))
            return [ConnectionPool.from_url(one, **_options()).make_connection for one in each]
        service = parts.path.strip("/")
        if kind != "sentinel" or not service:
            raise ValueError
        servers, sentinels = _options_of(parts._replace(scheme=scheme, netloc=f"{login}{at}host", path="").geturl())
        addresses = [_address(host) for host in hosts.split(",")]
        sentinel: Any = Sentinel(addresses, sentinel_kwargs=sentinels, **servers)  # type: ignore[no-untyped-call]
        self._sentinels = sentinel.sentinels
        return [sentinel.master_for(service).connection_pool.make_connection]

    @contextlib.asynccontextmanager
    async def link(self, hear: Callable[[Any], None]) -> AsyncIterator[RedisLink]:
        """Two connections to the first server that answers, closed at the end; raises one of FAILURES.

        `hear` is called with all that the listening one brings but errors.
        """
        async with contextlib.AsyncExitStack() as stack:
            publishing, dial = await self._first_that_answers()
            stack.push_async_callback(_hang_up, publishing)
            listening = await _connected(dial)
            stack.push_async_callback(_hang_up, listening)
            async with asyncio.timeout(ANSWER_SECONDS):
                sharded = await _is_sharded(publishing)
            yield RedisLink(Wire.over(publishing, _ignore), Wire.over(listening, hear), sharded)

    async def _first_that_answers(self) -> tuple[Any, Callable[[], Any]]:
        *others, last = self._dials
        for dial in others:
            with contextlib.suppress(*FAILURES):
                return await _connected(dial), dial
        return await _connected(last), last

    async def aclose(self) -> None:
        """Let go of the sentinels."""
        for sentinel in self._sentinels:
            with contextlib.suppress(*FAILURES):
                await sentinel.aclose()


async def _connected(dial: Callable[[], Any]) -> Any:
    connection = dial()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            await connection.connect()
    except BaseException:
        await _hang_up(connection)
        raise
    return connection


def _ignore(_reply: Any) -> None:
    """Think nothing of how many have heard a message."""


async def _hang_up(connection: Any) -> None:
    with contextlib.suppress(*FAILURES):
        await connection.disconnect(nowait=True)


async def _is_sharded(connection: Any) -> bool:
    """Redis 7 and later, unless it is a cluster; a server that does not introduce itself is older."""
    await connection.send_command("HELLO")
    try:
        said = await connection.read_response()
    except ResponseError:
        return False
    facts = dict(zip(said[::2], said[1::2], strict=True))
    return int(facts[b"version"].partition(b".")[0]) >= 7 and facts[b"mode"] != b"cluster"


def _options_of(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """How servers and how sentinels are reached: each with user and password of their own, all else in common."""
    given: dict[str, Any] = {**_options(), **parse_url(url)}
    secured = {"ssl": True} if given.pop("connection_class", None) else {}
    own = {name.removeprefix("sentinel_"): given.pop(name) for name in list(given) if name.startswith("sentinel_")}
    servers = {name: value for name, value in given.items() if name != "host"} | secured
    common = {name: value for name, value in servers.items() if name not in ("username", "password", "db")}
    return servers, common | own | {"socket_timeout": SENTINEL_SECONDS}


def _address(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError
    return parts.hostname, parts.port or _SENTINEL_PORT


def _options() -> dict[str, Any]:
    """RESP2, in which all that comes in is read in one place; no retries, for the bus begins anew instead."""
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": ANSWER_SECONDS,
        "socket_timeout": None,
    }
