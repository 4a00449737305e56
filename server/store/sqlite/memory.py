"""A SQLite database in memory, for tests and the simulation: the same statements as on a file, without threads.

Every job runs to its end in the turn of the event loop in which it was asked for. What is stored
lives as long as the object, also across `close` and `open`.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from sqlite3 import Connection as DriverConnection
from typing import TypeVar

from sqlalchemy import Connection, Engine, NullPool, create_engine, event

from server.store.base import Append, AppendOutcome
from server.store.contributors import Known
from server.store.migrate import migrate
from server.store.sqlite.append import append_all
from server.store.sqlite.driver import driver_of
from server.store.sqlite.failures import translated

T = TypeVar("T")

_PLACE = Path(":memory:")


class SqliteInMemory:
    """A database of its own for each object, with the tables in place."""

    def __init__(self) -> None:
        self._contributors: Known = {}

    async def open(self) -> None:
        """Nothing to open: the first job does that."""

    async def close(self) -> None:
        """Nothing to close: what is stored stays."""

    async def append(self, appends: Sequence[Append], now: int) -> Sequence[AppendOutcome]:
        """Commit all batches in one transaction."""
        with translated(_PLACE):
            return append_all(driver_of(self.connection), appends, now, self._contributors)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction."""
        driver = driver_of(self.connection)
        with translated(_PLACE):
            driver.execute("BEGIN")
            try:
                outcome = job(self.connection)
                driver.execute("COMMIT")
                return outcome
            finally:
                self.connection.rollback()  # SQLAlchemy believes to have begun a transaction itself
                driver.rollback()

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job. It sees one state, because nothing else runs meanwhile."""
        with translated(_PLACE, reading=True):
            try:
                return job(self.connection)
            finally:
                self.connection.rollback()

    async def compute(self, job: Callable[[], T]) -> T:
        """Run a job."""
        return job()

    async def check_room(self) -> None:
        """Memory is always there."""

    async def give_back(self) -> None:
        """Free pages are used again."""

    @cached_property
    def connection(self) -> Connection:
        """What every job is given."""
        return _engine().connect()


@cache
def _engine() -> Engine:
    """One for all databases: an engine of their own would compile every statement again."""
    engine = create_engine("sqlite://", poolclass=NullPool, connect_args={"isolation_level": None})

    @event.listens_for(engine, "connect")
    def connect(connection: DriverConnection, _record: object) -> None:
        driver_of(_model()).backup(connection)
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


@cache
def _model() -> Connection:
    """An empty database with the tables: copying it takes 0.1 ms, making them 7 ms."""
    connection = create_engine("sqlite://", poolclass=NullPool).connect()
    with connection.begin():
        migrate(connection)
    return connection
