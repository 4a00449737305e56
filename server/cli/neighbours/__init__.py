"""Stores of other Yjs servers, as files on this machine: one module reads each layout.

A reader yields the documents one after the other, so that one is in memory at a time. The bytes are
not looked into here. What cannot be read is said of its document, and the reader goes on.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from server.cli import CannotDo


class Foreign(Struct, frozen=True):
    """One document of another server's store.

    Attributes:
        name: the name of its room, by which its app asks for it here.
        updates: its state, or its updates.
        unreadable: why it could not be read; empty if it was.
    """

    name: str
    updates: Sequence[bytes] = ()
    unreadable: str = ""


Read = Callable[[Path], Iterator[Foreign]]
"""A reader. Raises CannotDo if the store as a whole cannot be read."""

NOT_BYTES = "It holds something else than bytes."


def rows_of(path: Path, names: str, *of_a_name: str) -> Iterator[Foreign]:
    """Read the documents of a SQLite file.

    `names`: the statement for the names. `of_a_name`: statements for the updates of the name `?`.
    """
    with _opened(path) as file:
        for (name,) in file.execute(names).fetchall():
            yield _document(file, str(name), of_a_name)


def tables_of(path: Path) -> set[str]:
    """Return the names of a SQLite file's tables. Raises CannotDo."""
    with _opened(path) as file:
        return {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file to read only. Its server may go on writing there."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as file:
            yield file
    except sqlite3.Error as error:
        raise CannotDo(f"{path} cannot be read as a SQLite file of this kind ({error}).") from error


def _document(file: sqlite3.Connection, name: str, statements: Sequence[str]) -> Foreign:
    try:
        found = [value for each in statements for (value,) in file.execute(each, (name,))]
    except sqlite3.Error as error:
        return Foreign(name, unreadable=f"SQLite cannot read it ({error}).")
    if not all(isinstance(value, bytes) for value in found):
        return Foreign(name, unreadable=NOT_BYTES)
    return Foreign(name, found)
