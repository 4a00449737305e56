"""Many members of documents, in one process: they join, type or move their cursors at a steady pace, and are counted."""

import asyncio
import gc
import heapq
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random

from tests.bench.dialects import Member, Past
from tests.bench.meter import Meter, now
from tests.bench.processes import PATIENCE, cpu_between, cpu_seconds, resident_bytes
from tests.bench.servers import Site
from tests.bench.table import Figures

AT_ONCE = 50
"""Connections that are being opened at a time."""

DRAIN_SECONDS = 5.0
"""How long the last edits may be on their way."""

ACTS_IN_A_ROW = 50
"""By members who are late, before what has arrived is looked at."""

RECEIVE_BUFFER = 2**17

QUIET_SECONDS = 0.3
"""After warming up, so that what is measured begins in a quiet room."""

NOTHING = Past()

Act = Callable[[Member, int], None]
"""What somebody does, told to so many others."""


async def join(
    server: Site,
    document: str,
    count: int,
    meter: Meter,
    *,
    first: int = 0,
    past: Past = NOTHING,
) -> list[Member]:
    """Connect so many members to a document, in turn to each of the server's ports, and return when all are up to date.

    The first comes alone on each port: some servers leave people out who come while a document is
    being opened.
    """
    loop, chance = asyncio.get_running_loop(), Random(f"{document} {first}")
    members = [server.kind.member(document, chance.getrandbits(32), meter, past) for _ in range(count)]
    doorway = asyncio.Semaphore(AT_ONCE)

    async def come_in(at: int, member: Member) -> None:
        async with doorway:
            port = server.ports[at % len(server.ports)]
            await loop.create_connection(lambda: member, sock=await reach(port))
            await member.synced

    async with asyncio.timeout(PATIENCE):
        for at, member in enumerate(members[: len(server.ports)]):
            await come_in(at, member)
        await asyncio.gather(*(come_in(at, member) for at, member in enumerate(members) if at >= len(server.ports)))
    return members


async def reach(port: int) -> socket.socket:
    """A connection whose receive buffer stays as it is, so that whoever stops reading is felt by the server soon."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


async def reach_first(port: int) -> socket.socket:
    """The first connection that a server takes after its start."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await reach(port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.001)


def leave(members: Sequence[Member]) -> None:
    """Hang up."""
    for member in members:
        member.transport.abort()


async def keep_busy(act: Act, members: Sequence[Member], others: int, per_second: float, seconds: float) -> None:
    """Let each of some members act so often, each at moments of their own, from a fixed seed."""
    chance, began = Random(7), now()
    due = [(began + chance.random() / per_second, at) for at in range(len(members))]
    heapq.heapify(due)
    acts = 0
    while due[0][0] < began + seconds:
        moment, at = due[0]
        pause = moment - now()
        if pause > 0 or acts >= ACTS_IN_A_ROW:
            await asyncio.sleep(max(pause, 0))
            acts = 0
        act(members[at], others)
        heapq.heapreplace(due, (moment + chance.uniform(0.5, 1.5) / per_second, at))
        acts += 1


async def warm_up(members: Sequence[Member], act: Act, seconds: float) -> None:
    """Let everybody act a little, so that just-in-time compilers have met the work; a hundred times a second in all."""
    await keep_busy(act, members, len(members) - 1, 100 / len(members), seconds)
    await drain(members[0].meter)
    await asyncio.sleep(QUIET_SECONDS)


async def drain(meter: Meter, seconds: float = DRAIN_SECONDS) -> None:
    """Wait until everybody has everything, or has had the time for it."""
    until = now() + seconds
    while meter.outstanding > 0 and now() < until:  # noqa: ASYNC110 - an event would cost time at every delivery
        await asyncio.sleep(0.005)


@asynccontextmanager
async def measured(server: Site, meter: Meter, members: Sequence[Member]) -> AsyncIterator[Figures]:
    """Measure what happens meanwhile; the figures are there at the end. What the members still lack then is lost."""
    figures: Figures = {}
    gc.collect()
    gc.disable()
    meter.begin()
    frames, octets = (sum(values) for values in zip(*((each.frames, each.octets) for each in members), strict=True))
    own, began, before = time.process_time(), now(), cpu_seconds(server.pids)
    try:
        yield figures
    finally:
        gc.enable()
    cpu, took, own = cpu_between(before, cpu_seconds(server.pids)), now() - began, time.process_time() - own
    figures |= {
        "µs/delivery": cpu / meter.deliveries * 1e6 if meter.deliveries else float("nan"),
        **delays(meter),
        "deliveries": meter.deliveries,
        "lost": meter.outstanding,
        "edits": meter.edits,
        "core %": cpu / took * 100,
        "frames": sum(each.frames for each in members) - frames,
        "MB": (sum(each.octets for each in members) - octets) / 1e6,
        "RSS MB": resident_bytes(server.pids) / 1e6,
        "generator %": own / took * 100,
    }


def delays(meter: Meter) -> Figures:
    """How long edits took to others, in milliseconds."""
    ordered = sorted(meter.delays)
    shares = {"p50 ms": 0.5, "p95 ms": 0.95, "p99 ms": 0.99}
    return {
        name: ordered[int(len(ordered) * share)] * 1e3 if ordered else float("nan") for name, share in shares.items()
    }
