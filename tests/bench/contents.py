"""Documents with contents, put into a server and kept by it, ready to be opened after a restart."""

import asyncio
import contextlib
from collections.abc import Iterable
from random import Random
from typing import Any

from pycrdt import Doc, Text

from tests.bench.dialects import Member, Past
from tests.bench.edits import ROOT
from tests.bench.fleet import join, leave
from tests.bench.meter import Meter, now
from tests.bench.processes import PATIENCE, cpu_between, cpu_seconds, is_waiting, resident_bytes
from tests.bench.servers import Running
from tests.harness.traces import read_trace, updates_of

KEYSTROKES = 200
"""Of a trace in one update: what somebody types between two pauses."""

SETTLE_SECONDS = 0.3
LOOKS = 5
"""At a server in that time."""


class Lost(AssertionError):
    """A server has not kept what was written."""


def paper() -> tuple[list[bytes], str]:
    """A paper that was typed in 260,000 keystrokes, as updates, and its text."""
    trace = read_trace("automerge-paper")
    doc = Doc[Any]()
    text = doc.get(ROOT, type=Text)
    updates = []
    for at in range(0, len(trace.edits), KEYSTROKES):
        before = doc.get_state()
        with doc.transaction():
            for place, deleted, inserted in trace.edits[at : at + KEYSTROKES]:
                if deleted:
                    del text[place : place + deleted]
                if inserted:
                    text.insert(place, inserted)
        updates.append(doc.get_update(before))
    return updates, trace.end


def typing(count: int) -> tuple[list[bytes], str]:
    """The first keystrokes of the paper, an update for each, and the text that they make."""
    trace = read_trace("automerge-paper").beginning(count)
    return list(updates_of(trace, ROOT)), trace.end


def prose(size: int) -> tuple[list[bytes], str]:
    """A text of so many characters, written here and there in it, as updates."""
    doc, chance = Doc[Any](), Random(size)
    text = doc.get(ROOT, type=Text)
    updates = []
    while len(text) < size:
        before = doc.get_state()
        text.insert(chance.randint(0, len(text)), "".join(chance.choices("etaoin shrdlu", k=40)))
        updates.append(doc.get_update(before))
    return updates, str(text)


async def fill(server: Running, updates: Iterable[bytes], text: str, pause: float = 0) -> str:
    """Have somebody write a new document, and see that others get its text; its id.

    `pause`: seconds from one update to the next.
    """
    (document,) = await server.new_documents(1)
    meter = Meter()
    (writer,) = await join(server, document, 1, meter)
    for update in updates:
        writer.transport.write(writer.write_update(meter.send(writer, 0), update))
        await asyncio.sleep(pause)  # lets answers in
    await settle(server)
    await _read_back(server, document, text)
    leave([writer])
    await settle(server)
    return document


async def _read_back(server: Running, document: str, text: str) -> None:
    """See that others get the text; a server that is behind has its time, and one that has lost words is told so."""
    read, until, readers = "", now() + PATIENCE, 0
    while read != text:
        if now() > until:
            missing = f"it has {len(read)} of {len(text)} characters" if len(read) != len(text) else "words differ"
            raise Lost(f"{server.kind.name} shows another text than the one that was written: {missing}")
        readers += 1
        (reader,) = await join(server, document, 1, Meter(), first=readers)
        assert reader.missing is not None
        read = text_of(reader.missing)
        leave([reader])
        await settle(server)


async def settle(server: Running) -> None:
    """Wait until a server has nothing to do, nearly; one that is always busy with itself is measured as it is.

    A server that waits for its core or its disk uses no processor time either, and is not at rest.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            at_rest = False
            while not at_rest:
                before, at_rest = cpu_seconds(server.pids), True
                for _ in range(LOOKS):
                    await asyncio.sleep(SETTLE_SECONDS / LOOKS)
                    at_rest = at_rest and not is_waiting(server.pids)
                at_rest = at_rest and cpu_between(before, cpu_seconds(server.pids)) <= 0.02 * SETTLE_SECONDS


async def resting_bytes(server: Running) -> int:
    """Return a server's memory when it has nothing to do."""
    await settle(server)
    return resident_bytes(server.pids)


def text_of(update: bytes) -> str:
    """The text in an update that is a whole document."""
    doc = Doc[Any]()
    doc.apply_update(update)
    return str(doc.get(ROOT, type=Text))


def past_of(member: Member) -> Past:
    """What somebody has who came with nothing and was brought up to date."""
    assert member.missing is not None
    doc = Doc[Any]()
    doc.apply_update(member.missing)
    return Past(bytes(doc.get_state()), member.row)
