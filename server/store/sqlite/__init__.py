"""SQLite: the database as one file for one server.

`file` finds and opens the file, `database` runs jobs on it, and `append` is the hot path.
"""

from server.store.sqlite.file import LOCK_NAME, sqlite_path, sqlite_url

__all__ = ["LOCK_NAME", "sqlite_path", "sqlite_url"]
