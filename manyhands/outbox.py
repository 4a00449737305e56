"""Outboxes: changes that the server has not acknowledged, in memory or in a file.

A change stays until the server has it on disk. The file is an SQLite database. It survives the end
of the program at any moment, and belongs to one program at a time.
"""

import secrets
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from manyhands.errors import ManyhandsError

_TABLES = """
CREATE TABLE IF NOT EXISTS about (document TEXT, "key" TEXT, epoch INTEGER);
CREATE TABLE IF NOT EXISTS changes (number INTEGER PRIMARY KEY, after INTEGER, content BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction did.

    `after` is the last row of the log that the document had applied; None when that is not known.
    `numbers` are the places in the outbox: several if the update is a state.
    """

    numbers: tuple[int, ...]
    after: int | None
    update: bytes


class Outbox(Protocol):
    """Where changes wait. `key` protects the client ids that wrote them."""

    key: str
    epoch: int | None
    """The life of the document in which the changes were made."""

    def changes(self) -> list[Change]:
        """Return what an earlier program has left, in its order."""
        ...

    def keep(self, after: int | None, update: bytes) -> Change:
        """Keep a change."""
        ...

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop changes that are acknowledged."""
        ...

    def rewrite(self, rewritten: Callable[[bytes], bytes]) -> None:
        """Replace each change that is kept by what `rewritten` makes of it, all or none."""
        ...

    def note_epoch(self, epoch: int) -> None:
        """Note in which life of the document the next changes are made."""
        ...

    def close(self) -> None:
        """Give the file free. What is in it stays."""
        ...


class MemoryOutbox:
    """An outbox that ends with the program. The replica holds its changes."""

    def __init__(self) -> None:
        self.key = secrets.token_urlsafe(24)
        self.epoch: int | None = None
        self._last = 0

    def changes(self) -> list[Change]:
        return []

    def keep(self, after: int | None, update: bytes) -> Change:
        self._last += 1
        return Change((self._last,), after, update)

    def forget(self, numbers: Iterable[int]) -> None:
        pass

    def rewrite(self, rewritten: Callable[[bytes], bytes]) -> None:
        pass

    def note_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def close(self) -> None:
        pass


class FileOutbox:
    """An outbox in a file, for one document."""

    def __init__(self, path: Path, document_id: str) -> None:
        """Open or make the file; raises ManyhandsError if it is in use or another document's."""
        try:
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
            self._open(document_id)
        except sqlite3.OperationalError as error:
            raise ManyhandsError(f"Another program uses {path}, or it cannot be written: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise ManyhandsError(f"{path} is no outbox: {error}.") from error

    def _open(self, document_id: str) -> None:
        execute = self._database.execute
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        execute("BEGIN EXCLUSIVE")
        for statement in filter(str.strip, _TABLES.split(";")):
            execute(statement)
        about = execute('SELECT document, "key", epoch FROM about').fetchone()
        if about is None:
            about = (document_id, secrets.token_urlsafe(24), None)
            execute("INSERT INTO about VALUES (?, ?, ?)", about)
        execute("COMMIT")
        if about[0] != document_id:
            self.close()
            raise ManyhandsError(f"This outbox belongs to the document {about[0]}.")
        self.key: str = about[1]
        self.epoch: int | None = about[2]

    def changes(self) -> list[Change]:
        rows = self._database.execute("SELECT number, after, content FROM changes ORDER BY number")
        return [Change((number,), after, update) for number, after, update in rows]

    def keep(self, after: int | None, update: bytes) -> Change:
        kept = self._database.execute("INSERT INTO changes (after, content) VALUES (?, ?)", (after, update))
        assert kept.lastrowid is not None
        return Change((kept.lastrowid,), after, update)

    def forget(self, numbers: Iterable[int]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany("DELETE FROM changes WHERE number = ?", [(number,) for number in numbers])
        self._database.execute("COMMIT")

    def rewrite(self, rewritten: Callable[[bytes], bytes]) -> None:
        changes = [(rewritten(change.update), *change.numbers) for change in self.changes()]
        self._database.execute("BEGIN")
        self._database.executemany("UPDATE changes SET content = ? WHERE number = ?", changes)
        self._database.execute("COMMIT")

    def note_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            self._database.execute("UPDATE about SET epoch = ?", (epoch,))
            self.epoch = epoch

    def close(self) -> None:
        self._database.close()
