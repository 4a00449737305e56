"""How long the store takes for its frequent jobs: `python -m tests.bench.store [URL]`. Prints a table; asserts nothing.

A URL names an empty database, e.g. on PostgreSQL; without one it is an SQLite file in a temporary
directory. Wall-clock times depend on the disk's fsync, processor times on neither it nor on other
programs.
"""

import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import uvloop

from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from server.store.base import Append, Choice, Folded
from server.store.database import utc_now
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url

DOCUMENTS = [DocumentId(f"document-{number:04}") for number in range(500)]
EPOCH = Epoch(1)
BATCH = b"k" * 40


async def measure(name: str, times: int, job: Callable[[int], Awaitable[object]]) -> None:
    """Run a job some times; print the middle and the worst percentile of its duration, and its processor time, in microseconds."""
    spent: list[float] = []
    cpu = time.process_time()
    for number in range(times):
        began = time.perf_counter()
        await job(number)
        spent.append(time.perf_counter() - began)
    cpu = (time.process_time() - cpu) / times
    spent.sort()
    figures = (median(spent), spent[int(times * 0.99)], cpu)
    sys.stdout.write(f"{name:44}" + "".join(f"{figure * 1e6:10.0f}" for figure in figures) + "\n")


def appends(number: int, documents: int) -> list[Append]:
    """One batch for each of some documents."""
    return [
        Append(DOCUMENTS[(number + other) % 500], EPOCH, UpdateId(f"bench-{documents}-{number}"), BATCH)
        for other in range(documents)
    ]


async def fold(_before: bytes | None, _batches: object, _past: object) -> Folded:
    """The smallest snapshot."""
    return Folded(b"snapshot", b"vector")


async def bench(store: SqlStore) -> None:
    """Measure everything on one store."""
    now = utc_now()
    sys.stdout.write(f"{'microseconds':44}{'median':>10}{'p99':>10}{'cpu':>10}\n")
    await measure("create a document", 500, lambda n: store.catalogue.create(DOCUMENTS[n], f"Title {n}", EPOCH, now))
    await measure("append one batch", 2000, lambda n: store.log.append(appends(n, 1)))
    await measure("append ten batches to ten documents", 500, lambda n: store.log.append(appends(n, 10)))
    await measure("append a hundred batches", 100, lambda n: store.log.append(appends(n, 100)))
    await measure("load a document of some forty rows", 500, lambda n: store.log.load(DOCUMENTS[n]))
    await measure("read the last row", 500, lambda n: store.log.read(DOCUMENTS[n], Seq(20)))
    await measure("heads of 500 documents", 100, lambda _: store.log.heads(DOCUMENTS))
    await measure(
        "page of the catalogue", 100, lambda _: store.catalogue.find(Choice("TITLE 4"), limit=50, cursor=None)
    )
    await measure("compact some forty rows", 200, lambda n: store.log.compact(DOCUMENTS[n], fold))
    await measure("check", 200, lambda _: store.check())


async def main() -> None:
    """Measure on the database that the command line names."""
    with tempfile.TemporaryDirectory() as directory:
        url = sys.argv[1] if len(sys.argv) > 1 else sqlite_url(Path(directory))
        async with SqlStore(url) as store:
            await bench(store)


if __name__ == "__main__":
    uvloop.run(main())
