"""Database under the store's ports: runs jobs in a transaction each. A job is a plain function.

A job takes a connection, and holds what SQLite and PostgreSQL have in common: SQLAlchemy Core
statements. A job assumes only that a row which it has locked or changed stays as it is until the
job ends. So jobs are correct with writers that take turns (SQLite), and with writers on many nodes
at once (PostgreSQL). The database may give a job up for another one, and the job then runs again
from its beginning. So a job must change nothing but the database.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from server.store.base import Append, AppendOutcome

T = TypeVar("T")


class Database(Protocol):
    """One database. `open` and `close` may alternate.

    All methods raise Unavailable or InvariantError, and never a driver's error.
    """

    async def open(self) -> None:
        """Check the database, and migrate it.

        Raises Unavailable, and leaves nothing open, if that is not possible.
        """

    async def close(self) -> None:
        """Close after everything under way has ended."""

    def append(self, appends: Sequence[Append], now: int) -> Awaitable[Sequence[AppendOutcome]]:
        """Append to the logs in one transaction, as the log port promises.

        `now` is in microseconds since 1970.
        """

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction, and commit. If the job raises, the database is unchanged."""

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that sees one state of the database, the state at its first statement."""

    async def compute(self, job: Callable[[], T]) -> T:
        """Run a long computation that needs no connection, outside of the event loop's thread."""

    async def check_room(self) -> None:
        """Raise Unavailable if the next writes would find no room, as far as this can be known."""

    async def give_back(self) -> None:
        """Return the space of deleted rows, if the database does not do so by itself."""
