"""Alembic without its command line and configuration file.

It runs the revisions in migrations/ on a database of an older version.
"""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def upgrade(connection: Connection, revision: str = "heads") -> None:
    """Run the missing revisions up to `revision`.

    They run in the caller's transaction, so all of them happen or none.
    """
    config = Config()
    config.set_main_option("script_location", str(files("server.store") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
