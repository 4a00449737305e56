"""Migration of a database's tables to their present state.

A new database gets its tables from schema.py, and an older one from the revisions in migrations/. A
test checks that both lead to the same tables. So Alembic is imported only to change an older
database. Importing Alembic takes longer than running all of this.
"""

from collections.abc import Collection
from importlib.resources import files

from sqlalchemy import Connection, inspect, text

from crdt.errors import Unavailable
from server.store.schema import metadata, partial_in_postgres

# Alembic's own table, as Alembic makes it.
_VERSION_TABLE = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"


def known_revisions() -> list[str]:
    """List the states of the tables that this version of Manyhands knows, the present one last.

    They are the beginnings of the migrations' file names.
    """
    names = [each.name for each in (files("server.store") / "migrations" / "versions").iterdir()]
    return sorted(name.partition("_")[0] for name in names if name[0].isdigit())


def check_tables(place: str, tables: Collection[str]) -> bool:
    """Whether a database with these tables is ours. Return False if the database is empty.

    Raises Unavailable if it is another program's.
    """
    if not tables:
        return False
    if "alembic_version" not in tables or "documents" not in tables:
        raise Unavailable(f"{place} is a database of another program. Nothing was changed. Name another one.")
    return True


def check_revisions(place: str, revisions: Collection[str]) -> None:
    """Raise Unavailable if a database is in a state that this version does not know."""
    if not set(known_revisions()).issuperset(revisions):
        message = f"{place} was written by a newer version of Manyhands. Nothing was changed. Start that version or a later one."
        raise Unavailable(message)


def migrate(connection: Connection) -> None:
    """Make the tables, or bring the existing ones up to date.

    It runs in the caller's transaction, so all of it happens or nothing.
    """
    present = known_revisions()[-1]
    if not inspect(connection).has_table("alembic_version"):
        if connection.dialect.name == "postgresql":
            partial_in_postgres()
        metadata.create_all(connection, checkfirst=False)
        connection.exec_driver_sql(_VERSION_TABLE)
        connection.execute(text("INSERT INTO alembic_version VALUES (:present)"), {"present": present})
    elif set(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) != {present}:
        upgrade(connection)


def upgrade(connection: Connection, revision: str = "heads") -> None:
    """Run the missing revisions up to `revision`, in the caller's transaction.

    Alembic runs without its command line and configuration file.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("server.store") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
