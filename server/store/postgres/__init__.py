"""The database as a PostgreSQL server for any number of nodes: `server` finds it, `database` runs jobs on it, `append` is the hot path."""

from server.store.postgres.server import is_postgres_url, shown

__all__ = ["is_postgres_url", "shown"]
