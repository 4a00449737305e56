"""Hocuspocus' SQLite file, as `@hocuspocus/extension-sqlite` writes it: a state for each document.

`documents(name, data)`. Names are those that providers give, and mean the same at our door.
"""

from collections.abc import Iterator
from pathlib import Path

from server.cli.neighbours import Foreign, rows_of

TABLE = "documents"


def read(path: Path) -> Iterator[Foreign]:
    """Read the file."""
    yield from rows_of(path, "SELECT name FROM documents ORDER BY name", "SELECT data FROM documents WHERE name = ?")
