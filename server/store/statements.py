"""SQL that SQLite and PostgreSQL write differently."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from sqlite3 import Cursor
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, Connection, Executable, Table, Text, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from server.store.sqlite.driver import compiled, driver_of

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert

# PostgreSQL's half of SQLAlchemy is imported where it is used: a server on SQLite starts without it.

_PLAIN = (str, int, bytes, type(None))


def insert(dialect: str, table: Table) -> "Insert":
    """Begin an INSERT that may go on with `on_conflict_…`."""
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    return sqlite.insert(table)


def _array() -> Any:
    from sqlalchemy.dialects.postgresql import ARRAY

    return ARRAY(Text)


def among(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """Whether a text is one of those that `fetch` is given under a name: a single parameter for any number of them."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=_array()))
    return column.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))


@cache
def unless_there(dialect: str, table: Table) -> "Insert":
    """A row, given whole to `change`, unless there is one with its primary key."""
    return insert(dialect, table).on_conflict_do_nothing()


@cache
def upsert(dialect: str, table: Table) -> "Insert":
    """A row, given whole to `change`, in the place of the one that has its primary key, if there is one."""
    begun = insert(dialect, table)
    keys = table.primary_key.columns.keys()
    rest = {name: column for name, column in begun.excluded.items() if name not in keys}
    return begun.on_conflict_do_update(index_elements=keys, set_=rest)


def fetch(connection: Connection, statement: ClauseElement, **given: Any) -> Sequence[Sequence[Any]]:
    """Run a statement that is made once and asked often; `given`: its parameters, ids where they are the texts of `among`.

    Values travel as JSON, which SQLite cuts at a NUL character. Ids never contain one.

    SQLite's driver is asked by itself: through SQLAlchemy, asking takes three times as long as the
    answer.
    """
    if connection.dialect.name == "postgresql":
        return connection.execute(cast(Executable, statement), _arrays(given)).all()
    return _ask_sqlite(connection, statement, given).fetchall()


def change(connection: Connection, statement: ClauseElement, **given: Any) -> int:
    """Run a statement like those of `fetch` that changes rows; how many."""
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
    """For SQLite: its text and its parameters, of which only what is constant in it has a value yet."""
    found = compiled(statement)
    return str(found), dict(found.params)
