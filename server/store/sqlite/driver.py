"""The driver itself, for what is asked so often that SQLAlchemy's way to it costs more than the answer (tests/bench/store.py)."""

from sqlite3 import Connection as DriverConnection
from typing import cast

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import Compiled


def driver_of(connection: Connection) -> DriverConnection:
    """The driver's connection behind SQLAlchemy's."""
    return cast(DriverConnection, connection.connection.driver_connection)


def compiled(statement: ClauseElement) -> Compiled:
    """A statement as the driver takes it, with parameters by name."""
    return statement.compile(dialect=dialect(paramstyle="named"))
