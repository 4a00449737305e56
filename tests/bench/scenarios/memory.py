"""What idle things weigh: a connection, a small open document, a document that everybody has left."""

import asyncio
from pathlib import Path

from tests.bench.contents import resting_bytes
from tests.bench.dialects import Member
from tests.bench.fleet import drain, join, leave, warm_up
from tests.bench.meter import Meter
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS, PYCRDT, Y_WEBSOCKET, Kind, Running
from tests.bench.table import Figures

COUNT = 1000
REST_SECONDS = 15.0
"""After which a server has put away what nobody has open."""


async def weigh_connections(kind: Kind, directory: Path, pace: Pace) -> Figures:
    """Let very many people join one document, and do nothing."""
    async with Running(kind, directory) as server:
        meter = Meter()
        (document,) = await server.new_documents(1)
        few = await join(server, document, 20, meter)
        await warm_up(few, Member.type, pace.warm_up)
        before = await resting_bytes(server)
        await join(server, document, COUNT, meter, first=20)
        after = await resting_bytes(server)
    return {"kB each": (after - before) / COUNT / 1e3, "before MB": before / 1e6, "RSS MB": after / 1e6}


async def weigh_documents(kind: Kind, directory: Path, pace: Pace) -> Figures:
    """Let somebody write a little in each of very many documents, over a connection for each, and leave."""
    async with Running(kind, directory) as server:
        meter = Meter()
        warm = await join(server, (await server.new_documents(1))[0], 20, meter)
        await warm_up(warm, Member.type, pace.warm_up)
        documents = await server.new_documents(COUNT)
        before = await resting_bytes(server)
        people = [(await join(server, document, 1, meter))[0] for document in documents]
        for person in people:
            person.type(0)
        after = await resting_bytes(server)
        leave(people)
        await drain(meter)
        await asyncio.sleep(REST_SECONDS)
        left = await resting_bytes(server)
    return {
        "kB each": (after - before) / COUNT / 1e3,
        "kB each when left": (left - before) / COUNT / 1e3,
        "before MB": before / 1e6,
        "RSS MB": after / 1e6,
    }


SCENARIO = Scenario(
    f"memory of {COUNT} idle things",
    (OURS, HOCUSPOCUS_SQLITE, Y_WEBSOCKET, PYCRDT),
    {
        "connections to one document": weigh_connections,
        "small documents, each with its connection": weigh_documents,
    },
    ("kB each", "kB each when left"),
)
