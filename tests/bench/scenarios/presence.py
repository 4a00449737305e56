"""Everybody's cursor moves, nobody types."""

from functools import partial
from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.fleet import drain, join, keep_busy, measured, warm_up
from tests.bench.moves import MovesMeter
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS, HOCUSPOCUS_20, OURS, Y_WEBSOCKET, Kind, Running
from tests.bench.table import Figures


async def move_about(kind: Kind, directory: Path, pace: Pace, *, members: int, per_second: float) -> Figures:
    """Let all of a document's members move their cursors."""
    async with Running(kind, directory) as server:
        meter = MovesMeter()
        (document,) = await server.new_documents(1)
        everybody = await join(server, document, members, meter)
        for member in everybody[100:]:
            member.timed = False
        await warm_up(everybody, Member.move, pace.warm_up)
        async with measured(server, meter, everybody) as figures:
            await keep_busy(Member.move, everybody, members - 1, per_second, pace.seconds)
            await drain(meter)
    return {**figures, "states": meter.states}


SCENARIO = Scenario(
    "cursors that move; a later place of a cursor makes up for earlier ones",
    (OURS, HOCUSPOCUS, HOCUSPOCUS_20, Y_WEBSOCKET),
    {
        "100 members × 5 moves/s": partial(move_about, members=100, per_second=5),
        "500 members × 1 move/s": partial(move_about, members=500, per_second=1),
    },
    ("µs/delivery", "core %", "p99 ms"),
)
