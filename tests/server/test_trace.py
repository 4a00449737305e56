"""A paper typed again, keystroke by keystroke, through a real server: everybody ends with the author's text, and the file stays small."""

import asyncio
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pycrdt import Text

from crdt.ids import DocumentId
from server.sandbox import Sandbox
from server.store.base import CompactionReport
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.harness.bell import PATIENCE, Bell
from tests.harness.stored import replayed, stored
from tests.harness.traces import read_trace, updates_of
from tests.harness.typist import Typist, typists
from tests.server.server_process import new_document, server_process

TYPED = 100_000
"""Of the paper's 260,000 keystrokes; python -m tests.bench types all of them."""

KEYSTROKES = 200
"""Per batch: about what a page that comes back online has gathered."""

BESIDE = 1_000_000
"""Bytes of a database beside its contents: free pages, indices, what came after the last compaction."""


def text_of(person: Typist) -> str:
    return str(person.text)


async def compact(data_dir: Path, document_id: str) -> CompactionReport | None:
    """Fold what came after the last snapshot, if anything did."""
    async with Sandbox() as sandbox, SqlStore(sqlite_url(data_dir)) as store:
        return await store.log.compact(DocumentId(document_id), sandbox.fold)


def is_folded(data_dir: Path) -> bool:
    """Look into the database beside the server that writes in it: was the log folded while the document was open?"""
    with closing(sqlite3.connect(data_dir / "manyhands.db")) as database:
        (count,) = database.execute("SELECT count(*) FROM documents WHERE snapshot_seq > 0").fetchone()
    return bool(count == 1)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_a_paper_of_100_000_keystrokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace, bell = read_trace("automerge-paper").beginning(TYPED), Bell()
    keystrokes = list(updates_of(trace, "text"))
    sent = sum(map(len, keystrokes))
    batches = [keystrokes[at : at + KEYSTROKES] for at in range(0, len(keystrokes), KEYSTROKES)]
    async with server_process(tmp_path) as server:
        document_id = await new_document(server)
        async with typists(server.url, document_id, ["Author", "Reader"], bell=bell) as (author, reader):
            await author.pastes_batches(batches, at_once=8)
            await bell.until(lambda: reader.seq == author.seq)
            assert text_of(reader) == trace.end
            async with typists(server.url, document_id, ["Latecomer"], bell=bell) as (late,):
                assert text_of(late) == trace.end
            assert author.surprises == reader.surprises == []
            async with asyncio.timeout(PATIENCE):
                while not is_folded(tmp_path):  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(0.05)
        server.signal(signal.SIGTERM)
        assert await server.end() == 0
        assert "failed" not in "".join(server.log)
    loaded = await stored(tmp_path, document_id)
    assert loaded.snapshot is not None
    assert str(replayed(loaded).get("text", type=Text)) == trace.end
    folded = await compact(tmp_path, document_id)  # what the stop had no time for
    snapshot_bytes = folded.snapshot_bytes if folded else len(loaded.snapshot)
    file_bytes = (tmp_path / "manyhands.db").stat().st_size
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(trace.edits):,} keystrokes, {sent:,} bytes of updates: snapshot {snapshot_bytes:,} bytes, "
            f"database file {file_bytes:,} bytes\n"
        )
    assert file_bytes <= 4 * snapshot_bytes + BESIDE
    async with server_process(tmp_path) as server, typists(server.url, document_id, ["Next"], bell=bell) as (late,):
        assert text_of(late) == trace.end
