"""Failures of PostgreSQL, translated into our own errors with a sentence for the operator.

Only this module knows asyncpg's exceptions, so none of them leaves the store.
"""

import contextlib
from collections.abc import Iterator

import asyncpg
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crdt.errors import Code, InvariantError, ManyhandsError, Unavailable
from server.store.postgres.place import Place

_DAMAGED = ("XX001", "XX002")
_OVERTAKEN = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "23505",  # unique_violation: another node did the same at the same moment
        "0A000",  # a statement was prepared before a migration
    }
)
_POOLER = (
    "The pooler before the database {place} does not let through what is needed ({error}). Name the PostgreSQL server itself, "
    "or a pooler that keeps sessions together (PgBouncer: pool_mode = session)."
)
_SENTENCES = {
    "08P01": _POOLER,  # protocol_violation
    "26000": _POOLER,  # invalid_sql_statement_name: it was prepared in another session
    "28P01": "The database {place} refuses the user name or the password. Correct the database URL.",
    "28000": "The database {place} refuses the user ({error}). Correct the database URL, or pg_hba.conf.",
    "3D000": "There is no database {place}. Make it, or correct the database URL.",
    "42501": "The user in the database URL may not do what is needed in {place} ({error}). Make it the owner of its schema.",
    "53100": "There is no room left on the disk of {place}. Make room; waiting edits are then saved.",
    "53300": "The database {place} has no connection left. Raise its max_connections; waiting edits are then saved.",
    "25006": "The database {place} can only be read. Name the primary server, not a standby.",
    "57014": "The database {place} took too long; it is overloaded or locked by another program.",
    "XX001": "The database {place} is damaged ({error}). Nothing was changed. Restore a backup.",
    "XX002": "The database {place} is damaged ({error}). Nothing was changed. Rebuild its indexes (REINDEX).",
}
# Classes of SQLSTATEs that may pass by themselves: the connection, resources, an operator's
# intervention, the server's system, locks.
_MAY_PASS = ("08", "25P03", "40", "53", "55P03", "57", "58")


@contextlib.contextmanager
def translated(place: Place, *, reading: bool = False) -> Iterator[None]:
    """Let only our own errors out of the block.

    With `reading`, the block reads a document, so damage is a fault of this document only.
    """
    try:
        yield
    except (
        SQLAlchemyError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
        OSError,
    ) as error:
        raise translate(_cause(error), place, reading=reading) from error


def is_overtaken(error: BaseException) -> bool:
    """Whether the database gave this transaction up for another one, so it has to run again."""
    return getattr(_cause(error), "sqlstate", None) in _OVERTAKEN


def translate(error: BaseException, place: Place, *, reading: bool) -> ManyhandsError:
    """Return our own error, which says what the operator can do.

    Unavailable may pass by itself, and InvariantError will not.
    """
    state: str = getattr(error, "sqlstate", None) or ""
    words = place.redacted(str(error).partition("\n")[0]) or type(error).__name__
    if reading and state in _DAMAGED:
        return InvariantError(_SENTENCES[state].format(place=place.name, error=words), Code.QUARANTINED)
    if sentence := _SENTENCES.get(state):
        return Unavailable(sentence.format(place=place.name, error=words))
    if isinstance(error, TimeoutError):
        return Unavailable(f"The database {place.name} does not answer in time.")
    if _passes(error, state):
        return Unavailable(f"The database {place.name} does not answer ({words}).")
    return InvariantError(f"The database {place.name} was used wrongly ({words}).", Code.INTERNAL)


def _passes(error: BaseException, state: str) -> bool:
    if state:
        return state.startswith(_MAY_PASS)
    if isinstance(error, asyncpg.DataError | ValueError | asyncpg.UnsupportedClientFeatureError):
        return False
    # Errors without an SQLSTATE come from the operating system, or from asyncpg about a lost
    # connection.
    return isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def _cause(error: BaseException) -> BaseException:
    """Return the driver's own exception, because the text of SQLAlchemy's quotes the statement."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        return error.orig.__cause__ or error.orig
    return error
