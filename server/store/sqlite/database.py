"""The open SQLite database: a thread that writes, a few that read, a transaction around every job.

Jobs are plain functions of a connection and run to their end once begun, also when whoever asked
has stopped waiting. Writing jobs run one after the other in the order in which they were asked for;
that, and SQLite's single writer, is the order of commits. What waits is bounded by those who ask:
the committer has one append under way, rooms bound what they hold.
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
"""Threads that read: a large document being loaded must not hold up small ones. SQLite lets go of the GIL while it works."""


class _Writer:
    """The thread that writes: jobs run one after the other, in the order in which they were given, each to its end.

    It belongs to the event loop that is running. `concurrent.futures` does the same with two
    futures, a condition and a chain of callbacks for each job; where a job is a commit of 0.3 ms,
    that is another 0.2 ms of processor time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[tuple[asyncio.Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        Thread(target=self._work, name="store-writer", daemon=True).start()

    def run(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        """Have a job done; whoever stops waiting before it has begun takes it back."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((future, job))
        return future

    def close(self) -> None:
        """Let the thread end when it has done what it was given."""
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
            except BaseException as raised:  # noqa: BLE001 - whatever it is, it belongs to whoever waits
                error = raised
            self._loop.call_soon_threadsafe(_settle, future, result, error)
            del given, future, job, result, error  # what a job holds is not kept until the next one comes


def _settle(future: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if future.done():
        return  # whoever waited has stopped waiting
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
    """The file that a URL names; `open` and `close` may alternate."""

    def __init__(self, url: str, *, max_bytes: int | None) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._open: _Open | None = None

    async def open(self) -> None:
        """Take the lock, look, migrate; raises Unavailable and leaves nothing open when that cannot be."""
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
        """Let what is under way end, then leave the database as a single file."""
        if (opened := self._open) is None:
            return
        self._open = None
        try:
            with contextlib.suppress(Unavailable):
                await opened.writer.run(partial(_close_now, opened))
        finally:
            opened.writer.close()

    def append(self, appends: Sequence[Append], now: int) -> Awaitable[Sequence[AppendOutcome]]:
        """Commit all batches in one transaction."""
        opened = self._opened()
        return opened.writer.run(partial(append_all, opened.driver, appends, now, opened.contributors))

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction of its own and commit what it did; whatever it raises leaves the database unchanged."""
        opened = self._opened()
        return await opened.writer.run(partial(_write_now, opened, job))

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that sees one state of the database, that of its first statement."""
        opened = self._opened()
        return await opened.readers.run(partial(_read_now, opened, job))

    async def compute(self, job: Callable[[], T]) -> T:
        """Run what takes long but needs no connection beside the readers, out of the event loop's way."""
        return await self._opened().readers.run(job)

    async def check_room(self) -> None:
        """Look at the file's limit, and whether its directory takes a file of some size."""
        opened = self._opened()
        await opened.writer.run(partial(file.check_room, opened.driver, opened.path))

    async def give_back(self) -> None:
        """Return space that deleted rows have left behind to the file system."""
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
