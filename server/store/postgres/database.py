"""Database in PostgreSQL: a pool of sessions for jobs, and a session of its own for appends.

Everything has a deadline. Jobs are the same plain functions as for SQLite, and SQLAlchemy lets them
wait for asyncpg without a thread. Every error ends its session, so no session is used in an unknown
state. The next session is a new one, also after the server was away. A job that the server gave up
for another one runs again. The caller gets every other error.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import asyncpg
from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from crdt.errors import Code, InvariantError, ManyhandsError, Unavailable
from server.store.base import Append, AppendOutcome
from server.store.postgres.append import Appender
from server.store.postgres.place import Place
from server.store.postgres.server import connect, hang_up, make_engine, prepare

T = TypeVar("T")

SESSIONS = 8
"""Sessions per node beside the one that appends. By default PostgreSQL allows 100 in all."""

_ATTEMPTS = 5  # of a job that is given up: each time, the job that it collided with has got through
_OPENING_SECONDS = 600.0  # a migration by another node may take as long


class _Open(Struct):
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
        with _translated(place):
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
            with _translated(opened.place, reading=reading):
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
            if not _is_overtaken(error):
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


# Failures become our own errors, with a sentence for the operator. Nothing else of the store knows
# asyncpg's exceptions, so none of them leaves the store.

_DAMAGED = ("XX001", "XX002")
_OVERTAKEN = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "23505",  # unique_violation: another node did the same at the same moment
        "0A000",  # a statement was prepared before a migration
    }
)
_POOLER = (
    "The pooler before the database {place} does not let through what is needed ({error}). Name the PostgreSQL server itself, "
    "or a pooler that keeps sessions together (PgBouncer: pool_mode = session)."
)
_SENTENCES = {
    "08P01": _POOLER,  # protocol_violation
    "26000": _POOLER,  # invalid_sql_statement_name: it was prepared in another session
    "28P01": "The database {place} refuses the user name or the password. Correct the database URL.",
    "28000": "The database {place} refuses the user ({error}). Correct the database URL, or pg_hba.conf.",
    "3D000": "There is no database {place}. Make it, or correct the database URL.",
    "42501": "The user in the database URL may not do what is needed in {place} ({error}). Make it the owner of its schema.",
    "53100": "There is no room left on the disk of {place}. Make room; waiting edits are then saved.",
    "53300": "The database {place} has no connection left. Raise its max_connections; waiting edits are then saved.",
    "25006": "The database {place} can only be read. Name the primary server, not a standby.",
    "57014": "The database {place} took too long; it is overloaded or locked by another program.",
    "XX001": "The database {place} is damaged ({error}). Nothing was changed. Restore a backup.",
    "XX002": "The database {place} is damaged ({error}). Nothing was changed. Rebuild its indexes (REINDEX).",
}
# Classes of SQLSTATEs that may pass by themselves: the connection, resources, an operator's
# intervention, the server's system, locks.
_MAY_PASS = ("08", "25P03", "40", "53", "55P03", "57", "58")


@contextlib.contextmanager
def _translated(place: Place, *, reading: bool = False) -> Iterator[None]:
    """Let only our own errors out of the block.

    With `reading`, the block reads a document, so damage is a fault of this document only.
    """
    try:
        yield
    except (
        SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    ) as error:
        raise _translate(_cause(error), place, reading=reading) from error


def _is_overtaken(error: BaseException) -> bool:
    """Whether the database gave this transaction up for another one, so it has to run again."""
    return getattr(_cause(error), "sqlstate", None) in _OVERTAKEN


def _translate(error: BaseException, place: Place, *, reading: bool) -> ManyhandsError:
    """Return our own error, which says what the operator can do.

    Unavailable may pass by itself, and InvariantError will not.
    """
    state: str = getattr(error, "sqlstate", None) or ""
    words = place.redacted(str(error).partition("\n")[0]) or type(error).__name__
    if reading and state in _DAMAGED:
        return InvariantError(_SENTENCES[state].format(place=place.name, error=words), Code.QUARANTINED)
    if sentence := _SENTENCES.get(state):
        return Unavailable(sentence.format(place=place.name, error=words))
    if isinstance(error, TimeoutError):
        return Unavailable(f"The database {place.name} does not answer in time.")
    if _passes(error, state):
        return Unavailable(f"The database {place.name} does not answer ({words}).")
    return InvariantError(f"The database {place.name} was used wrongly ({words}).", Code.INTERNAL)


def _passes(error: BaseException, state: str) -> bool:
    if state:
        return state.startswith(_MAY_PASS)
    if isinstance(error, asyncpg.DataError | ValueError | asyncpg.UnsupportedClientFeatureError):
        return False
    # Errors without an SQLSTATE come from the operating system, or from asyncpg about a lost
    # connection.
    return isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def _cause(error: BaseException) -> BaseException:
    """Return the driver's own exception, because the text of SQLAlchemy's quotes the statement."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error
