"""Database in SQLite: one thread that writes, a few that read, and a transaction around every job.

Jobs are plain functions of a connection. A job that has begun runs to its end, even if its caller
has stopped waiting. Writing jobs run one after the other, in the order in which they were given.
This order, and SQLite's single writer, make the order of commits. The callers bound the number of
waiting jobs: the committer has one append under way, and rooms bound what they hold.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from crdt.errors import Code, InvariantError, ManyhandsError, Unavailable
from server.store.base import Append, AppendOutcome
from server.store.contributors import Known
from server.store.database import driver_of
from server.store.migrate import migrate
from server.store.sqlite import file
from server.store.sqlite.append import append_all

T = TypeVar("T")

READERS = 4
"""Threads that read, so that loading a large document does not hold up small ones.

SQLite releases the GIL while it works.
"""


class _Writer:
    """The thread that writes. Jobs run one after the other in the order given, each to its end.

    The thread belongs to the running event loop. `concurrent.futures` does the same with two
    futures, a condition and a chain of callbacks for each job. They take 0.2 ms of processor time,
    beside a commit of 0.3 ms.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        threading.Thread(target=self._work, name="store-writer", daemon=True).start()

    def run(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        """Give the thread a job. Cancelling the future takes the job back, unless it has begun."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((future, job))
        return future

    def close(self) -> None:
        """Let the thread end after the jobs that it was given."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (given := self._jobs.get()) is not None:
            future, job = given
            if future.cancelled():
                continue
            result: object = None
            error: BaseException | None = None
            try:
                result = job()
            except _DATABASE_ERRORS as raised:
                error = _translate(raised, self._path)
                error.__cause__ = raised
            except BaseException as raised:  # noqa: BLE001 - every error belongs to the waiting caller
                error = raised
            self._loop.call_soon_threadsafe(_settle, future, result, error)
            # Nothing that this job holds is kept until the next job comes.
            del given, future, job, result, error


def _settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return  # the caller has stopped waiting
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class _Readers:
    """Threads that read, made on demand with a connection each, and kept until `close`.

    Taking a connection from a pool, and giving it back, would cost as much as a small query.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(READERS, "store-reader")
        self._own = threading.local()
        self._connections: set[Connection] = set()

    def run(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        """Run a job in a free thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, job)

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction. Only the threads may call this.

        After an error the thread takes another connection.
        """
        connection = self._connection()
        try:
            with connection.begin():
                return job(connection)
        except BaseException:
            del self._own.connection
            self._connections.discard(connection)
            connection.invalidate()
            connection.close()
            raise

    def close(self) -> None:
        """Let everything under way end, and close the connections."""
        self._threads.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._engine.connect()
            self._connections.add(connection)
        return connection


class _Open(Struct, frozen=True):
    path: Path
    engine: Engine
    writing: Connection
    driver: sqlite3.Connection  # of `writing`
    writer: _Writer
    readers: _Readers
    resources: contextlib.ExitStack
    contributors: Known


class SqliteDatabase:
    """The database in the file that a URL names. `open` and `close` may alternate."""

    def __init__(self, url: str, *, max_bytes: int | None) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._open: _Open | None = None

    async def open(self) -> None:
        """Take the lock, check the file, and migrate it.

        Raises Unavailable, and leaves nothing open, if that is not possible.
        """
        path = file.sqlite_path(self._url)
        writer = _Writer(path)
        try:
            self._open = await writer.run(partial(self._open_now, path, writer))
        except BaseException:
            writer.close()
            raise

    def _open_now(self, path: Path, writer: _Writer) -> _Open:
        with contextlib.ExitStack() as resources:
            resources.enter_context(file.locked(path))
            with translated(path):
                file.inspect(path)
                file.keep_private(path)
            engine = _make_engine(path, max_bytes=self._max_bytes)
            resources.callback(engine.dispose)
            writing = resources.enter_context(engine.connect().execution_options(writes=True))
            with writing.begin():
                migrate(writing)
            readers = _Readers(engine)
            kept = resources.pop_all()
        return _Open(path, engine, writing, driver_of(writing), writer, readers, kept, {})

    async def close(self) -> None:
        """Let everything under way end, and leave the database as a single file."""
        if (opened := self._open) is None:
            return
        self._open = None
        try:
            with contextlib.suppress(Unavailable):
                await opened.writer.run(partial(_close_now, opened))
        finally:
            opened.writer.close()

    def append(self, appends: Sequence[Append], now: int) -> Awaitable[Sequence[AppendOutcome]]:
        opened = self._opened()
        return opened.writer.run(partial(append_all, opened.driver, appends, now, opened.contributors))

    async def write(self, job: Callable[[Connection], T]) -> T:
        opened = self._opened()
        return await opened.writer.run(partial(_write_now, opened, job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        opened = self._opened()
        return await opened.readers.run(partial(_read_now, opened, job))

    async def compute(self, job: Callable[[], T]) -> T:
        # The readers' threads do this too, without their connections.
        return await self._opened().readers.run(job)

    async def check_room(self) -> None:
        """Check the file's limit, and whether there is room in its directory."""
        opened = self._opened()
        if not await opened.writer.run(partial(file.has_room, opened.driver, opened.path)):
            raise Unavailable(_SENTENCES[sqlite3.SQLITE_FULL].format(path=opened.path))

    async def give_back(self) -> None:
        opened = self._opened()
        while await opened.writer.run(partial(file.give_back, opened.driver, opened.path)):
            pass

    def _opened(self) -> _Open:
        if self._open is None:
            raise Unavailable("The store is not open.")
        return self._open


def _write_now(opened: _Open, job: Callable[[Connection], T]) -> T:
    with opened.writing.begin():
        return job(opened.writing)


def _read_now(opened: _Open, job: Callable[[Connection], T]) -> T:
    with translated(opened.path, reading=True):
        return opened.readers.read(job)


def _close_now(opened: _Open) -> None:
    opened.readers.close()
    with opened.resources:
        file.checkpoint(opened.driver)


def _make_engine(path: Path, *, max_bytes: int | None) -> Engine:
    """Describe one connection that writes, and some that read. Nothing is opened yet.

    A connection with the execution option `writes` takes SQLite's write lock when a transaction
    begins. A transaction that began by reading could not be sure to get the lock later.
    """
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=READERS + 1,
        max_overflow=0,
        hide_parameters=True,  # because errors are logged, and parameters are people's texts
        connect_args={"check_same_thread": False, "timeout": file.BUSY_SECONDS, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        # The order matters: auto_vacuum can only be chosen while the file is empty, and choosing
        # the journal's mode writes to the file. Choosing auto_vacuum again would write too, which a
        # connection that reads cannot do on a full disk.
        mode = None
        chosen = connection.execute("PRAGMA auto_vacuum").fetchone()[0]
        for pragma in (
            *(() if chosen else ("auto_vacuum = INCREMENTAL",)),
            "journal_mode = WAL",
            "synchronous = FULL",  # because NORMAL may lose acknowledged edits in a power cut
            "foreign_keys = ON",
            f"max_page_count = {max_bytes // file.PAGE_BYTES if max_bytes else 2**32 - 2}",
        ):
            answer = connection.execute(f"PRAGMA {pragma}").fetchone()
            mode = answer[0] if pragma.startswith("journal_mode") else mode
        if mode != "wal":
            raise Unavailable(f"The disk with {path} cannot hold a write-ahead log; use a local disk.")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine


# Failures become our own errors, with a sentence for the operator. Nothing else of the store knows
# the driver's exceptions, so none of them leaves the store.

_SENTENCES = {
    sqlite3.SQLITE_FULL: "There is no room left for {path}. Make room on its disk, or raise its limit; waiting edits are then saved.",
    sqlite3.SQLITE_IOERR: "The disk with {path} reports an error ({error}). Make room on it and check it; waiting edits are then saved.",
    sqlite3.SQLITE_READONLY: "{path} cannot be written. Let the server's user write to it and to its directory.",
    sqlite3.SQLITE_PERM: "{path} cannot be written. Let the server's user write to it and to its directory.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened. Let the server's user read and write it and its directory.",
    sqlite3.SQLITE_BUSY: "Another program has locked {path}. Let it finish or stop it; waiting edits are then saved.",
    sqlite3.SQLITE_LOCKED: "Another program has locked {path}. Let it finish or stop it; waiting edits are then saved.",
    sqlite3.SQLITE_NOTADB: "{path} is not a database. Nothing was changed. Move it away, or name another file.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}). Nothing was changed. Restore a backup, or try `sqlite3 … .recover`.",
}


_DATABASE_ERRORS = (sqlite3.Error, SQLAlchemyError)


@contextlib.contextmanager
def translated(path: Path, *, reading: bool = False) -> Iterator[None]:
    """Let only our own errors out of the block. `_translate` explains `reading`."""
    try:
        yield
    except _DATABASE_ERRORS as error:
        raise _translate(error, path, reading=reading) from error


def _translate(error: BaseException, path: Path, *, reading: bool = False) -> ManyhandsError:
    """Return our own error, which says what the operator can do.

    Unavailable may pass by itself, and InvariantError will not. With `reading`, the job read a
    document, so damage is a fault of this document only.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    primary = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if reading and primary == sqlite3.SQLITE_CORRUPT:
        return InvariantError(_SENTENCES[primary].format(path=path, error=cause), Code.QUARANTINED)
    if sentence := _SENTENCES.get(primary):
        return Unavailable(sentence.format(path=path, error=cause))
    if isinstance(cause, sqlite3.OperationalError):
        return Unavailable(f"The database {path} does not answer ({cause}).")
    return InvariantError(f"The database {path} was used wrongly ({cause}).", Code.INTERNAL)
