"""Driver of SQLite, for frequent statements.

For these, SQLAlchemy's way to the driver costs more than the answer (tests/bench/store.py).
"""

from sqlite3 import Connection as DriverConnection
from typing import cast

from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import Compiled


def driver_of(connection: Connection) -> DriverConnection:
    """Return the driver's connection behind SQLAlchemy's."""
    return cast(DriverConnection, connection.connection.driver_connection)


def compiled(statement: ClauseElement) -> Compiled:
    """Compile a statement for the driver, with named parameters."""
    return statement.compile(dialect=dialect(paramstyle="named"))
