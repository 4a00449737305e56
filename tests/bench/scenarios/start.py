"""A server is started over a document that it has kept: until it listens, until the first page is up to date, and what it weighs then."""

import asyncio
from pathlib import Path
from random import Random
from statistics import median

from tests.bench.contents import fill, prose, resting_bytes
from tests.bench.fleet import NOTHING, leave, reach_first
from tests.bench.meter import Meter, now
from tests.bench.processes import PATIENCE, cpu_seconds
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS_AS_INSTALLED, PYCRDT_SQLITE, Kind, Running
from tests.bench.table import Figures

STARTS = 10
DOCUMENT_BYTES = 10_000
"""Enough for a page or two, and little enough that what is measured is the start."""


async def start_again(kind: Kind, directory: Path, _pace: Pace) -> Figures:
    """Start a server many times, and join as soon as it listens."""
    async with Running(kind, directory) as server:
        document = await fill(server, *prose(DOCUMENT_BYTES))
        before = await resting_bytes(server) / 1e6
        figures = [await _start(server, document, at) for at in range(STARTS)]
        await server.restart()
        at_rest = await resting_bytes(server) / 1e6
    middle = {name: median(each[name] for each in figures) for name in figures[0]}
    return {**middle, "MB at rest": at_rest, "MB after writing": before}


async def _start(server: Running, document: str, at: int) -> Figures:
    """One start. The member keeps the line that it got while the server was not yet ready."""
    server.stop()
    began = now()
    server.begin()
    line = await reach_first(server.port)
    listening = now() - began
    member = server.kind.member(document, Random(at).getrandbits(32), Meter(), NOTHING)
    async with asyncio.timeout(PATIENCE):
        await asyncio.get_running_loop().create_connection(lambda: member, sock=line)
        await member.synced
    answered, spent = now() - began, cpu_seconds(server.pids)
    leave([member])
    return {
        "listening ms": listening * 1e3,
        "first page ms": answered * 1e3,
        "CPU ms": spent[server.pids[0]] * 1e3,
        "CPU ms with workers": sum(spent.values()) * 1e3,
    }


SCENARIO = Scenario(
    f"a restarted server, its first page, and its memory with nothing open (the middle of {STARTS} starts)",
    (OURS_AS_INSTALLED, HOCUSPOCUS_SQLITE, PYCRDT_SQLITE),
    {"a kept document of two pages": start_again},
    ("listening ms", "first page ms", "CPU ms", "MB at rest"),
)
