"""Store in an SQL database: one SQLite file for one server, or PostgreSQL for several servers.

An append is durable when the database has synced its write-ahead log. Statements are SQLAlchemy
Core, and each port is in the file of its name. database.py declares what a database must do.
sqlite/ and postgres/ do it, and hold everything in which the two differ.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Self

from sqlalchemy import Connection

from server.store.access_requests import SqlAccessRequests
from server.store.answers import SqlAnswers
from server.store.attachments import SqlAttachments
from server.store.catalogue import SqlCatalogue, SqlDeeds
from server.store.database import Database, change, to_microseconds, upsert, utc_now
from server.store.inbox import SqlInboxes
from server.store.log import SqlLog
from server.store.open_marks import SqlOpenMarks
from server.store.postgres.place import Place, is_postgres_url
from server.store.schema import sign_of_life
from server.store.service_tokens import SqlServiceTokens
from server.store.set_aside import SqlSetAsides
from server.store.sharing import SqlSharing
from server.store.shelf import SqlShelf
from server.store.sqlite import sqlite_path, sqlite_url
from server.store.threads import SqlThreads
from server.store.users import SqlSecrets, SqlUsers


def url_of(database_url: str | None, data_dir: Path) -> str:
    """Return the database's URL: the one that was named, or else a file in the data directory."""
    return database_url or sqlite_url(data_dir)


def place_of(url: str) -> str:
    """Name a database for people: a file, or a server without user and password.

    Raises Unavailable if the URL cannot be read.
    """
    return Place.of(url).name if is_postgres_url(url) else str(sqlite_path(url))


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
        """Take a database, e.g. by `sqlite.sqlite_url(data_dir)`. `async with` opens it.

        Args:
            place: `sqlite:////absolute/path` or `postgresql://user:password@host/database`, or the
                database itself.
            history_bytes: most bytes of compressed raw rows, and of the snapshots that they build
                on, to keep per document. Rows since the last snapshot but one are always kept, and
                do not count.
            history_age: greatest age of the rows that count, or None for any age.
            max_bytes: greatest size of SQLite's file. Beyond it appends are refused as Unavailable
                until there is room again.
            deadline: seconds in which PostgreSQL has to answer. After them calls end as
                Unavailable. SQLite always answers.
            clock: returns the present time, in UTC.
        """
        self.database = _database(place, max_bytes, deadline) if isinstance(place, str) else place
        self._clock = clock
        self.log = SqlLog(self.database, clock, history_bytes, history_age)
        self.catalogue = SqlCatalogue(self.database, clock)
        self.attachments = SqlAttachments(self.database, clock)
        self.open_marks = SqlOpenMarks(self.database, clock)
        self.set_aside = SqlSetAsides(self.database, clock)
        self.access_requests = SqlAccessRequests(self.database, clock)
        self.shelf = SqlShelf(self.database, clock)
        self.threads = SqlThreads(self.database, clock)
        self.inboxes = SqlInboxes(self.database, clock)
        self.sharing = SqlSharing(self.database, clock)
        self.users = SqlUsers(self.database, clock)
        self.secrets = SqlSecrets(self.database, clock)
        self.answers = SqlAnswers(self.database, clock)
        self.service_tokens = SqlServiceTokens(self.database, clock)
        self.deeds = SqlDeeds(self.database, clock)

    async def __aenter__(self) -> Self:
        """Open the database, and bring its tables up to date.

        Raises Unavailable, with a sentence for the operator, if that is not possible.
        """
        await self.database.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.database.close()

    async def check(self) -> None:
        """Check that there is room, and commit a small change."""
        await self.database.check_room()
        await self.database.write(partial(_sign, at=to_microseconds(self._clock())))


def _database(url: str, max_bytes: int | None, deadline: float) -> Database:
    """Return the database that a URL names.

    Only that kind is imported, because PostgreSQL's driver needs a second half of SQLAlchemy.
    """
    if is_postgres_url(url):
        from server.store.postgres.database import PostgresDatabase

        return PostgresDatabase(url, deadline=deadline)
    from server.store.sqlite.database import SqliteDatabase

    return SqliteDatabase(url, max_bytes=max_bytes)


def _sign(connection: Connection, at: int) -> None:
    change(connection, upsert(connection.dialect.name, sign_of_life), id=1, at=at)
