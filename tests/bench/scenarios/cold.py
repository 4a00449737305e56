"""A long document is opened: after a restart, by a second reader, and again by somebody who lacks nothing."""

import asyncio
from functools import lru_cache, partial
from pathlib import Path

from tests.bench.contents import fill, paper, past_of, settle, text_of, typing
from tests.bench.dialects import Member, Past
from tests.bench.fleet import NOTHING, join, leave
from tests.bench.meter import Meter, now
from tests.bench.processes import cpu_between, cpu_seconds
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import HOCUSPOCUS_SQLITE, OURS, PYCRDT_SQLITE, Kind, Running
from tests.bench.table import Figures

REJOINS = 50

REST_SECONDS = 15.0
"""After which a server has put away what nobody has open."""

LIVE_EDITS = 20_000
LIVE_PAUSE = 0.002
"""Seconds between two keystrokes of live typing: more than it takes a server to write one down."""

_paper = lru_cache(maxsize=1)(paper)
_typing = lru_cache(maxsize=1)(partial(typing, LIVE_EDITS))


async def open_paper(kind: Kind, directory: Path, _pace: Pace, *, rest: float, live: bool = False) -> Figures:
    """Fill a server, restart it, and come in three ways."""
    updates, text = _typing() if live else _paper()
    async with Running(kind, directory) as server:
        document = await fill(server, updates, text, LIVE_PAUSE if live else 0)
        await asyncio.sleep(rest)
        await server.restart()
        cold, first = await _come_in(server, document, "cold")
        assert first.missing is not None
        assert text_of(first.missing) == text
        warm, second = await _come_in(server, document, "warm")
        later = await _put_off(server)
        again, third = await _come_in(server, document, "re-join", REJOINS, past_of(first))
        resync = await _ask_again(server, third, past_of(first))
        document_bytes = len(first.missing)
        leave([first, second, third])
    return {**cold, **warm, **later, **again, **resync, "document B": document_bytes}


async def _put_off(server: Running) -> Figures:
    """What opening the document has left to be done afterwards, which is not to be counted with what comes then."""
    before = cpu_seconds(server.pids)
    await settle(server)
    return {"put off CPU ms": cpu_between(before, cpu_seconds(server.pids)) * 1e3}


async def _come_in(
    server: Running, document: str, how: str, times: int = 1, past: Past = NOTHING
) -> tuple[Figures, Member]:
    """Time from connecting to having everything, bytes of the answer, and what it costs the server."""
    took, octets, before = 0.0, 0, cpu_seconds(server.pids)
    for at in range(times):
        began = now()
        (member,) = await join(server, document, 1, Meter(), first=at, past=past)
        took += now() - began
        octets += member.octets - member.asked_at
        if at < times - 1:
            leave([member])
    return _shared_out(how, took, cpu_between(before, cpu_seconds(server.pids)), octets, times), member


async def _ask_again(server: Running, member: Member, past: Past) -> Figures:
    """The same over an open connection."""
    octets, began, before = 0, now(), cpu_seconds(server.pids)
    for _ in range(REJOINS):
        member.ask_again(past)
        await member.synced
        octets += member.octets - member.asked_at
    return _shared_out("re-sync", now() - began, cpu_between(before, cpu_seconds(server.pids)), octets, REJOINS)


def _shared_out(how: str, took: float, cpu: float, octets: int, times: int) -> Figures:
    figures = {f"{how} ms": took * 1e3, f"{how} CPU ms": cpu * 1e3, f"{how} B": float(octets)}
    return {name: value / times for name, value in figures.items()}


SCENARIO = Scenario(
    "a paper of 260,000 keystrokes is opened, or one that somebody is typing",
    (OURS, HOCUSPOCUS_SQLITE, PYCRDT_SQLITE),
    {
        "restarted when it had been closed for a while": partial(open_paper, rest=REST_SECONDS),
        "restarted as soon as it was written": partial(open_paper, rest=0.0),
        f"restarted while it was typed, after {LIVE_EDITS:,} keystrokes": partial(open_paper, rest=0.0, live=True),
    },
    ("cold ms", "warm ms", "re-sync CPU ms", "re-sync B"),
)
