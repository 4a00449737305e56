"""The database as one SQLite file for one server: `file` finds and opens it, `database` runs jobs on it, `append` is the hot path."""

from server.store.sqlite.file import LOCK_NAME, sqlite_path, sqlite_url

__all__ = ["LOCK_NAME", "sqlite_path", "sqlite_url"]
