"""pycrdt-store's SQLite file, as its `SQLiteYStore` writes it: all updates in one table.

`yupdates(path, yupdate, metadata, timestamp)`, and in newer files `ycheckpoints(path, checkpoint,
timestamp)`. A checkpoint repeats what the updates say. It is read as well, because squashing can
lose updates that a checkpoint still has.

A path is the room's address at pycrdt-websocket's server, with a slash in front. Here the slash is
the one behind `/y`.
"""

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from server.cli.neighbours import Foreign, rows_of, tables_of

TABLE = "yupdates"
_UPDATES = "SELECT yupdate FROM yupdates WHERE path = ? ORDER BY timestamp, rowid"
_CHECKPOINT = "SELECT checkpoint FROM ycheckpoints WHERE path = ?"


def read(path: Path) -> Iterator[Foreign]:
    """Read the file."""
    statements = (_CHECKPOINT, _UPDATES) if "ycheckpoints" in tables_of(path) else (_UPDATES,)
    for each in rows_of(path, "SELECT DISTINCT path FROM yupdates ORDER BY path", *statements):
        yield replace(each, name=each.name.removeprefix("/"))
