"""What is peculiar to PostgreSQL: how sessions are set up, how a server is looked at before it is touched.

Opening refuses with a sentence for the operator, and without having written anything, when the
server cannot be reached or written to, or its database belongs to another program or was written by
a newer version of Manyhands. Nodes that open at once take turns.
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
"""How long a server may take to let us in; one on the same network takes milliseconds."""

SILENCE_SECONDS = 3.0
"""How long a node may hold a transaction open without a word: one that was stopped in the middle must not keep its locks from others."""

_OLDEST = 120000  # server_version_num of the first one with CTEs AS MATERIALIZED, on which the append relies
_OPENING_LOCK = 0x6D616E7968616E64  # "manyhand": any number will do that other programs don't use
_log = logging.getLogger(__name__)


async def connect(
    place: Place, statement_seconds: float, silence_seconds: float = SILENCE_SECONDS
) -> asyncpg.Connection:
    """Begin a session in which no statement, and no silence within a transaction, lasts longer than this."""
    session = await dial(place)
    try:
        # Not as the session is begun: a pooler refuses what it doesn't know, or leaves it out.
        # synchronous_commit: whatever the server's default, what is acknowledged must be on its
        # disk.
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
    """Begin a session with the server's own settings. `options`: asyncpg's."""
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
    """Describe a pool of that many sessions at most; nothing is opened yet."""
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: connect(place, statement_seconds),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=statement_seconds,
        pool_use_lifo=True,
        hide_parameters=True,  # they are what people have written; errors are logged
    )

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(connection: Any, *_: object) -> None:
        # The event loop has heard of every connection that a server which went away has closed: to
        # ask each takes no round trip.
        if connection.driver_connection.is_closed():
            raise DisconnectionError

    @event.listens_for(engine.sync_engine, "close")
    def close(connection: Any, _: object) -> None:
        # Nor does closing wait for a farewell; the server rolls nothing back, for nothing is under
        # way in a session that rests.
        connection.driver_connection.terminate()

    @event.listens_for(engine.sync_engine, "handle_error")
    def give_up(context: ExceptionContext) -> None:
        # Nobody waits for this session any more; SQLAlchemy would, for a farewell that a frozen
        # server doesn't give.
        if context.connection is not None and isinstance(context.original_exception, asyncio.CancelledError):
            hang_up(context.connection)

    return engine


def hang_up(connection: Connection) -> None:
    """End a session at once; the server rolls back what it was in the middle of."""
    if not connection.invalidated:
        cast(asyncpg.Connection, connection.connection.driver_connection).terminate()


async def prepare(place: Place, *, seconds: float) -> None:
    """Look at the server and its database, and bring its tables up to date. `seconds`: how long a statement may take."""
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
    """Refuse a pooler that gives each transaction whatever session is free: settings would be lost, and prepared statements missing."""
    async with contextlib.AsyncExitStack() as stack:
        sessions = []
        for _ in range(2):
            session = await dial(
                place, statement_cache_size=0
            )  # a prepared statement would stay with whoever comes next
            stack.callback(session.terminate)
            if await _process(session) == session.get_server_pid():
                return  # PostgreSQL itself
            sessions.append(session)
        seen = [[await _process(session) for session in sessions] for _ in range(2)]
    if seen[0] != seen[1] or seen[0][0] == seen[0][1]:
        raise Unavailable(
            f"The pooler before the database {place.name} gives each transaction another session. "
            "Name the PostgreSQL server itself, or let the pooler keep sessions together (PgBouncer: pool_mode = session)."
        )


async def _process(session: asyncpg.Connection) -> int:
    """Ask which of the server's processes works for a session now."""
    async with session.transaction():
        return int(await session.fetchval("SELECT pg_backend_pid()", timeout=CONNECT_SECONDS))


def _prepare(connection: Connection, place: Place) -> None:
    _check_server(connection, place)
    # Until the end of this transaction: nodes that start at once migrate one after the other, and
    # all but the first find it done.
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
        raise Unavailable(f"The database {place.name} cannot hold every language: make one with ENCODING 'UTF8'.")
    if found.read_only:
        raise Unavailable(f"The database {place.name} can only be read. Name the primary server, not a standby.")
    if found.schema is None:
        raise Unavailable(
            f"The database {place.name} has no schema that its search_path names. Make it, or name another."
        )
    if not found.fsync:
        _log.warning("The database %s runs with fsync = off: a power cut loses what was called saved.", place.name)
