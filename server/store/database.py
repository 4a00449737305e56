"""Database under the store's ports: runs jobs in a transaction each. A job is a plain function.

A job takes a connection, and holds what SQLite and PostgreSQL have in common: SQLAlchemy Core
statements. A job assumes only that a row which it has locked or changed stays as it is until the
job ends. So jobs are correct with writers that take turns (SQLite), and with writers on many nodes
at once (PostgreSQL). The database may give a job up for another one, and the job then runs again
from its beginning. So a job must change nothing but the database.
"""

import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from sqlite3 import Connection as DriverConnection
from sqlite3 import Cursor
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, Connection, Executable, Table, Text, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import Compiled

from server.store.base import Append, AppendOutcome

T = TypeVar("T")


P = ParamSpec("P")
S = TypeVar("S", bound="SqlPort")


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


class SqlPort:
    """One of the store's ports over a database. `reads` and `writes` run its methods as jobs."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.database = database
        self.clock = clock

    def now(self) -> int:
        return to_microseconds(self.clock())


def reads(job: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Run a method in a transaction that reads. The database gives the connection."""

    async def method(self: S, /, *given: P.args, **named: P.kwargs) -> T:
        return await self.database.read(lambda connection: job(self, connection, *given, **named))

    return method


def writes(job: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Run a method in a transaction that writes. The database gives the connection."""

    async def method(self: S, /, *given: P.args, **named: P.kwargs) -> T:
        return await self.database.write(lambda connection: job(self, connection, *given, **named))

    return method


# Statements that SQLite and PostgreSQL write differently, and moments as both store them: in
# microseconds since 1970, a number that every database can hold, compare and index.
# PostgreSQL's half of SQLAlchemy is imported where it is used, so SQLite starts without it.

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert

_PLAIN = (str, int, bytes, type(None))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

utc_now: Callable[[], datetime] = partial(datetime.now, UTC)
"""The clock that stores use unless they get another one."""


def to_microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Undo `to_microseconds`, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def insert(dialect: str, table: Table) -> "Insert":
    """Begin an INSERT that may continue with `on_conflict_…`."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    return sqlite.insert(table)


def _array() -> Any:
    from sqlalchemy.dialects.postgresql import ARRAY

    return ARRAY(Text)


def among(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Write the condition that a text is in the list that `fetch` gets under this name.

    The list is a single parameter, however long it is.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=_array()))
    return column.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))


@cache
def unless_there(dialect: str, table: Table) -> "Insert":
    """Insert a row, unless a row with its primary key exists. `change` gets all of its columns."""
    return insert(dialect, table).on_conflict_do_nothing()


@cache
def upsert(dialect: str, table: Table) -> "Insert":
    """Insert a row, or replace the row with its primary key. `change` gets all of its columns."""
    begun = insert(dialect, table)
    keys = table.primary_key.columns.keys()
    rest = {name: column for name, column in begun.excluded.items() if name not in keys}
    return begun.on_conflict_do_update(index_elements=keys, set_=rest)


def fetch(connection: Connection, statement: ClauseElement, **given: Any) -> Sequence[Sequence[Any]]:
    """Run a statement that is made once and asked often. `given` are its parameters.

    A parameter of `among` is a collection of ids. It travels as JSON, which SQLite cuts at a NUL
    character. Ids never contain one.

    SQLite's driver is called directly, because SQLAlchemy takes three times as long as a query.
    """
    if connection.dialect.name == "postgresql":
        return connection.execute(cast(Executable, statement), _arrays(given)).all()
    return _ask_sqlite(connection, statement, given).fetchall()


def change(connection: Connection, statement: ClauseElement, **given: Any) -> int:
    """Run a statement that changes rows, as `fetch` does. Return the number of changed rows."""
    if connection.dialect.name == "postgresql":
        return connection.execute(cast(Executable, statement), _arrays(given)).rowcount
    return _ask_sqlite(connection, statement, given).rowcount


def _arrays(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: each if isinstance(each, _PLAIN) else list(each) for name, each in given.items()}


def _ask_sqlite(connection: Connection, statement: ClauseElement, given: Mapping[str, Any]) -> Cursor:
    text, constants = _compiled(statement)
    values = {name: each if isinstance(each, _PLAIN) else json.dumps(list(each)) for name, each in given.items()}
    return driver_of(connection).execute(text, constants | values)


@cache
def _compiled(statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """Compile a statement for SQLite. Return its text, and those parameters that are constants."""
    found = compiled(statement)
    return str(found), dict(found.params)


def compiled(statement: ClauseElement) -> Compiled:
    """Compile a statement for SQLite's driver, with named parameters."""
    return statement.compile(dialect=sqlite.dialect(paramstyle="named"))


def driver_of(connection: Connection) -> DriverConnection:
    """Return the connection of SQLite's driver behind SQLAlchemy's."""
    return cast(DriverConnection, connection.connection.driver_connection)
