"""How much a server can take: 100 members type faster and faster until the delays are felt, or not everything arrives.

Members go on behind their own last words, or each time behind any of their own, as corrections do.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.edits import Pen
from tests.bench.fleet import drain, join, keep_busy, measured, warm_up
from tests.bench.meter import Meter
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS, HOCUSPOCUS_20, OURS, Y_WEBSOCKET, Kind, Running
from tests.bench.table import Figures

MEMBERS = 100
TIMED = 10
"""Members whose delays are measured; the others' deliveries are only counted, so that the generator keeps up."""

FELT_MS = 250.0
FIRST_RATE, STEP = 300.0, 1.4
STEP_SECONDS = 2.0
BETWEEN = (STEP**0.5, STEP**0.75)
"""Tried at last between the highest rate that went well and the one that didn't."""

SLACK = 0.95
"""A generator that sends less of what it was told to than this is the limit itself."""


async def climb(kind: Kind, directory: Path, pace: Pace, *, scattered: bool = False) -> Figures:
    """Raise the rate until it is too much; the figures of the best rate."""
    best: Figures = {}
    rate = FIRST_RATE
    async with Running(kind, directory) as server:
        members = await _gather(server, pace, scattered=scattered)
        while _went_well(figures := await _try(members, server, rate), rate):
            best, rate = figures, rate * STEP
    if figures["edits/s"] < SLACK * rate:
        return best or figures
    for between in (rate / STEP * factor for factor in BETWEEN):
        async with Running(kind, directory) as server:
            figures = await _try(await _gather(server, pace, scattered=scattered), server, between)
        if _went_well(figures, between):
            best = figures
    return best or figures


async def _try(members: Sequence[Member], server: Running, rate: float) -> Figures:
    """Two attempts: a hiccup of the machine is not the server's."""
    figures = await _load(server, members, rate)
    if not _went_well(figures, rate):
        await drain(members[0].meter)
        figures = await _load(server, members, rate)
    return figures


async def _gather(server: Running, pace: Pace, *, scattered: bool) -> list[Member]:
    (document,) = await server.new_documents(1)
    members = await join(server, document, MEMBERS, Meter())
    for member in members if scattered else ():
        member.pen = Pen(member.pen.client_id, scattered=True)
    for member in members[TIMED:]:
        member.timed = False
    await warm_up(members, Member.type, pace.warm_up)
    return members


async def _load(server: Running, members: Sequence[Member], rate: float) -> Figures:
    """Type at a rate, in all, for a while."""
    meter = members[0].meter
    async with measured(server, meter, members) as figures:
        await keep_busy(Member.type, members, MEMBERS - 1, rate / MEMBERS, STEP_SECONDS)
        await drain(meter, 1.0)
    return {
        "deliveries/s": figures["deliveries"] / STEP_SECONDS,
        "edits/s": figures["edits"] / STEP_SECONDS,
        **figures,
    }


def _went_well(figures: Figures, rate: float) -> bool:
    return figures["lost"] == 0 and figures["p99 ms"] < FELT_MS and figures["edits/s"] >= SLACK * rate


SCENARIO = Scenario(
    f"most deliveries per second with a p99 below {FELT_MS:.0f} ms",
    (OURS, HOCUSPOCUS, HOCUSPOCUS_20, Y_WEBSOCKET),
    {
        f"{MEMBERS} members, all typing": climb,
        f"{MEMBERS} members, all typing here and there": partial(climb, scattered=True),
    },
    ("deliveries/s", "µs/delivery"),
)
