"""Alembic, without its command line or a configuration file: runs the revisions in migrations/ on a database of an older version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str = "heads") -> None:
    """Run the revisions that are missing up to one, in the transaction that the caller has begun: all of them or none."""
    config = Config()
    config.set_main_option("script_location", str(files("server.store") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
