"""Bringing a database's tables up to date: what to begin from, and what there is to do.

A new database gets its tables as schema.py has them, an older one by the revisions in migrations/;
a test holds the two to the same. So Alembic (upgrade.py), which takes longer to import than all of
this to run, is needed only where something old is to be changed.
"""

from collections.abc import Collection
from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from crdt.errors import Unavailable
from server.store.schema import metadata

# Alembic's own table, as it makes it.
_VERSION_TABLE = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"


def known_revisions() -> list[str]:
    """Every state of the tables that this version of Manyhands can begin from, the present one last: what migrations' names begin with."""
    names = [each.name for each in (files("server.store") / "migrations" / "versions").iterdir()]
    return sorted(name.partition("_")[0] for name in names if name[0].isdigit())


def check_tables(place: str, tables: Collection[str]) -> bool:
    """Whether a database with these tables is one of ours (False: it is empty); raises Unavailable when it is another program's."""
    if not tables:
        return False
    if "alembic_version" not in tables or "documents" not in tables:
        raise Unavailable(f"{place} is a database of another program. Nothing was changed. Name another one.")
    return True


def check_revisions(place: str, revisions: Collection[str]) -> None:
    """Raise Unavailable when a database is in a state that this version does not know."""
    if not set(known_revisions()).issuperset(revisions):
        message = f"{place} was written by a newer version of Manyhands. Nothing was changed. Start that version or a later one."
        raise Unavailable(message)


def migrate(connection: Connection) -> None:
    """Make the tables, or bring those that are there up to date, in the transaction that the caller has begun: all of it or nothing."""
    present = known_revisions()[-1]
    if not inspect(connection).has_table("alembic_version"):
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(_VERSION_TABLE)
        connection.execute(text("INSERT INTO alembic_version VALUES (:present)"), {"present": present})
    elif set(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) != {present}:
        from server.store.upgrade import upgrade

        upgrade(connection)
