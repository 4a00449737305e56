"""No room: a sentence, nothing half done, and on it goes when there is room again, without a restart."""

import contextlib
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from crdt.errors import Unavailable
from crdt.ids import Seq
from server.store.base import Appended, Attachment
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from server.store.sqlite.file import ROOM_BYTES
from tests.contracts.storages import DOCUMENT, OTHER, append, fill, head

MEGABYTE = 2**20


async def append_until_full(store: SqlStore) -> int:
    """How many rows of 50 kB fit until one is refused."""
    fitted = 0
    with contextlib.suppress(Unavailable):
        while True:
            await store.log.append([append(f"row{fitted}", bytes(50_000))])
            fitted += 1
    return fitted


async def test_past_its_limit_the_database_refuses_and_recovers(tmp_path: Path) -> None:
    async with SqlStore(sqlite_url(tmp_path), max_bytes=MEGABYTE) as store:
        await fill(store)
        await fill(store, *(f"{number}" for number in range(100)), document_id=OTHER)
        await store.attachments.put(OTHER, _attachment(300_000))
        fitted = await append_until_full(store)
        assert fitted > 5
        assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(fitted)}
        with pytest.raises(Unavailable, match=r"no room left for .*manyhands"):
            await store.log.append([append("again", bytes(50_000)), append("small", document_id=OTHER)])
        with pytest.raises(Unavailable, match=r"no room left for .*manyhands"):
            await store.check()
        assert await store.log.heads([OTHER]) == {OTHER: head(100)}
        await store.catalogue.delete(OTHER)
        await store.check()
        assert await store.log.append([append("again", bytes(50_000))]) == [Appended(Seq(fitted + 1))]


async def test_a_directory_that_is_gone_is_no_place_to_write_in(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    directory.mkdir()
    async with SqlStore(sqlite_url(directory)) as store:
        await store.check()
        directory.rename(tmp_path / "elsewhere")
        with pytest.raises(Unavailable, match="cannot be written"):
            await store.check()
        (tmp_path / "elsewhere").rename(directory)
        await store.check()


def _attachment(size: int) -> Attachment:
    return Attachment("0" * 64, "image/png", bytes(size))


async def disk_full(directory: Path) -> None:
    """Live through the operating system's refusal to let files grow; run in a process of its own, which it limits."""
    async with SqlStore(sqlite_url(directory)) as store:
        await fill(store)
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, unlimited[1]))
        fitted = await append_until_full(store)
        assert fitted > 5
        assert await store.log.heads([DOCUMENT]) == {DOCUMENT: head(fitted)}
        with pytest.raises(Unavailable, match=r"The disk with .*manyhands"):
            await store.log.append([append("again", bytes(50_000))])
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM_BYTES // 2, unlimited[1]))
        with pytest.raises(Unavailable, match=r"no room left for .*manyhands|The disk with .*manyhands"):
            await store.check()
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        await store.check()
        assert await store.log.append([append("again", bytes(50_000))]) == [Appended(Seq(fitted + 1))]
    async with SqlStore(sqlite_url(directory)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert len(loaded.rows) == fitted + 1


@pytest.mark.slow
def test_when_the_disk_takes_no_more_the_store_refuses_and_recovers(tmp_path: Path) -> None:
    program = f"""if True:
        import asyncio, pathlib
        from tests.server.test_store_full import disk_full
        asyncio.run(disk_full(pathlib.Path({str(tmp_path)!r})))
    """
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr


async def test_deleted_documents_give_their_space_back(tmp_path: Path) -> None:
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await fill(store)
        await store.log.append([append(f"{number}", bytes(100_000)) for number in range(100)])
        await store.catalogue.delete(DOCUMENT)
    assert (tmp_path / "manyhands.db").stat().st_size < MEGABYTE
