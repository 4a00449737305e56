"""Failures of SQLite, translated into our own errors with a sentence for the operator.

Only this module knows the driver's exceptions, so none of them leaves the store.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from crdt.errors import Code, InvariantError, ManyhandsError, Unavailable

_SENTENCES = {
    sqlite3.SQLITE_FULL: "There is no room left for {path}. Make room on its disk, or raise its limit; waiting edits are then saved.",
    sqlite3.SQLITE_IOERR: "The disk with {path} reports an error ({error}). Make room on it and check it; waiting edits are then saved.",
    sqlite3.SQLITE_READONLY: "{path} cannot be written. Let the server's user write to it and to its directory.",
    sqlite3.SQLITE_PERM: "{path} cannot be written. Let the server's user write to it and to its directory.",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened. Let the server's user read and write it and its directory.",
    sqlite3.SQLITE_BUSY: "Another program has locked {path}. Let it finish or stop it; waiting edits are then saved.",
    sqlite3.SQLITE_LOCKED: "Another program has locked {path}. Let it finish or stop it; waiting edits are then saved.",
    sqlite3.SQLITE_NOTADB: "{path} is not a database. Nothing was changed. Move it away, or name another file.",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({error}). Nothing was changed. Restore a backup, or try `sqlite3 … .recover`.",
}


def no_room(path: Path) -> Unavailable:
    """Return the error for a write that has no room."""
    return Unavailable(_SENTENCES[sqlite3.SQLITE_FULL].format(path=path))


DATABASE_ERRORS = (sqlite3.Error, SQLAlchemyError)


@contextlib.contextmanager
def translated(path: Path, *, reading: bool = False) -> Iterator[None]:
    """Let only our own errors out of the block. `translate` explains `reading`."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise translate(error, path, reading=reading) from error


def translate(error: BaseException, path: Path, *, reading: bool = False) -> ManyhandsError:
    """Return our own error, which says what the operator can do.

    Unavailable may pass by itself, and InvariantError will not. With `reading`, the job read a
    document, so damage is a fault of this document only.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    primary = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if reading and primary == sqlite3.SQLITE_CORRUPT:
        return InvariantError(_SENTENCES[primary].format(path=path, error=cause), Code.QUARANTINED)
    if sentence := _SENTENCES.get(primary):
        return Unavailable(sentence.format(path=path, error=cause))
    if isinstance(cause, sqlite3.OperationalError):
        return Unavailable(f"The database {path} does not answer ({cause}).")
    return InvariantError(f"The database {path} was used wrongly ({cause}).", Code.INTERNAL)
