"""Half of a document's members stop reading while others write a lot."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.edits import Pen
from tests.bench.fleet import drain, join, keep_busy, measured, warm_up
from tests.bench.meter import Meter, now
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS, OURS, Y_WEBSOCKET, Kind, Running
from tests.bench.table import Figures

MEMBERS, READERS, TYPISTS = 100, 50, 20
PER_SECOND = 5
PADDING = 10_000
LEAST_SECONDS = 10.0
"""Long edits for a while: enough that what somebody does not read piles up in the server, when the kernel takes no more."""

WAKING_SECONDS = 15.0


async def read_or_not(kind: Kind, directory: Path, pace: Pace, *, stalled: bool) -> Figures:
    """Measure those who read; then wake the others."""
    async with Running(kind, directory) as server:
        meter = Meter()
        (document,) = await server.new_documents(1)
        everybody = await join(server, document, MEMBERS, meter)
        await warm_up(everybody, Member.type, pace.warm_up)
        readers, others = everybody[:READERS], everybody[READERS:]
        for member in readers:
            member.pen = Pen(member.pen.client_id + 1, PADDING)
        if stalled:
            _stop_reading(others)
        told = READERS if stalled else MEMBERS
        async with measured(server, meter, everybody) as figures:
            await keep_busy(Member.type, readers[:TYPISTS], told - 1, PER_SECOND, max(pace.seconds, LEAST_SECONDS))
            await drain(meter)
        return {**figures, "left incomplete": await _wake(others, len(meter.sent_at))}


def _stop_reading(members: Sequence[Member]) -> None:
    for member in members:
        member.transport.pause_reading()


async def _wake(members: Sequence[Member], edits: int) -> int:
    """Let them read again; how many of them do not get everything."""
    for member in members:
        if not member.transport.is_reading() and not member.transport.is_closing():
            member.transport.resume_reading()
    until = now() + WAKING_SECONDS
    while _lacking(members, edits) and now() < until:  # noqa: ASYNC110 - an event would cost time at every delivery
        await asyncio.sleep(0.05)
    return _lacking(members, edits)


def _lacking(members: Sequence[Member], edits: int) -> int:
    return sum(len(member.seen) < edits for member in members)


SCENARIO = Scenario(
    f"{MEMBERS - READERS} of {MEMBERS} members stop reading",
    (OURS, HOCUSPOCUS, Y_WEBSOCKET),
    {
        "everybody reads": partial(read_or_not, stalled=False),
        "half of them stop": partial(read_or_not, stalled=True),
    },
    ("RSS MB", "p99 ms", "µs/delivery"),
)
