"""Server of PostgreSQL: the set-up of sessions, and the checks before the database is opened.

Opening refuses some servers with a sentence for the operator, and without writing anything. Such a
server cannot be reached or written to, or its database belongs to another program, or a newer
version of Manyhands has written it. Nodes that open at once take turns.
"""

import asyncio
import contextlib
import logging
import ssl
from pathlib import Path
from typing import Any, cast

import asyncpg
from sqlalchemy import Connection, ExceptionContext, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from crdt.errors import Unavailable
from server.store.migrate import check_revisions, check_tables, migrate
from server.store.postgres.place import Place

CONNECT_SECONDS = 5.0
"""Seconds in which a server must accept a session. One on the same network takes milliseconds."""

SILENCE_SECONDS = 3.0
"""Seconds for which a node may hold a transaction open without a statement.

A node that was stopped in the middle must not keep its locks from others.
"""

_OLDEST = 120000  # server_version_num of the first with CTEs AS MATERIALIZED, which append needs
_OPENING_LOCK = 0x6D616E7968616E64  # "manyhand": a number that other programs do not use
_log = logging.getLogger(__name__)


async def connect(
    place: Place, statement_seconds: float, silence_seconds: float = SILENCE_SECONDS
) -> asyncpg.Connection:
    """Begin a session with bounds, in seconds, on a statement and on silence in a transaction."""
    session = await dial(place)
    try:
        # These are not set as the session begins, because a pooler refuses settings that it does
        # not know, or leaves them out. synchronous_commit is set, because acknowledged edits must
        # be on the server's disk, whatever its default is.
        await session.execute(
            "SET synchronous_commit = on;"
            f"SET statement_timeout = {statement_seconds * 1000:.0f};"
            f"SET idle_in_transaction_session_timeout = {silence_seconds * 1000:.0f}",
            timeout=CONNECT_SECONDS,
        )
    except BaseException:
        session.terminate()
        raise
    return session


async def dial(place: Place, **options: int) -> asyncpg.Connection:
    """Begin a session with the server's own settings. `options` are asyncpg's."""
    for file in place.files:
        if not await asyncio.to_thread(Path(file).exists):
            raise Unavailable(f"The database URL names the file {file}, which is not there.")
    named = {"application_name": "manyhands"}
    try:
        return await asyncpg.connect(place.dsn, timeout=CONNECT_SECONDS, server_settings=named, **options)
    except ssl.SSLCertVerificationError as error:
        raise Unavailable(
            f"The server of {place.name} shows a certificate that is not to be trusted ({error.verify_message}). "
            "Correct sslrootcert, or the host's name, in the database URL."
        ) from None
    except ValueError as error:
        raise Unavailable(f"The database URL cannot be used ({place.redacted(str(error))}).") from None


def make_engine(place: Place, *, connections: int, statement_seconds: float) -> AsyncEngine:
    """Describe a pool of at most `connections` sessions. Nothing is opened yet."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(place, statement_seconds),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=statement_seconds,
        pool_use_lifo=True,
        hide_parameters=True,  # because errors are logged, and parameters are people's texts
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, *_: object) -> None:
        # The event loop knows which connections the server has closed, so this check takes no round
        # trip.
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    @event.listens_for(engine.sync_engine, "close")
    def close(connection: Any, _: object) -> None:
        # Closing does not wait for the server either. The server has nothing to roll back, because
        # nothing is under way in a session of the pool.
        connection.driver_connection.terminate()

    @event.listens_for(engine.sync_engine, "handle_error")
    def give_up(context: ExceptionContext) -> None:
        # The caller does not wait for this session any more. SQLAlchemy would wait until the server
        # has answered the close, and a frozen server does not.
        if context.connection is not None and isinstance(context.original_exception, asyncio.CancelledError):
            hang_up(context.connection)

    return engine


def hang_up(connection: Connection) -> None:
    """End a session at once. The server rolls back its open transaction."""
    if not connection.invalidated:
        cast(asyncpg.Connection, connection.connection.driver_connection).terminate()


async def prepare(place: Place, *, seconds: float) -> None:
    """Check the server and its database, and bring the tables up to date.

    `seconds` bounds each statement.
    """
    await _refuse_shared_sessions(place)
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(place, seconds, seconds),
        poolclass=NullPool,
        hide_parameters=True,
    )
    async with engine.begin() as connection:
        await connection.run_sync(_prepare, place)


async def _refuse_shared_sessions(place: Place) -> None:
    """Refuse a pooler that gives each transaction any free session.

    Settings would be lost, and prepared statements would be missing.
    """
    async with contextlib.AsyncExitStack() as stack:
        sessions = []
        for _ in range(2):
            # Without a cache, because a prepared statement would stay in the pooler's session.
            session = await dial(place, statement_cache_size=0)
            stack.callback(session.terminate)
            if await _process(session) == session.get_server_pid():
                return  # PostgreSQL itself
            sessions.append(session)
        # Twice in a row, because a pooler's sessions may take turns, and there may be two of them.
        seen = [(await _process(session), await _process(session)) for session in sessions]
    if seen[0] == seen[1] or any(before != after for before, after in seen):
        raise Unavailable(
            f"The pooler before the database {place.name} gives each transaction another session. "
            "Name the PostgreSQL server itself, or let the pooler keep sessions together (PgBouncer: pool_mode = session)."
        )


async def _process(session: asyncpg.Connection) -> int:
    """Ask for the process of the server that works for a session now."""
    async with session.transaction():
        return int(await session.fetchval("SELECT pg_backend_pid()", timeout=CONNECT_SECONDS))


def _prepare(connection: Connection, place: Place) -> None:
    _check_server(connection, place)
    # The lock lasts until the end of this transaction. Nodes that start at once migrate one after
    # the other, and all but the first find nothing to do.
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_OPENING_LOCK})")
    tables = connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    if check_tables(place.name, set(tables.scalars())):
        check_revisions(
            place.name, set(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())
        )
    migrate(connection)


def _check_server(connection: Connection, place: Place) -> None:
    found = connection.exec_driver_sql(
        "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,"
        " current_setting('transaction_read_only')::bool AS read_only, current_setting('fsync')::bool AS fsync,"
        " current_setting('server_version') AS version_name, current_schema() AS schema"
    ).one()
    if found.version < _OLDEST:
        raise Unavailable(f"PostgreSQL {found.version_name} at {place.name} is too old: 12 or newer is needed.")
    if found.encoding != "UTF8":
        raise Unavailable(f"The database {place.name} cannot hold every language. Make one with ENCODING 'UTF8'.")
    if found.read_only:
        raise Unavailable(f"The database {place.name} can only be read. Name the primary server, not a standby.")
    if found.schema is None:
        raise Unavailable(
            f"The database {place.name} has no schema that its search_path names. Make it, or name another."
        )
    if not found.fsync:
        _log.warning("The database %s runs with fsync = off: a power cut may lose saved edits.", place.name)
