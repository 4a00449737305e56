"""One busy document: everybody reads, some type."""

from functools import partial
from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.edits import Pen
from tests.bench.fleet import drain, join, keep_busy, measured, warm_up
from tests.bench.meter import Meter
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import (
    BROADCAST,
    HOCUSPOCUS,
    HOCUSPOCUS_20,
    HOCUSPOCUS_50,
    OURS,
    PYCRDT,
    Y_WEBSOCKET,
    Kind,
    Running,
)
from tests.bench.table import Figures


async def type_together(  # noqa: PLR0913 - one parameter for each part of the load
    kind: Kind, directory: Path, pace: Pace, *, members: int, typists: int, per_second: float, scattered: bool = False
) -> Figures:
    """Let some of a document's members type at a steady pace."""
    async with Running(kind, directory) as server:
        meter = Meter()
        (document,) = await server.new_documents(1)
        everybody = await join(server, document, members, meter)
        for member in everybody if scattered else ():
            member.pen = Pen(member.pen.client_id, scattered=True)
        await warm_up(everybody, Member.type, pace.warm_up)
        async with measured(server, meter, everybody) as figures:
            await keep_busy(Member.type, everybody[:typists], members - 1, per_second, pace.seconds)
            await drain(meter)
    return figures


SCENARIO = Scenario(
    "one busy document of 100 members, or of 500",
    (OURS, HOCUSPOCUS, HOCUSPOCUS_20, HOCUSPOCUS_50, Y_WEBSOCKET, BROADCAST, PYCRDT),
    {
        "50 typists × 4/s": partial(type_together, members=100, typists=50, per_second=4),
        "20 typists × 5/s": partial(type_together, members=100, typists=20, per_second=5),
        "20 typists × 5/s, here and there": partial(
            type_together, members=100, typists=20, per_second=5, scattered=True
        ),
        "1 typist × 5/s": partial(type_together, members=100, typists=1, per_second=5),
        "500 members, 20 typists × 5/s": partial(type_together, members=500, typists=20, per_second=5),
    },
    ("µs/delivery", "p50 ms", "p99 ms"),
)
