"""File of the SQLite database: its place, the checks before it is opened, its upkeep.

Opening refuses some files with a sentence for the operator, and without writing to them: a file
that is no database, that belongs to another program, that a newer version of Manyhands has written,
or that another server is using.
"""

import contextlib
import errno
import fcntl
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from crdt.errors import Unavailable
from server.store.migrate import check_revisions, check_tables

PAGE_BYTES = 4096
LOCK_NAME = "manyhands.lock"

ROOM_BYTES = 256 * 2**10
"""Bytes for one message with content. With less room than this, the database counts as full."""

BUSY_SECONDS = 5.0
"""Longest wait for another program that holds the database, e.g. a backup."""

_SPARE_PAGES = 64  # free pages that are left in the file for the next rows
_VACUUM_PAGES = 512  # freed at once in a few milliseconds, so appends can run in between
_LARGE_WAL_BYTES = 16 * 2**20  # SQLite restarts its WAL at 4 MiB, so only a long read makes it this large


def sqlite_url(data_dir: Path) -> str:
    """Return the URL of the database in a data directory."""
    return URL.create("sqlite", database=str(data_dir.absolute() / "manyhands.db")).render_as_string()


def sqlite_path(url: str) -> Path:
    """Return the file that a URL names. Raises Unavailable if it names none."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise Unavailable(
            "The database URL cannot be read; it should look like sqlite:////srv/data/manyhands.db."
        ) from None
    if parsed.get_backend_name() != "sqlite":
        message = (
            f"Databases of the kind {parsed.get_backend_name()} are not supported; use sqlite:////… or postgresql://…."
        )
        raise Unavailable(message)
    if sqlite3.sqlite_version_info < (3, 35):
        message = (
            f"Python's SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed, for UPDATE … RETURNING."
        )
        raise Unavailable(message)
    if not parsed.database or parsed.database == ":memory:":
        raise Unavailable("The database URL names no file; it should look like sqlite:////srv/data/manyhands.db.")
    return Path(parsed.database).absolute()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other servers away from the database's directory during the block.

    The lock ends with this process too, however it dies.
    """
    directory = path.parent
    try:
        lock = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        raise Unavailable(f"The data directory {directory} does not exist. Create it, or name another one.") from None
    except OSError as error:
        raise _unwritable(directory, error) from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            message = f"Another Manyhands server is using {directory}. Stop it first, or name another data directory."
            raise Unavailable(message) from None
        yield
    finally:
        os.close(lock)


def _unwritable(directory: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"The data directory {directory} cannot be written ({error.strerror}). Let the server's user write there."
    )


def inspect(path: Path) -> None:
    """Check the file without writing to it.

    Raises Unavailable unless the file is absent, empty, or a database that we know. Raises what the
    driver raises if the file cannot be read.
    """
    if path.is_dir():
        raise Unavailable(f"{path} is a directory, but the database is a file. Move it away, or name another one.")
    if not path.exists() or path.stat().st_size == 0:
        return
    with contextlib.closing(_open_read_only(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if check_tables(str(path), tables):
            revisions = {revision for (revision,) in connection.execute("SELECT version_num FROM alembic_version")}
            check_revisions(str(path), revisions)


def keep_private(path: Path) -> None:
    """Make an absent database file that only its owner may read, whatever the directory allows.

    SQLite gives its WAL the same mode. The mode of an existing file is its owner's affair.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _open_read_only(path: Path) -> sqlite3.Connection:
    # With `immutable` SQLite makes no files beside the database, but ignores a WAL. The WAL that a
    # killed server has left must be read, so such a database is opened read-only instead.
    mode = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    return sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, isolation_level=None, timeout=BUSY_SECONDS)


def has_room(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether ROOM_BYTES more fit into the file and its directory.

    A small commit would not tell, because it finds its place in the existing WAL even on a full
    disk.
    """
    most, pages, free = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("max_page_count", "page_count", "freelist_count")
    )
    if (most - pages + free) * PAGE_BYTES < ROOM_BYTES:
        return False
    try:
        with tempfile.TemporaryFile(dir=path.parent) as trial:
            os.posix_fallocate(trial.fileno(), 0, ROOM_BYTES)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return False
        raise _unwritable(path.parent, error) from None
    return True


def give_back(connection: sqlite3.Connection, path: Path) -> bool:
    """Return some free pages to the file system. Return True if there are more."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    pages = min(free - _SPARE_PAGES, _VACUUM_PAGES)
    if pages > 0:
        # Each step of this statement frees one page. Only executescript takes all steps, because
        # the statement has no columns to fetch.
        connection.executescript(f"PRAGMA incremental_vacuum({pages})")
        return bool(pages == _VACUUM_PAGES)
    with contextlib.suppress(FileNotFoundError):
        if Path(f"{path}-wal").stat().st_size > _LARGE_WAL_BYTES:
            checkpoint(connection)
    return False


def checkpoint(connection: sqlite3.Connection) -> None:
    """Bring everything from the WAL into the database file. Never wait for readers."""
    connection.execute("PRAGMA busy_timeout = 0")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
