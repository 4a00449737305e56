"""Stores of other Yjs servers, with the tables that their packages make.

Compared by hand with files of @hocuspocus/extension-sqlite 4.7.0 and pycrdt-store 0.1.5.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path


def hocuspocus_sqlite(path: Path, states: Mapping[str, object]) -> Path:
    """Write states as Hocuspocus does, over those of the same names."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute(
            'CREATE TABLE IF NOT EXISTS "documents" ("name" varchar(255) NOT NULL, "data" blob NOT NULL, UNIQUE(name))'
        )
        file.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?)", states.items())
    return path


def pycrdt_sqlite(
    path: Path, updates: Mapping[str, Sequence[object]], checkpoints: Mapping[str, bytes] | None = None
) -> Path:
    """Write updates, and checkpoints, as pycrdt-store's SQLiteYStore does."""
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE yupdates (path TEXT NOT NULL, yupdate BLOB, metadata BLOB, timestamp REAL NOT NULL)")
        if checkpoints is not None:
            file.execute(
                "CREATE TABLE ycheckpoints (path TEXT NOT NULL, checkpoint BLOB NOT NULL, timestamp REAL NOT NULL, "
                "PRIMARY KEY(path))"
            )
            file.executemany("INSERT INTO ycheckpoints VALUES (?, ?, 1.0)", checkpoints.items())
        rows = [(name, update, b"", float(at)) for name, each in updates.items() for at, update in enumerate(each)]
        file.executemany("INSERT INTO yupdates VALUES (?, ?, ?, ?)", rows)
    return path
