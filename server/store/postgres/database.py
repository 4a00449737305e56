"""The open PostgreSQL database: a pool of sessions for jobs, one session of its own for appends, a deadline on everything.

Jobs are the plain functions that SQLite runs too; SQLAlchemy lets them wait for asyncpg without a
thread. Whatever goes wrong on a session ends it: nobody has to know in which state it is, and the
next one that is asked for is new, also after the server was away. A job that the server gave up for
another's sake runs again; everything else is told to whoever asked.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crdt.errors import Unavailable
from server.store.base import Append, AppendOutcome
from server.store.postgres.append import Appender
from server.store.postgres.failures import is_overtaken, translated
from server.store.postgres.place import Place
from server.store.postgres.server import connect, hang_up, make_engine, prepare

T = TypeVar("T")

SESSIONS = 8
"""Sessions per node beside the one that appends: PostgreSQL allows 100 in all unless told otherwise."""

_ATTEMPTS = 5  # of a job that is given up again and again: those it collides with have got through each time
_OPENING_SECONDS = 600.0  # a migration by another node may take as long


@dataclass(slots=True)
class _Open:
    place: Place
    writing: AsyncEngine
    reading: AsyncEngine  # the same sessions, seeing one state of the database
    appender: Appender
    computing: ThreadPoolExecutor
    under_way: int = 0


class PostgresDatabase:
    """The database that a URL names; `open` and `close` may alternate."""

    def __init__(self, url: str, *, deadline: float) -> None:
        """`deadline`: seconds in which the server has to answer, waiting for a free session included."""
        self._url = url
        self._deadline = deadline
        self._open: _Open | None = None
        self._quiet = asyncio.Event()

    async def open(self) -> None:
        """Look and migrate; raises Unavailable and leaves nothing open when that cannot be."""
        place = Place.of(self._url)
        with translated(place):
            async with asyncio.timeout(_OPENING_SECONDS):
                await prepare(place, seconds=_OPENING_SECONDS)
        writing = make_engine(place, connections=SESSIONS, statement_seconds=self._deadline)
        reading = writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        appender = Appender(partial(connect, place, self._deadline))
        self._open = _Open(place, writing, reading, appender, ThreadPoolExecutor(1, "store-computing"))

    async def close(self) -> None:
        """Let what is under way end, which its deadline bounds, then end the sessions."""
        if (opened := self._open) is None:
            return
        self._open = None
        while opened.under_way:
            self._quiet.clear()
            await self._quiet.wait()
        await opened.writing.dispose()
        opened.appender.close()
        opened.computing.shutdown(wait=False)

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[AppendOutcome]:
        """Commit all batches in one statement; groups of this node go one after the other."""
        opened = self._opened()
        return await self._run(opened, partial(opened.appender.append, appends, now))

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction and commit what it did; each of its statements sees what is committed when it begins."""
        opened = self._opened()
        return await self._run(opened, partial(_transact, opened.writing, job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that sees one state of the database, that of its first statement."""
        opened = self._opened()
        return await self._run(opened, partial(_transact, opened.reading, job), reading=True)

    async def compute(self, job: Callable[[], T]) -> T:
        """Run what takes long but needs no connection in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._opened().computing, job)

    async def check_room(self) -> None:
        """Do nothing: a server's disk can only be told by writing to it."""

    async def give_back(self) -> None:
        """Do nothing: PostgreSQL's autovacuum does it."""

    async def _run(self, opened: _Open, attempt: Callable[[], Awaitable[T]], *, reading: bool = False) -> T:
        opened.under_way += 1
        try:
            with translated(opened.place, reading=reading):
                async with asyncio.timeout(self._deadline):
                    return await _until_through(attempt)
        finally:
            opened.under_way -= 1
            if not opened.under_way:
                self._quiet.set()

    def _opened(self) -> _Open:
        if self._open is None:
            raise Unavailable("The store is not open.")
        return self._open


async def _until_through(attempt: Callable[[], Awaitable[T]]) -> T:
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except (DBAPIError, asyncpg.PostgresError) as error:
            if not is_overtaken(error):
                raise
    return await attempt()


async def _transact(engine: AsyncEngine, job: Callable[[Connection], T]) -> T:
    async with _session(engine) as connection:
        done = await connection.run_sync(job)
        await connection.commit()
    return done


@contextlib.asynccontextmanager
async def _session(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    connection = await engine.connect()
    try:
        yield connection
    except BaseException:
        if connection.sync_connection is not None:
            hang_up(connection.sync_connection)
        await connection.invalidate()
        raise
    finally:
        await connection.close()
