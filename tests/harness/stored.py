"""Documents in the database of a server that has stopped, by replay of their logs."""

from pathlib import Path
from typing import Any

from pycrdt import Doc, Map, Text

from crdt.ids import DocumentId
from crdt.log.compaction import engine_updates
from server.store.base import Loaded
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url


async def stored(data_dir: Path, document_id: str) -> Loaded:
    """Read a whole document. The server must have ended."""
    async with SqlStore(sqlite_url(data_dir)) as store:
        loaded = await store.log.load(DocumentId(document_id))
    assert loaded is not None
    return loaded


def replayed(loaded: Loaded) -> Doc[Any]:
    """Apply snapshot and rows in order."""
    doc: Doc[Any] = Doc()
    for update in engine_updates(loaded.snapshot, [row.batch for row in loaded.rows]):
        doc.apply_update(update)
    return doc


async def stored_screen(data_dir: Path, document_id: str) -> tuple[str, frozenset[str]]:
    """Return what a typist's screen (tests/harness/typist.py) would show of the stored document."""
    return screen_of(replayed(await stored(data_dir, document_id)))


def screen_of(doc: Doc[Any]) -> tuple[str, frozenset[str]]:
    """Return what a typist's screen shows of a document."""
    return str(doc.get("text", type=Text)), frozenset(doc.get("tokens", type=Map).keys())
