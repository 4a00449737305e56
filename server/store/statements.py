"""What statements say for which SQLAlchemy has no word that both databases share."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, Table, Text, any_, bindparam
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert


def insert(connection: Connection, table: Table) -> Insert:
    """Begin an INSERT that may go on with `on_conflict_…`."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def among(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Whether a text is one of some: on PostgreSQL a single parameter, so that the statement is the same for any number."""
    if connection.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(Text)))
    return column.in_(values)


def among_given(dialect: str, column: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """The same with values that are given under a name when the statement is executed, so that it can be made once."""
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=postgresql.ARRAY(Text)))
    return column.in_(bindparam(name, expanding=True))
