"""One busy document on two nodes with a Redis between them; half of its members are on each."""

from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.fleet import drain, join, keep_busy, measured, warm_up
from tests.bench.meter import Meter
from tests.bench.pair import pair
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_NODE, HOCUSPOCUS_NODE_20, OUR_NODE, Kind
from tests.bench.table import Figures

MEMBERS, TYPISTS, PER_SECOND = 100, 20, 5


async def type_across(kind: Kind, directory: Path, pace: Pace) -> Figures:
    """Let some type on each node."""
    async with pair(kind, directory) as both:
        meter = Meter()
        (document,) = await both.nodes[0].new_documents(1)
        everybody = await join(both, document, MEMBERS, meter)
        await warm_up(everybody, Member.type, pace.warm_up)
        async with measured(both, meter, everybody) as figures:
            await keep_busy(Member.type, everybody[:TYPISTS], MEMBERS - 1, PER_SECOND, pace.seconds)
            await drain(meter)
    return figures


SCENARIO = Scenario(
    "two nodes and Redis, whose processor time is added; ours store in PostgreSQL, the peers store nothing",
    (OUR_NODE, HOCUSPOCUS_NODE, HOCUSPOCUS_NODE_20),
    {f"{MEMBERS} members, {TYPISTS} typists × {PER_SECOND}/s": type_across},
)
