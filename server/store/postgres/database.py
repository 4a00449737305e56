"""Database in PostgreSQL: a pool of sessions for jobs, and a session of its own for appends.

Everything has a deadline. Jobs are the same plain functions as for SQLite, and SQLAlchemy lets them
wait for asyncpg without a thread. Every error ends its session, so no session is used in an unknown
state. The next session is a new one, also after the server was away. A job that the server gave up
for another one runs again. The caller gets every other error.
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
"""Sessions per node beside the one that appends. By default PostgreSQL allows 100 in all."""

_ATTEMPTS = 5  # of a job that is given up: each time, the job that it collided with has got through
_OPENING_SECONDS = 600.0  # a migration by another node may take as long


@dataclass(slots=True)
class _Open:
    place: Place
    writing: AsyncEngine
    reading: AsyncEngine  # the same sessions, with transactions that see one state of the database
    appender: Appender
    computing: ThreadPoolExecutor
    under_way: int = 0


class PostgresDatabase:
    """The database that a URL names. `open` and `close` may alternate."""

    def __init__(self, url: str, *, deadline: float) -> None:
        """Take the URL. `deadline` is in seconds, and includes the wait for a free session."""
        self._url = url
        self._deadline = deadline
        self._open: _Open | None = None
        self._quiet = asyncio.Event()

    async def open(self) -> None:
        """Check the server, and migrate the database.

        Raises Unavailable, and leaves nothing open, if that is not possible.
        """
        place = Place.of(self._url)
        with translated(place):
            async with asyncio.timeout(_OPENING_SECONDS):
                await prepare(place, seconds=_OPENING_SECONDS)
        writing = make_engine(place, connections=SESSIONS, statement_seconds=self._deadline)
        reading = writing.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        appender = Appender(partial(connect, place, self._deadline))
        self._open = _Open(place, writing, reading, appender, ThreadPoolExecutor(1, "store-computing"))

    async def close(self) -> None:
        """Let everything under way end, within its deadline, and then end the sessions."""
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
        """Commit all batches in one statement. Groups of this node go one after the other."""
        opened = self._opened()
        return await self._run(opened, partial(opened.appender.append, appends, now))

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction, and commit.

        Each statement of the job sees what was committed when the statement began.
        """
        opened = self._opened()
        return await self._run(opened, partial(_transact, opened.writing, job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        opened = self._opened()
        return await self._run(opened, partial(_transact, opened.reading, job), reading=True)

    async def compute(self, job: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._opened().computing, job)

    async def check_room(self) -> None:
        """Do nothing, because only writing tells whether a server's disk has room."""

    async def give_back(self) -> None:
        """Do nothing, because PostgreSQL's autovacuum does it."""

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
