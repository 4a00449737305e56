"""The sandbox: what dies in it is a worker, and every job says what became of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pycrdt import Doc, Text

from crdt.errors import Unavailable
from crdt.ids import Epoch, Seq
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Row, Stored
from crdt.yjs.contents import XML_ELEMENT
from crdt.yjs.limits import GateLimits
from crdt.yjs.varint import check_state_vector, write_varuint
from crdt.yjs.wrapping import open_snapshot, seal_snapshot
from server.sandbox import Sandbox, SandboxRejected, process
from server.sandbox.worker import JOBS_PER_PROCESS, may_stay
from tests.harness.bell import PATIENCE
from tests.harness.live_server import until
from tests.harness.update_writer import shared
from tests.harness.update_writer import update as write

HOUSE = Path(__file__).parents[2]
MEGABYTE = 2**20
ONLY_FOR_SERVERS = {"asyncio", "structlog", "server.observe", "server.sandbox.sandbox"}
"""Modules that a worker would import for nothing: they took a third of its start."""

HELLO = bytes.fromhex("01010100040101740568656c6c6f00")
"""Client 1 writes "hello" into the root text "t"."""

HELLO_STATE_VECTOR = bytes.fromhex("010105")
ONE_HELLO = [encode_batch([HELLO])]


def update(client: int, clock: int, struct: bytes) -> bytes:
    out = bytearray(b"\x01\x01")
    write_varuint(client, out)
    write_varuint(clock, out)
    return bytes(out) + struct + b"\0"


def nested(depth: int) -> bytes:
    """A map entry whose value is so deep that its decoder overflows its stack."""
    return update(1, 0, b"\x28\x01\x01m\x01k\x01" + b"\x75\x01" * depth + b"\x7e")


def test_a_worker_imports_nothing_that_only_servers_need() -> None:
    program = "import sys, server.sandbox.worker; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-E", "-s", "-c", program], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    imported = set(ran.stdout.split())
    assert "server.sandbox.jobs" in imported
    assert imported & ONLY_FOR_SERVERS == set()


@cache
def endless() -> list[bytes]:
    """A text that comes letter by letter, for many seconds."""
    letters = [HELLO]
    for clock in range(5, 100_000):
        origin = bytearray()
        write_varuint(clock - 1, origin)
        letters.append(update(1, clock, b"\x84\x01" + bytes(origin) + b"\x01x"))
    return [encode_batch(letters)]


@cache
def deadly() -> list[bytes]:
    """Elements in one another, so deep that deleting the outermost overflows the engine's stack, and that deletion."""
    chain = [shared(XML_ELEMENT, parent="t"), *(shared(XML_ELEMENT, parent=(9, depth)) for depth in range(60_000))]
    return [encode_batch([write({9: (0, chain)})]), encode_batch([write({}, {9: [(0, 1)]})])]


@cache
def text_of(size: int) -> list[bytes]:
    document: Doc[Text] = Doc()
    document["t"] = Text("x" * size)
    return [encode_batch([document.get_update()])]


async def started(job: "asyncio.Task[object]") -> None:
    """Let a job run up to where it waits for its worker."""
    await asyncio.wait({job}, timeout=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox for all stories that leave it fit for the next job, whose worker may have died."""
    async with Sandbox() as sandbox:
        yield sandbox


on_one_loop = pytest.mark.asyncio(loop_scope="module")


@on_one_loop
async def test_a_log_is_folded_into_a_snapshot(sandbox: Sandbox) -> None:
    first = await sandbox.fold(None, ONE_HELLO)
    second = await sandbox.fold(first.snapshot, [encode_batch([update(7, 0, b"\x84\x01\x04\x01!")])])
    document: Doc[Text] = Doc()
    document.apply_update(open_snapshot(second.snapshot) or b"")
    assert str(document.get("t", type=Text)) == "hello!"
    assert check_state_vector(second.state_vector) == check_state_vector(document.get_state())


def stored(snapshot: bytes | None, batches: Sequence[bytes]) -> Stored:
    rows = [Row(Seq(number), batch) for number, batch in enumerate(batches, 1)]
    return Stored(Epoch(1), snapshot, Seq(0), rows, {})


async def tried(sandbox: Sandbox, snapshot: bytes | None, batches: Sequence[bytes]) -> bytes:
    """How far a document reaches that a trial has opened."""
    return (await sandbox.trial(stored(snapshot, batches), GateLimits())).state_vector


@on_one_loop
async def test_a_trial_tells_how_far_a_document_reaches(sandbox: Sandbox) -> None:
    assert await tried(sandbox, None, []) == b"\0"
    assert await tried(sandbox, HELLO, []) == HELLO_STATE_VECTOR
    assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@on_one_loop
@pytest.mark.parametrize(
    ("snapshot", "sentence"),
    [
        pytest.param(nested(26_500), "too deeply", id="stack-overflow"),
        pytest.param(bytes.fromhex("0102070004010174017804000700017800"), "damaged", id="an-exception"),
        pytest.param(bytes.fromhex("020107ffffffff0f0401017401780101070504010174017900"), "damaged", id="no-end"),
        pytest.param(b"", "damaged", id="no-update"),
    ],
)
async def test_what_kills_its_decoder_is_rejected_and_the_next_job_runs(
    sandbox: Sandbox, snapshot: bytes, sentence: str
) -> None:
    """Said to be in the engine's form, so that pycrdt is given the bytes themselves."""
    with pytest.raises(SandboxRejected, match=sentence):
        await sandbox.fold(seal_snapshot(snapshot), [])
    assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@on_one_loop
@pytest.mark.parametrize(
    "updates",
    [
        [nested(26_500)],
        [HELLO, bytes.fromhex("0100010000")],
        [HELLO, bytes.fromhex("010107ffffffff0f840104017800")],
        [b""],
    ],
    ids=["deep", "without-structs", "beyond-the-last-clock", "empty"],
)
async def test_a_log_that_the_gate_cannot_read_is_not_folded_and_pycrdt_does_not_see_it(
    sandbox: Sandbox, updates: list[bytes]
) -> None:
    assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR
    worker = sandbox.worker_pids
    with pytest.raises(SandboxRejected):
        await sandbox.fold(None, [encode_batch(updates)])
    assert sandbox.worker_pids == worker


@pytest.mark.slow
@on_one_loop
async def test_a_trial_dies_of_what_whoever_opens_the_document_would_die_of(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxRejected, match="nested too deeply") as rejected:
        await tried(sandbox, None, [*ONE_HELLO, *deadly()])
    assert rejected.value.died


@on_one_loop
async def test_a_trial_sets_aside_what_a_replay_would(sandbox: Sandbox) -> None:
    batches = [*ONE_HELLO, b"\x05x", encode_batch([b"", bytes.fromhex("0100010000")])]
    trial = await sandbox.trial(stored(None, batches), GateLimits())
    assert trial.state_vector == HELLO_STATE_VECTOR
    assert trial.seconds >= 0
    places = [(each.seq, each.set_aside.position, each.raw) for each in trial.found]
    assert places == [(2, -1, b"\x05x"), (3, 0, b""), (3, 1, bytes.fromhex("0100010000"))]


@pytest.mark.slow
async def test_a_job_that_does_not_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PATIENCE", 500)  # it is cut by its processor time, however little of that it is given
    async with Sandbox(job_seconds=0.2) as sandbox:
        with pytest.raises(SandboxRejected, match="too long"):
            await tried(sandbox, None, endless())
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@pytest.mark.slow
@pytest.mark.parametrize(
    ("snapshot", "batches"),
    [
        pytest.param(None, text_of(24 * MEGABYTE), id="while-working"),
        pytest.param(None, [bytes(130 * MEGABYTE)], id="while-reading-the-job", marks=pytest.mark.slow),
        pytest.param(seal_snapshot(bytes.fromhex("010101002801016d016b0176ffffffff0f00")), [], id="a-few-bytes"),
    ],
)
async def test_a_job_that_needs_too_much_memory_is_rejected(snapshot: bytes | None, batches: list[bytes]) -> None:
    async with Sandbox(memory_bytes=128 * MEGABYTE) as sandbox:
        with pytest.raises(SandboxRejected, match=r"more memory|damaged"):
            await sandbox.fold(snapshot, batches)
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@pytest.mark.slow
async def test_a_worker_killed_by_somebody_else_is_nobodys_fault() -> None:
    async with Sandbox() as sandbox:
        (pid,) = sandbox.worker_pids
        job = asyncio.create_task(tried(sandbox, None, endless()))
        await started(job)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Unavailable, match="from outside"):
            await job
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR
        assert sandbox.worker_pids != (pid,)


@pytest.mark.slow
async def test_a_stopped_worker_does_not_hold_its_job_for_ever() -> None:
    async with Sandbox(job_seconds=0.05) as sandbox:
        os.kill(sandbox.worker_pids[0], signal.SIGSTOP)
        with pytest.raises(Unavailable, match="too busy"):
            await tried(sandbox, None, ONE_HELLO)
    async with Sandbox() as sandbox:
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@pytest.mark.slow
async def test_a_cancelled_job_ends_its_worker_and_no_other_job() -> None:
    async with Sandbox() as sandbox:
        slow = asyncio.create_task(tried(sandbox, None, endless()))
        await started(slow)
        next_one = asyncio.create_task(tried(sandbox, None, ONE_HELLO))
        waiting = asyncio.create_task(tried(sandbox, None, ONE_HELLO))
        await started(waiting)
        waiting.cancel()
        slow.cancel()
        assert await next_one == HELLO_STATE_VECTOR
        assert slow.cancelled()
        assert waiting.cancelled()


@pytest.mark.slow
async def test_a_job_is_cancelled_while_its_answer_comes() -> None:
    """What the worker has sent and nobody reads any more must not hold up the next job, or the end."""
    async with Sandbox() as sandbox, asyncio.timeout(PATIENCE):
        answers: Any = (await sandbox._workers[0].start()).stdout
        large = asyncio.create_task(sandbox.fold(None, text_of(8 * MEGABYTE)))
        while not answers._paused:  # more has come than is read ahead
            await asyncio.sleep(0)
            assert not large.done()
        large.cancel()
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


@pytest.mark.slow
async def test_fifty_jobs_at_once_all_get_their_own_answer() -> None:
    clients = range(1, 51)
    jobs = [[encode_batch([update(client, 0, b"\x04\x01\x01t\x05hello")])] for client in clients]
    async with Sandbox(workers=2) as sandbox:
        answers = await asyncio.gather(*(tried(sandbox, None, job) for job in jobs))
    assert answers == [bytes([1, client, 5]) for client in clients]


@pytest.mark.slow
@on_one_loop
async def test_a_crash_among_many_jobs_costs_one_of_them(sandbox: Sandbox) -> None:
    jobs = [ONE_HELLO, ONE_HELLO, deadly(), ONE_HELLO]
    answers = await asyncio.gather(*(tried(sandbox, None, job) for job in jobs), return_exceptions=True)
    assert [type(answer) for answer in answers] == [bytes, bytes, SandboxRejected, bytes]


async def test_more_jobs_than_may_wait_are_refused_at_once() -> None:
    async with Sandbox(waiting=1) as sandbox:
        running, queued = (asyncio.create_task(tried(sandbox, None, ONE_HELLO)) for _ in range(2))
        await started(queued)
        with pytest.raises(Unavailable, match="at once"):
            await tried(sandbox, None, ONE_HELLO)
        assert await running == await queued == HELLO_STATE_VECTOR
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


async def test_closing_ends_jobs_under_way_and_waiting() -> None:
    async with Sandbox() as sandbox:
        (pid,) = sandbox.worker_pids
        jobs = [asyncio.create_task(tried(sandbox, None, endless())) for _ in range(3)]
        await started(jobs[-1])
    for job in jobs:
        with pytest.raises(Unavailable, match="closed"):
            await job
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Unavailable, match="closed"):
        await tried(sandbox, None, ONE_HELLO)


@pytest.mark.slow
async def test_workers_end_when_nobody_needs_them_and_the_next_job_starts_one() -> None:
    async with Sandbox(starts_late=True, idle_seconds=0.0) as sandbox:
        assert not sandbox.worker_pids, "nothing is open yet"
        sandbox.keep_ready(needed=True)
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR
        (pid,) = sandbox.worker_pids
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR
        assert sandbox.worker_pids == (pid,), "one that is needed stays"
        sandbox.keep_ready(needed=False)
        await until_ended(pid)
        assert pid not in sandbox.worker_pids
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR


async def test_a_worker_that_is_needed_is_ready_after_a_while_without_a_job() -> None:
    async with Sandbox(starts_late=True) as sandbox:
        sandbox.ready_seconds = 0.0
        sandbox.keep_ready(needed=True)
        await until(lambda: len(sandbox.worker_pids) == 1)
        (pid,) = sandbox.worker_pids
        assert await tried(sandbox, None, ONE_HELLO) == HELLO_STATE_VECTOR
        assert sandbox.worker_pids == (pid,)


async def until_ended(pid: int) -> None:
    end, ended = os.pidfd_open(pid), asyncio.Event()
    try:
        asyncio.get_running_loop().add_reader(end, ended.set)
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(end)
        os.close(end)


async def test_a_worker_that_cannot_start_says_so_at_once() -> None:
    with pytest.raises(Unavailable, match="at its start"):
        await Sandbox(memory_bytes=8 * MEGABYTE).__aenter__()


@pytest.mark.slow
async def test_a_worker_that_has_served_long_is_replaced() -> None:
    async with Sandbox() as sandbox:
        pids: set[int] = set()
        for _ in range(JOBS_PER_PROCESS + 1):
            assert await tried(sandbox, None, []) == b"\0"
            pids.update(sandbox.worker_pids)
    assert len(pids) == 2


def test_a_worker_that_has_grown_is_replaced() -> None:
    assert may_stay(1, 100 * MEGABYTE, 1000 * MEGABYTE)
    assert not may_stay(1, 300 * MEGABYTE, 1000 * MEGABYTE)


async def test_a_worker_has_limits_its_own_session_and_nothing_of_our_environment() -> None:
    async with Sandbox(memory_bytes=256 * MEGABYTE) as sandbox:
        (pid,) = sandbox.worker_pids
        process = Path("/proc") / str(pid)
        limits = {
            " ".join(line.split()[:-3]): line.split()[-3] for line in (process / "limits").read_text().splitlines()
        }
        assert os.getsid(pid) == pid
        assert b"PATH=" not in (process / "environ").read_bytes()
        assert str(256 * MEGABYTE) in " ".join([*limits, *limits.values()])
