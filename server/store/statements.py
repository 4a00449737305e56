"""SQL that SQLite and PostgreSQL write differently."""

import json
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, Connection, Executable, Table, Text, any_, bindparam, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

from server.store.sqlite.driver import compiled, driver_of

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

    Insert = sqlite.Insert | postgresql.Insert

# PostgreSQL's half of SQLAlchemy is imported where it is used: a server on SQLite starts without it.


def insert(connection: Connection, table: Table) -> "Insert":
    """Begin an INSERT that may go on with `on_conflict_…`."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert

        return insert(table)
    return sqlite.insert(table)


def _array() -> Any:
    from sqlalchemy.dialects.postgresql import ARRAY

    return ARRAY(Text)


def among(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a text is one of some: on PostgreSQL a single parameter, so that the statement is the same for any number."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=_array()))
    return column.in_(values)


def among_given(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The same with values that `fetch` is given under a name, so that the statement can be made once."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=_array()))
    return column.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))


def fetch(
    connection: Connection, statement: ClauseElement, given: Mapping[str, Collection[str]]
) -> Sequence[Sequence[Any]]:
    """Run a statement that is made once and asked often; `given`: the values of its `among_given`, ids all of them.

    Values travel as JSON, which SQLite cuts at a NUL character. Ids never contain one.

    SQLite's driver is asked by itself: through SQLAlchemy, asking takes three times as long as the
    answer.
    """
    values = {name: list(each) for name, each in given.items()}
    if connection.dialect.name == "postgresql":
        return connection.execute(cast(Executable, statement), values).all()
    text, constants = _compiled(statement)
    as_json = {name: json.dumps(each) for name, each in values.items()}
    return driver_of(connection).execute(text, constants | as_json).fetchall()


@cache
def _compiled(statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """For SQLite: its text and its parameters, of which only what is constant in it has a value yet."""
    found = compiled(statement)
    return str(found), dict(found.params)
