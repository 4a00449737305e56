"""Database in SQLite: one thread that writes, a few that read, and a transaction around every job.

Jobs are plain functions of a connection. A job that has begun runs to its end, even if its caller
has stopped waiting. Writing jobs run one after the other, in the order in which they were given.
This order, and SQLite's single writer, make the order of commits. The callers bound the number of
waiting jobs: the committer has one append under way, and rooms bound what they hold.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from sqlite3 import Connection as DriverConnection
from threading import Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

from crdt.errors import Unavailable
from server.store.base import Append, AppendOutcome
from server.store.contributors import Known
from server.store.migrate import migrate
from server.store.sqlite import file
from server.store.sqlite.append import append_all
from server.store.sqlite.driver import driver_of
from server.store.sqlite.failures import DATABASE_ERRORS, translate, translated
from server.store.sqlite.readers import Readers

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
        Thread(target=self._work, name="store-writer", daemon=True).start()

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
            except DATABASE_ERRORS as raised:
                error = translate(raised, self._path)
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


@dataclass(frozen=True, slots=True)
class _Open:
    path: Path
    engine: Engine
    writing: Connection
    driver: DriverConnection  # of `writing`
    writer: _Writer
    readers: Readers
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
            file.inspect(path)
            engine = file.make_engine(path, readers=READERS, max_bytes=self._max_bytes)
            resources.callback(engine.dispose)
            writing = resources.enter_context(engine.connect().execution_options(writes=True))
            with writing.begin():
                migrate(writing)
            readers = Readers(engine, READERS)
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
        await opened.writer.run(partial(file.check_room, opened.driver, opened.path))

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
