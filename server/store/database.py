"""What the four ports ask of a database, whichever it is: to run jobs, plain functions of a connection, in a transaction each.

Jobs hold what SQLite and PostgreSQL have in common: SQLAlchemy Core statements. They assume only
that a row which they have locked or changed stays theirs until they end, so they are right whether
writers take turns (SQLite) or come from many nodes at once (PostgreSQL). A job may run again from
the beginning when the database gave it up for another, so it changes nothing but the database.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from server.store.base import Append, AppendOutcome

T = TypeVar("T")


class Database(Protocol):
    """One database; `open` and `close` may alternate. Everything raises Unavailable or InvariantError, never a driver's error."""

    async def open(self) -> None:
        """Look at the database and migrate it; raises Unavailable and leaves nothing open when that cannot be."""

    async def close(self) -> None:
        """Close when what is under way has ended."""

    def append(self, appends: Sequence[Append], now: int) -> Awaitable[Sequence[AppendOutcome]]:
        """Append to the logs in one transaction, as the log port promises. `now`: microseconds since 1970."""

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction and commit what it did; whatever it raises leaves the database unchanged."""

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job that sees one state of the database, that of its first statement."""

    async def compute(self, job: Callable[[], T]) -> T:
        """Run what takes long but needs no connection, out of the event loop's way."""

    async def check_room(self) -> None:
        """Raise Unavailable if what people write now would find no room, as far as that can be told beforehand."""

    async def give_back(self) -> None:
        """Return space that deleted rows have left behind, if the database doesn't do it by itself."""
