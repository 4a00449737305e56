"""The open SQLite database: a thread that writes, a few that read, a transaction around every job.

Jobs are plain functions of a connection and run to their end once begun, also when whoever asked
has stopped waiting. Writing jobs run one after the other in the order in which they were asked for;
that, and SQLite's single writer, is the order of commits. What waits is bounded by those who ask:
the committer has one append under way, rooms bound what they hold.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine

from crdt.errors import Unavailable
from server.store.base import Append, AppendOutcome
from server.store.contributors import Known
from server.store.migrate import migrate
from server.store.sqlite import file
from server.store.sqlite.append import append_all
from server.store.sqlite.driver import driver_of
from server.store.sqlite.failures import translated
from server.store.sqlite.readers import Readers
from server.store.sqlite.writer import Writer

T = TypeVar("T")

READERS = 4
"""Threads that read: a large document being loaded must not hold up small ones. SQLite lets go of the GIL while it works."""


@dataclass(frozen=True, slots=True)
class _Open:
    path: Path
    engine: Engine
    writing: Connection
    writer: Writer
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
        writer = Writer()
        try:
            self._open = await writer.run(partial(self._open_now, writer))
        except BaseException:
            writer.close()
            raise

    def _open_now(self, writer: Writer) -> _Open:
        with contextlib.ExitStack() as resources:
            path = file.sqlite_path(self._url)
            resources.enter_context(file.locked(path))
            file.inspect(path)
            engine = file.make_engine(path, readers=READERS, max_bytes=self._max_bytes)
            resources.callback(engine.dispose)
            with translated(path):
                writing = resources.enter_context(engine.connect().execution_options(writes=True))
                with writing.begin():
                    migrate(writing)
            readers = Readers(engine, READERS)
            kept = resources.pop_all()
        return _Open(path, engine, writing, writer, readers, kept, Known())

    async def close(self) -> None:
        """Let what is under way end, then leave the database as a single file."""
        if (opened := self._open) is None:
            return
        self._open = None
        try:
            await opened.writer.run(partial(self._close_now, opened))
        finally:
            opened.writer.close()

    def _close_now(self, opened: _Open) -> None:
        opened.readers.close()
        with opened.resources, contextlib.suppress(Unavailable), translated(opened.path):
            file.checkpoint(driver_of(opened.writing))

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[AppendOutcome]:
        """Commit all batches in one transaction."""
        opened = self._opened()
        return await opened.writer.run(partial(self._append_now, opened, appends, now))

    def _append_now(self, opened: _Open, appends: Sequence[Append], now: int) -> Sequence[AppendOutcome]:
        with translated(opened.path):
            return append_all(driver_of(opened.writing), appends, now, opened.contributors)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction of its own and commit what it did; whatever it raises leaves the database unchanged."""
        opened = self._opened()
        return await opened.writer.run(partial(self._write_now, opened, job))

    def _write_now(self, opened: _Open, job: Callable[[Connection], T]) -> T:
        with translated(opened.path), opened.writing.begin():
            return job(opened.writing)

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that sees one state of the database, that of its first statement."""
        opened = self._opened()
        return await opened.readers.run(partial(self._read_now, opened, job))

    def _read_now(self, opened: _Open, job: Callable[[Connection], T]) -> T:
        with translated(opened.path, reading=True):
            return opened.readers.read(job)

    async def compute(self, job: Callable[[], T]) -> T:
        """Run what takes long but needs no connection beside the readers, out of the event loop's way."""
        return await self._opened().readers.run(job)

    async def check_room(self) -> None:
        """Look at the file's limit, and whether its directory takes a file of some size."""
        opened = self._opened()
        await opened.writer.run(partial(self._check_room_now, opened))

    def _check_room_now(self, opened: _Open) -> None:
        with translated(opened.path):
            file.check_room(driver_of(opened.writing), opened.path)

    async def give_back(self) -> None:
        """Return space that deleted rows have left behind to the file system."""
        opened = self._opened()
        while await opened.writer.run(partial(self._give_back_now, opened)):
            pass

    def _give_back_now(self, opened: _Open) -> bool:
        with translated(opened.path):
            return file.give_back(driver_of(opened.writing), opened.path)

    def _opened(self) -> _Open:
        if self._open is None:
            raise Unavailable("The store is not open.")
        return self._open
