"""Many small documents at once; each edit is acknowledged: by us when it is durable, by Hocuspocus when it is in memory."""

import asyncio
from pathlib import Path

from tests.bench.dialects import Member
from tests.bench.fleet import drain, join, keep_busy, measured
from tests.bench.meter import Meter, percentile
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS, Kind, Running
from tests.bench.table import Figures

DOCUMENTS, MEMBERS = 200, 3
LEAST_SECONDS = 12.0
"""Hocuspocus writes a document that is being typed in every ten seconds: its writing is to be measured as well."""


async def type_everywhere(kind: Kind, directory: Path, pace: Pace) -> Figures:
    """Let everybody type once a second."""
    async with Running(kind, directory) as server:
        meter = Meter()
        groups = [await join(server, document, MEMBERS, meter) for document in await server.new_documents(DOCUMENTS)]
        everybody = [member for group in groups for member in group]
        await keep_busy(Member.type, everybody, MEMBERS - 1, 1, pace.warm_up)
        await drain(meter)
        before = _stored(directory)
        async with measured(server, meter, everybody) as figures:
            await keep_busy(Member.type, everybody, MEMBERS - 1, 1, max(pace.seconds, LEAST_SECONDS))
            await drain(meter)
            await asyncio.sleep(0.2)  # the last acknowledgements
        stored = _stored(directory) - before
    acks = meter.acknowledgements
    return {
        "µs/edit": figures["µs/delivery"] * figures["deliveries"] / figures["edits"],
        "ack p50 ms": percentile(acks, 0.5) * 1e3,
        "ack p99 ms": percentile(acks, 0.99) * 1e3,
        "acks": len(acks),
        "disk B/edit": stored / figures["edits"],
        **figures,
    }


def _stored(directory: Path) -> int:
    """Return the bytes of all files that the server has written."""
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


SCENARIO = Scenario(
    f"{DOCUMENTS} documents of {MEMBERS} members, acknowledged",
    (OURS, HOCUSPOCUS_SQLITE),
    {"1 edit/s of each member": type_everywhere},
    ("µs/edit", "p99 ms", "ack p99 ms", "disk B/edit"),
)
