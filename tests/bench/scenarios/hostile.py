"""The dearest input of each kind that a stranger may send, against a server as it is installed.

Meanwhile an honest member of another document types. What counts is how long the longest wait for
an acknowledgement was, and how much memory the attack took: at its peak, and when the attacker had
left. The bounds are 200 ms and 64 MB a person in the serving process. The sandbox's workers, which
are as many for one person as for thousands, and are replaced when they keep much, stand beside it.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from socketio.exceptions import SocketIOError

from crdt.protocol.batch import encode_batch
from crdt.yjs.varint import encode_state_vector
from tests.bench.dialects import Member
from tests.bench.fleet import join, leave
from tests.bench.meter import Meter, now
from tests.bench.processes import proportional_bytes, resident_bytes
from tests.bench.scenario import Pace, Scenario
from tests.bench.servers import OURS_AS_INSTALLED, Kind, Running
from tests.bench.table import Figures
from tests.harness.hostile_work import KINDS, Batch, Input, formats_in_one_batch, large_texts
from tests.harness.stranger import Stranger, stranger
from tests.harness.update_writer import text, update

TYPING = 0.02
"""Seconds between two edits of the honest member."""

LOOK = 0.1
"""Seconds between two looks at the memory."""

LAST_EDITS = 60.0
"""Seconds within which the last edits must be acknowledged."""

REST = 1.0
"""Seconds after which an attacker who has left must have given back their memory."""

Attack = Callable[["Scene"], Awaitable[None]]


class Scene:
    """A server, an attacker in a document of theirs, and what is counted."""

    def __init__(self, server: Running, attacker: Stranger, document: str) -> None:
        self.server = server
        self.attacker = attacker
        self.document = document
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self.octets = self.taken = self.refused = self.unanswered = 0

    async def sends(self, batch: Batch) -> None:
        """Send a batch, and count the answer."""
        await self.counts(self.attacker.sends_batch(encode_batch(batch)), sum(map(len, batch)))

    async def joins(self, state_vector: bytes) -> None:
        """Join again with a state vector, and count the answer."""
        await self.counts(self.attacker.joins(self.document, state_vector), len(state_vector))

    async def counts(self, answer: Awaitable[object | None], octets: int) -> None:
        """Wait for an answer to so many bytes, and count it."""
        self.octets += octets
        try:
            code = await answer
        except (TimeoutError, SocketIOError):
            self.unanswered += 1
        else:
            self.taken += code is None
            self.refused += code is not None


async def suffer(kind: Kind, directory: Path, _pace: Pace, *, prepare: Callable[[], tuple[Input, Attack]]) -> Figures:
    """Start a server, let the attacker prepare, then measure the blow."""
    prepared, blow = prepare()
    async with Running(kind, directory) as server:
        theirs, mine = await server.new_documents(2)
        async with stranger(f"http://127.0.0.1:{server.port}") as attacker:
            assert await attacker.joins(theirs) is None
            scene = Scene(server, attacker, theirs)
            for batch in prepared.before:
                await scene.sends(batch)
            scene.forget()
            async with _honest(server, mine) as figures:
                began = now()
                await blow(scene)
                figures["seconds"] = now() - began
        await asyncio.sleep(REST)
        after = memory(server)[0] / 1e6 - figures.pop("before MB")
        counts = {
            "kB": scene.octets / 1e3,
            "taken": scene.taken,
            "refused": scene.refused,
            "unanswered": scene.unanswered,
        }
        sandbox = figures.pop("sandbox +MB")
        return {**counts, **figures, "after +MB": after, "sandbox +MB": sandbox}


@asynccontextmanager
async def _honest(server: Running, document: str) -> AsyncIterator[Figures]:
    """Type in another document meanwhile, and watch the server's memory."""
    meter = Meter()
    (member,) = await join(server, document, 1, meter)
    before = memory(server)
    figures: Figures = {"before MB": before[0] / 1e6}
    peak = [before]
    working = [asyncio.create_task(_type(member)), asyncio.create_task(_watch(server, peak))]
    try:
        await asyncio.sleep(REST)
        meter.begin()
        yield figures
        await asyncio.sleep(REST)  # a blow may be over before the next edit
        await _acknowledged(meter)
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    unanswered = [now() - sent for sent in meter.sent_at[meter.acknowledged :]]
    figures["worst wait ms"] = max([*meter.acknowledgements, *unanswered]) * 1e3
    served, sandboxed = (max(each) - at_first for each, at_first in zip(zip(*peak, strict=True), before, strict=True))
    figures["peak +MB"], figures["sandbox +MB"] = served / 1e6, sandboxed / 1e6
    leave([member])


async def _type(member: Member) -> None:
    while True:
        member.type(0)
        await asyncio.sleep(TYPING)


def memory(server: Running) -> tuple[int, int]:
    """Bytes that the serving process holds, and its sandbox."""
    served = sum(map(proportional_bytes, server.pids))
    return served, resident_bytes(server.pids) - served


async def _watch(server: Running, peak: list[tuple[int, int]]) -> None:
    while True:
        peak.append(memory(server))
        await asyncio.sleep(LOOK)


async def _acknowledged(meter: Meter) -> None:
    """Wait until what has been sent so far is acknowledged: an edit that still waits has perhaps waited longest."""
    sent = len(meter.sent_at)
    until = now() + LAST_EDITS
    while meter.acknowledged < sent and now() < until:  # noqa: ASYNC110 - an event would cost time at every edit
        await asyncio.sleep(TYPING)


def _batches(make: Callable[[int], Input], size: int) -> tuple[Input, Attack]:
    made = make(size)

    async def blow(scene: Scene) -> None:
        for batch in made.blow:
            await scene.sends(batch)

    return made, blow


def _again(make: Callable[[int], Input], size: int) -> tuple[Input, Attack]:
    """The same once more, when it is known."""
    made = make(size)
    return Input(made.blow, [*made.before, *made.blow]), _batches(make, size)[1]


def _joins(entries: int, times: int) -> tuple[Input, Attack]:
    """State vectors of many made-up entries, each a little different, on a document of many structs."""
    vectors = [encode_state_vector({10**6 + n: 1 for n in range(at, at + entries)}) for at in range(times)]

    async def blow(scene: Scene) -> None:
        for each in vectors:
            await scene.joins(each)

    return Input([], formats_in_one_batch(90_000).blow), blow


def _unfinished(connections: int, size: int) -> tuple[Input, Attack]:
    """Uploads of which the last byte never comes, all of one address."""

    async def blow(scene: Scene) -> None:
        async with _others(scene, connections) as others:
            for other in others:
                await scene.counts(other.leaves_unfinished(size), size)

    return Input([], []), blow


def _unfetched(connections: int, size: int) -> tuple[Input, Attack]:
    """Joins to a large document, each with another state vector, of which no part is ever fetched."""
    author, pieces = 77, 4
    written = [
        [update({author: (at * size, [text("x" * size, left=(author, at * size - 1))])})]
        if at
        else [update({author: (0, [text("x" * size, parent="t")])})]
        for at in range(pieces)
    ]

    async def blow(scene: Scene) -> None:
        async with _others(scene, connections) as others:
            for clock, other in enumerate(others, 1):
                vector = encode_state_vector({author: clock})
                await scene.counts(other.joins(scene.document, vector), len(vector))

    return Input([], written), blow


@asynccontextmanager
async def _others(scene: Scene, connections: int) -> AsyncIterator[list[Stranger]]:
    """More connections of the attacker's, which stay until the end of the blow."""
    async with AsyncExitStack() as exits:
        others = []
        for number in range(connections):
            other = await exits.enter_async_context(stranger(f"http://127.0.0.1:{scene.server.port}"))
            assert await other.joins(scene.document, client_id=5000 + number) is None
            others.append(other)
        yield others


_AGAIN = ("neighbours under a deleted parent", "the most structs of a batch", "garbage in many updates")

_SETTINGS: dict[str, Callable[[], tuple[Input, Attack]]] = {
    **{name: partial(_batches, *kind) for name, kind in KINDS.items()},
    **{f"{name}, again": partial(_again, *KINDS[name]) for name in _AGAIN},
    "large texts": partial(_batches, large_texts, 8),
    "joins with large state vectors": partial(_joins, 20_000, 40),
    "joins with different state vectors": partial(_joins, 1, 150),
    "uploads that are never finished": partial(_unfinished, 20, 16 * 2**20),
    "missing updates that are never fetched": partial(_unfetched, 30, 4 * 2**20),
}

SCENARIO = Scenario(
    "the dearest input of each kind, and somebody who types in another document",
    (OURS_AS_INSTALLED,),
    {name: partial(suffer, prepare=prepare) for name, prepare in _SETTINGS.items()},
    headline=(),
    in_one_table=True,
)
