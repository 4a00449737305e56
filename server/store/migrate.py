"""Bringing a database's tables up to date with Alembic, without its command line or a configuration file."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("server.store") / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def known_revisions() -> frozenset[str]:
    """Every state of the tables that this version of Manyhands can begin from."""
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def migrate(connection: Connection) -> None:
    """Run the revisions that are missing, in the transaction that the caller has begun: all of them or none."""
    config = _config()
    heads = ScriptDirectory.from_config(config).get_heads()
    if set(MigrationContext.configure(connection).get_current_heads()) == set(heads):
        return
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
