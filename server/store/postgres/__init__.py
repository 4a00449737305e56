"""The database as a PostgreSQL server for any number of nodes: `place` names it, `server` finds it, `database` runs jobs on it.

`append` is the hot path.
"""

from server.store.postgres.place import is_postgres_url, shown

__all__ = ["is_postgres_url", "shown"]
