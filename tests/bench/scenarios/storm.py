"""A server comes back after a restart, and all members of its document are there at once."""

import asyncio
from functools import lru_cache, partial
from pathlib import Path
from random import Random

from tests.bench.contents import fill, past_of, prose, settle
from tests.bench.dialects import Member, Past
from tests.bench.fleet import join, leave, reach
from tests.bench.meter import Meter, now, percentile
from tests.bench.processes import cpu_between, cpu_seconds, resident_bytes
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS, PYCRDT_SQLITE, Kind, Running
from tests.bench.table import Figures

MEMBERS = 500
DOCUMENT_BYTES = 100_000

PATIENCE = 15.0
"""Seconds after which whoever is not up to date counts as left out."""

_prose = lru_cache(maxsize=1)(prose)


async def come_back(kind: Kind, directory: Path, _pace: Pace, *, empty_handed: bool) -> Figures:
    """Restart a server; everybody connects as soon as it listens, with what they had or with nothing."""
    async with Running(kind, directory) as server:
        document = await fill(server, *_prose(DOCUMENT_BYTES))
        everybody = await join(server, document, MEMBERS, Meter())
        past = Past() if empty_handed else past_of(everybody[0])
        leave(everybody)
        await settle(server)
        await server.restart()
        return await _storm(server, document, past)


async def _storm(server: Running, document: str, past: Past) -> Figures:
    """All at once. When members are left out, the others' figures say nothing."""
    chance, came = Random(document), []
    everybody = [server.kind.member(document, chance.getrandbits(32), Meter(), past) for _ in range(MEMBERS)]
    began, before = now(), cpu_seconds(server.pids)

    async def come_in(member: Member) -> None:
        await asyncio.get_running_loop().create_connection(lambda: member, sock=await reach(server.port))
        await member.synced
        came.append(now() - began)

    coming = [asyncio.create_task(come_in(member)) for member in everybody]
    await asyncio.wait(coming, timeout=PATIENCE)
    cpu = cpu_between(before, cpu_seconds(server.pids))
    whole = 1.0 if len(came) == MEMBERS else float("nan")
    figures = {
        "all synced ms": whole * max(came, default=0) * 1e3,
        "p50 ms": whole * percentile(came, 0.5) * 1e3,
        "CPU ms": whole * cpu * 1e3,
        "CPU ms/member": whole * cpu * 1e3 / MEMBERS,
        "left out": MEMBERS - len(came),
        "MB": sum(member.octets for member in everybody) / 1e6,
        "RSS MB": resident_bytes(server.pids) / 1e6,
    }
    for task in coming:
        task.cancel()
    await asyncio.gather(*coming, return_exceptions=True)
    leave([member for member in everybody if hasattr(member, "transport")])
    return figures


SCENARIO = Scenario(
    f"a restarted server, and {MEMBERS} members of a document of {DOCUMENT_BYTES // 1000} kB",
    (OURS, HOCUSPOCUS_SQLITE, PYCRDT_SQLITE),
    {
        "they have everything": partial(come_back, empty_handed=False),
        "they have nothing": partial(come_back, empty_handed=True),
    },
    ("all synced ms", "CPU ms"),
)
