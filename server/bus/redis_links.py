"""Links to Redis: from a URL to a pair of connections, one to publish on and one to listen on.

- `redis://`, `rediss://` (TLS) and `unix://` name one server. They carry user and password, and
  redis-py's own options in the query.
- `redis+sentinel://[user:password@]host:port,host:port/service` asks the sentinels for the present
  master each time. User and password are the servers' own. Those of the sentinels are in the query,
  as `sentinel_username` and `sentinel_password`.
- `redis+cluster://[user:password@]host:port,host:port` takes the first node that answers, because
  the nodes of a cluster pass messages on to each other.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from server.bus.redis_wire import Wire

ANSWER_SECONDS = 2.0
"""Seconds without an answer after which Redis counts as away."""

SENTINEL_SECONDS = 0.5
"""Seconds without an answer after which the next sentinel is asked."""

FAILURES = (RedisError, OSError, TimeoutError)
"""Exceptions that mean that Redis is away."""

_SENTINEL_PORT = 26379


class RedisLink(Struct, frozen=True):
    """Two open connections to one server.

    `sharded` means that the server knows sharded pub/sub, and is not in a cluster. In a cluster,
    sharded messages would need the right server for each document. Plain messages reach every
    server.
    """

    publishing: Wire
    listening: Wire
    sharded: bool


class RedisConnector:
    """Connections to the Redis that a URL names. Raises ValueError for other URLs."""

    def __init__(self, url: str) -> None:
        self._sentinels: Sequence[Any] = ()
        scheme, _, kind = urlsplit(url).scheme.partition("+")
        try:
            self._dials = self._by_kind(url, scheme, kind)
        except (ValueError, TypeError):
            # The message quotes neither the URL, which may hold a password, nor redis-py's error.
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
        """Open two connections to the first server that answers, and close them at the end.

        `hear` is called with each reply on the listening connection, except errors. Raises one of
        FAILURES.
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
        """Close the connections to the sentinels."""
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
    """Ignore the number of subscribers, with which Redis answers PUBLISH."""


async def _hang_up(connection: Any) -> None:
    with contextlib.suppress(*FAILURES):
        await connection.disconnect(nowait=True)


async def _is_sharded(connection: Any) -> bool:
    """Whether the server is Redis 7 or later, and not in a cluster.

    A server that does not know HELLO is older.
    """
    await connection.send_command("HELLO")
    try:
        said = await connection.read_response()
    except ResponseError:
        return False
    facts = dict(zip(said[::2], said[1::2], strict=True))
    return int(facts[b"version"].partition(b".")[0]) >= 7 and facts[b"mode"] != b"cluster"


def _options_of(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options for servers, and those for sentinels.

    User, password and database differ between the two. All other options are the same.
    """
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
    """Return the options of every connection.

    RESP2, so that all replies are read in one place. No retries, because the bus begins anew.
    """
    return {
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
        "socket_connect_timeout": ANSWER_SECONDS,
        "socket_timeout": None,
    }
