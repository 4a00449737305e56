"""kill -9 while appending, again and again: every row that was acknowledged is there afterwards."""

import asyncio
import itertools
import random
import signal
import sys
from pathlib import Path

import pytest

from crdt.ids import Seq
from server.store.base import Appended
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.contracts.storages import DOCUMENT, OTHER, append, fill, join
from tests.harness.processes import mortal

ROUNDS = 12


async def append_and_say_so(directory: Path, name: str) -> None:
    """Append to two documents at once and print each acknowledgement, for ever."""
    async with SqlStore(sqlite_url(directory)) as store:
        await fill(store)
        await fill(store, document_id=OTHER)
        for number in itertools.count():
            update_id = f"{name}.{number}"
            outcomes = await store.log.append([append(update_id), append(update_id, document_id=OTHER)])
            assert all(isinstance(outcome, Appended) for outcome in outcomes)
            seqs = [outcome.seq for outcome in outcomes if isinstance(outcome, Appended)]
            sys.stdout.write(f"{update_id} {seqs[0]} {seqs[1]}\n")
            sys.stdout.flush()
            if number % 50 == 49:
                await store.log.compact(OTHER, join)


async def run_and_kill(directory: Path, name: str, lines: int) -> list[tuple[str, int, int]]:
    """Start a process that appends, kill it after some acknowledgements; return all that it printed."""
    program = f"""if True:
        import asyncio, pathlib
        from tests.server.test_store_kill import append_and_say_so
        asyncio.run(append_and_say_so(pathlib.Path({str(directory)!r}), {name!r}))
    """
    child = await asyncio.create_subprocess_exec(*mortal(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    printed = [await child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    printed += (await child.stdout.read()).splitlines(keepends=True)
    await child.wait()
    words = [line.decode().split() for line in printed if line.endswith(b"\n")]
    assert len(words) >= lines, "the process ended before it was killed"
    return [(update_id, int(first), int(second)) for update_id, first, second in words]


@pytest.mark.slow
async def test_every_acknowledged_row_survives_kill_9(tmp_path: Path) -> None:
    chance = random.Random(9)
    acknowledged: list[tuple[str, int, int]] = []
    for round_ in range(ROUNDS):
        acknowledged += await run_and_kill(tmp_path, f"{round_}", chance.randrange(1, 200))
    async with SqlStore(sqlite_url(tmp_path)) as store:
        plain, folded = await store.log.load(DOCUMENT), await store.log.load(OTHER)
    assert plain is not None
    assert folded is not None
    in_plain = {row.seq: row.batch.decode() for row in plain.rows}
    snapshot = folded.snapshot.decode().split("+") if folded.snapshot else []
    in_folded = dict(enumerate(snapshot + [row.batch.decode() for row in folded.rows], 1))
    for update_id, first, second in acknowledged:
        assert in_plain[Seq(first)] == update_id
        assert in_folded[second] == update_id
    assert len(acknowledged) >= len(in_plain) - ROUNDS, "at most the last append of each process goes unacknowledged"
