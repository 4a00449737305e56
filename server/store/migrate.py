"""Bringing a database's tables up to date with Alembic, without its command line or a configuration file."""

from collections.abc import Collection
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from crdt.errors import Unavailable


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("server.store") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def known_revisions() -> frozenset[str]:
    """Every state of the tables that this version of Manyhands can begin from."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def check_tables(place: str, tables: Collection[str]) -> bool:
    """Whether a database with these tables is one of ours (False: it is empty); raises Unavailable when it is another program's."""
    if not tables:
        return False
    if "alembic_version" not in tables or "documents" not in tables:
        raise Unavailable(f"{place} is a database of another program. Nothing was changed. Name another one.")
    return True


def check_revisions(place: str, revisions: Collection[str]) -> None:
    """Raise Unavailable when a database is in a state that this version does not know."""
    if not known_revisions().issuperset(revisions):
        message = f"{place} was written by a newer version of Manyhands. Nothing was changed. Start that version or a later one."
        raise Unavailable(message)


def migrate(connection: Connection, revision: str = "heads") -> None:
    """Run the revisions that are missing up to one, in the transaction that the caller has begun: all of them or none."""
    config = _config()
    heads = ScriptDirectory.from_config(config).get_heads()
    if set(MigrationContext.configure(connection).get_current_heads()) == set(heads):
        return
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
