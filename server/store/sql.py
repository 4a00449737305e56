"""The store on an SQL database: SQLite, one file for one server, or PostgreSQL for any number of them.

An append is durable when the database has synced its write-ahead log. Statements are SQLAlchemy
Core; what is peculiar to one database is in sqlite/ and postgres/ behind what database.py asks of
both; each port is in the file of its name.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from server.store.attachments import SqlAttachments
from server.store.catalogue import SqlCatalogue
from server.store.database import Database
from server.store.deeds import SqlDeeds
from server.store.log import SqlLog
from server.store.open_marks import SqlOpenMarks
from server.store.postgres import is_postgres_url, shown
from server.store.schema import sign_of_life
from server.store.set_aside import SqlSetAsides
from server.store.sharing import SqlSharing
from server.store.sqlite import sqlite_path, sqlite_url
from server.store.statements import change, upsert
from server.store.titles import to_microseconds, utc_now
from server.store.users import SqlSecrets, SqlUsers


def url_of(database_url: str | None, data_dir: Path) -> str:
    """Where the documents are: the database that was named, or else a file in the data directory."""
    return database_url or sqlite_url(data_dir)


def place_of(url: str) -> str:
    """Name a database for people: a file, or a server without user and password. Raises Unavailable when the URL cannot be read."""
    return shown(url) if is_postgres_url(url) else str(sqlite_path(url))


class SqlStore:
    """All ports over one database."""

    def __init__(
        self,
        place: str | Database,
        *,
        history_bytes: int = 0,
        history_age: timedelta | None = None,
        max_bytes: int | None = None,
        deadline: float = 10.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Name a database, e.g. by `sqlite.sqlite_url(data_dir)`; it is opened by `async with`.

        Args:
            place: `sqlite:////absolute/path` or `postgresql://user:password@host/database`, or the
                database itself.
            history_bytes: compressed raw rows, and the snapshots that they build on, to keep per
                document beyond those since the last snapshot but one, which are always kept.
            history_age: how old the rows beyond those may be; None: as old as they like.
            max_bytes: what SQLite's file may grow to; past it appends are refused as Unavailable
                until there is room again.
            deadline: seconds in which PostgreSQL has to answer; past them calls end as Unavailable.
                SQLite always answers.
            clock: tells when a document was last edited.
        """
        self._database = _database(place, max_bytes, deadline) if isinstance(place, str) else place
        self._clock = clock
        self.log = SqlLog(self._database, clock, history_bytes, history_age)
        self.catalogue = SqlCatalogue(self._database, clock)
        self.attachments = SqlAttachments(self._database)
        self.open_marks = SqlOpenMarks(self._database, clock)
        self.set_aside = SqlSetAsides(self._database, clock)
        self.sharing = SqlSharing(self._database, clock)
        self.users = SqlUsers(self._database, clock)
        self.secrets = SqlSecrets(self._database)
        self.deeds = SqlDeeds(self._database)

    @classmethod
    def in_memory(cls, clock: Callable[[], datetime] = utc_now) -> Self:
        """A store that lives as long as the object and needs no `async with`, for tests and the simulation."""
        from server.store.sqlite.memory import SqliteInMemory

        return cls(SqliteInMemory(), clock=clock)

    async def __aenter__(self) -> Self:
        """Open and bring the tables up to date; raises Unavailable with a sentence for the operator when that cannot be."""
        await self._database.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close when everything under way has ended."""
        await self._database.close()

    async def check(self) -> None:
        """Commit something small, where there is room for more than that."""
        await self._database.check_room()
        await self._database.write(partial(_sign, at=to_microseconds(self._clock())))


def _database(url: str, max_bytes: int | None, deadline: float) -> Database:
    """The database that a URL names. Only its own kind is imported: PostgreSQL's driver comes with a second half of SQLAlchemy."""
    if is_postgres_url(url):
        from server.store.postgres.database import PostgresDatabase

        return PostgresDatabase(url, deadline=deadline)
    from server.store.sqlite.database import SqliteDatabase

    return SqliteDatabase(url, max_bytes=max_bytes)


def _sign(connection: Connection, at: int) -> None:
    change(connection, upsert(connection.dialect.name, sign_of_life), id=1, at=at)
