"""Statements in SQL that SQLite and PostgreSQL write differently, and moments as both store them.

A moment is stored in microseconds since 1970, a number that every database can hold, compare and
index.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from sqlite3 import Connection as DriverConnection
from sqlite3 import Cursor
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, Connection, Executable, Table, Text, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import Compiled

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert

# PostgreSQL's half of SQLAlchemy is imported where it is used, so SQLite starts without it.

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
