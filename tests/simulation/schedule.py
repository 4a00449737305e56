"""One seeded schedule: people edit while network, store and node fail, then all heals and agrees.

What must hold:

- During the run, everything that is sent or acknowledged is in the log. world.py checks this at
  that moment.
- After healing, within simulated minutes and without a new edit, every replica equals the replay of
  the log.
- Every edit that anybody made is there, above all the acknowledged ones. Nothing is refused in
  these schedules.
- The room's own copy equals the log's, and rooms that nobody uses are closed.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import cast

from crdt.errors import InvariantError
from crdt.log.document import apply_update
from server.sandbox import SandboxRejected
from tests.harness.engine import Choosy, refuses
from tests.simulation.client import GATHER, SimClient
from tests.simulation.intruder import FORGED, intrude
from tests.simulation.poisoner import POISON, poison
from tests.simulation.virtual_loop import VirtualLoop, run_virtually
from tests.simulation.world import DOCUMENT, World
from tests.simulation.writer import Writer, words_in

ACTIONS = 80
FINAL = {
    "client_id_taken",
    "bad_update",
    "unsupported_content",
    "malformed",
    "forbidden",
    "document_full",
    "quarantined",
}
"""Refusals at which a browser stops sending, and asks its person what to do."""

HEALING = 120.0


@dataclass(frozen=True)
class Report:
    """The result of one schedule. `failures` is empty if every promise was kept."""

    seed: int
    edits: int
    relayed: int
    failures: tuple[str, ...]
    digest: int
    """A digest of the stored text. The same seed must give the same digest."""


@dataclass(frozen=True)
class Plan:
    """The kind of a schedule.

    Attributes:
        nodes: server processes over the one store.
        poll_seconds: how often they look for what the bus did not tell; None: never, so that all
            depends on the bus.
        trouble: whether nodes die and the bus fails.
        intruder: whether somebody writes under other people's client ids.
        poison: whether somebody's edits bring the document engine down.
        writers: whether people write rich text, and change the blocks around others' words.
        share: the share of a core that each node's loop seems to use. Windows are as long as rooms
            allow in a full node, and nothing waits in an idle one.
    """

    nodes: int = 1
    poll_seconds: float | None = None
    trouble: bool = True
    intruder: bool = False
    poison: bool = False
    writers: bool = False
    share: float = 1.0


SINGLE = Plan()
IDLE = Plan(share=0.0)
IDLE_CLUSTER = Plan(nodes=3, poll_seconds=3.0, share=0.05)
IDLE_WRITERS = Plan(writers=True, share=0.0)
CLUSTER = Plan(nodes=3, poll_seconds=3.0)
HOSTILE = Plan(nodes=3, poll_seconds=3.0, intruder=True)
POISONED = Plan(nodes=2, poll_seconds=3.0, poison=True)
WRITERS = Plan(writers=True)
WRITERS_IN_CLUSTER = Plan(nodes=3, poll_seconds=3.0, writers=True)
CALM = Plan(nodes=3, trouble=False)
"""Several nodes that do not die, and a bus that is only slow: the bus alone must be enough."""


def run_schedule(seed: int, plan: Plan = SINGLE) -> Report:
    return run_virtually(_run(seed, plan))


async def _run(seed: int, plan: Plan) -> Report:
    engine = Choosy(POISON, fails=refuses) if plan.poison else apply_update
    async with World(
        seed,
        nodes=plan.nodes,
        poll_seconds=plan.poll_seconds,
        engine=engine,
        writers=plan.writers,
        share=plan.share,
    ) as world:
        if plan.nodes > 1:
            world.air.delay = 0.1
            world.weather.slow_replies = 0.3
        for number in range(world.random.randint(2, 4)):
            world.connect(world.add_client(f"c{number}"))
        pump = Pump(world)
        try:
            for number in range(ACTIONS):
                if plan.intruder and number % 5 == 4:
                    await intrude(world, number)
                if plan.poison and number % 10 == 9:
                    await poison(world, number)
                await (_act(world) if plan.nodes == 1 else _act_in_cluster(world, plan))
                await asyncio.sleep(world.random.choice((0.0, 0.005, 0.03, 0.2)))
            if not plan.trouble:
                await _return_to_closed_rooms(world)
            await _heal(world)
            failures = await _judge(world)
        finally:
            pump.stop()
        edits = sum(client.edits for client in world.clients)
        digest = hash((await world.stored_state())[0])
        return Report(seed, edits, world.sent_updates, tuple(failures), digest)


class Pump:
    """A pump that makes browsers send their gathered edits, and connect again after a cut.

    The pump runs thousands of times in each schedule, mostly for nothing. It takes the same turns
    as a task that sleeps in a loop, but without the task. Where nothing else happens, it skips the
    turns. Other turns would make another schedule of every seed, and of the kept ones too.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = cast(VirtualLoop, asyncio.get_running_loop())
        self._next: asyncio.Handle = self._loop.call_soon(self._rest)

    def stop(self) -> None:
        self._next.cancel()

    def _rest(self) -> None:
        self._next = self._loop.call_later(GATHER, self._wake)

    def _wake(self) -> None:
        self._next = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._send()
        while self._loop.skip(GATHER):
            self._send()
        self._rest()

    def _send(self) -> None:
        world = self._world
        for client in world.clients:
            client.send_gathered()
            if client.connection is None and not world.deserted and world.random.random() < 0.2:
                world.connect(client)


async def _act(world: World) -> None:
    random = world.random
    client = random.choice(world.clients)
    dice = random.random()
    if dice < 0.70:
        client.edit()
    elif dice < 0.78:
        _cut(world, client, noticed=random.random() < 0.7)
    elif dice < 0.84:
        world.weather.faults = random.choice((0.0, 0.05, 0.3))
    elif dice < 0.89:
        world.weather.down = not world.weather.down
    elif dice < 0.93:
        name = world.any_name()
        await world.kill_node(name)
        await asyncio.sleep(random.uniform(0.0, 2.0))
        await world.start_node(name)
    elif dice < 0.95:
        await _compact(world)
    elif dice < 0.985:
        await _desert(world, client)
    else:
        await asyncio.sleep(random.uniform(0.0, 30.0))


async def _act_in_cluster(world: World, plan: Plan) -> None:
    """Make one random thing happen: to the bus between the nodes, or as `_act` does to one node."""
    random, air = world.random, world.air
    dice = random.random()
    if not plan.trouble:
        if dice < 0.05:
            air.delay = random.choice((0.0, 0.1, 1.0))
        elif dice < 0.15:
            _cut(world, random.choice(world.clients), noticed=True)
        else:
            random.choice(world.clients).edit()
    elif dice < 0.04:
        air.loss = random.choice((0.0, 0.1, 0.5))
    elif dice < 0.08:
        air.delay = random.choice((0.0, 0.1, 3.0))
    elif dice < 0.12:
        air.cut_off(random.choice(air.nodes))
    elif dice < 0.16:
        air.join_again()
    else:
        await _act(world)


async def _return_to_closed_rooms(world: World) -> None:
    """Let all people leave, type offline, and come back at once.

    So every room is opened while others already write.
    """
    world.deserted = True
    for client in world.clients:
        _cut(world, client, noticed=True)
    await asyncio.sleep(5.0)
    world.air.delay = 0.0
    for client in world.clients:
        client.edit()
    world.deserted = False


async def _compact(world: World) -> None:
    try:
        await world.store.log.compact(DOCUMENT, world.fold)
    except SandboxRejected:
        pass  # something in it is not set aside yet
    except InvariantError as error:
        world.broken.append(f"the log cannot be folded: {error.message}")


async def _desert(world: World, last: SimClient) -> None:
    """Let a person's last word reach the server while the store is away, and let all people leave.

    One of them never comes back.
    """
    world.weather.down = True
    token = last.edit()
    last.send_gathered()
    await asyncio.sleep(0.2)
    arrived = token in last.taken
    link = world.links.get(last.connection) if last.connection is not None else None
    world.deserted = True
    for client in world.clients:
        _cut(world, client, noticed=True)
    if arrived and link is not None and len(world.clients) > 2:
        world.clients.remove(last)
        world.left_behind[token] = link.node
    await asyncio.sleep(5.0)
    world.weather.down, world.deserted = False, False


def _cut(world: World, client: SimClient, *, noticed: bool) -> None:
    if client.connection is not None:
        world.cut(client.connection, noticed=noticed)


async def _heal(world: World) -> None:
    world.weather.down, world.weather.faults = False, 0.0
    world.air.join_again()
    world.air.loss = 0.0
    deadline = asyncio.get_running_loop().time() + HEALING
    while asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(1.0)
        if all(client.joined and not client.unsaved for client in world.clients):
            break
    await asyncio.sleep(30.0)


async def _judge(world: World) -> list[str]:
    failures = list(world.broken)
    text, tokens = await world.stored_state()
    for client in world.clients:
        made = {f"{client.name}.{number + 1}" for number in range(client.edits)}
        if lost := client.acknowledged - tokens:
            failures.append(f"{client.name}: acknowledged and lost: {sorted(lost)}")
        if lost := made - tokens:
            failures.append(f"{client.name}: never arrived: {sorted(lost)}")
        if client.unsaved or not client.joined:
            failures.append(f"{client.name}: not at rest: {client.refused[-1:]}")
        if final := {refusal.code.value for refusal in client.refused} & FINAL:
            failures.append(f"{client.name}: an honest edit was refused for good: {sorted(final)}")
        if client.state() != (text, tokens):
            failures.append(f"{client.name}: another text than the log's")
    if world.client is Writer:
        failures += _judge_words(world, words_in(await world.stored()))
    if lost := set(world.left_behind) - tokens:
        failures.append(f"taken by a server that lived on, and lost: {sorted(lost)}")
    if forged := {token for token in tokens if token.startswith(FORGED)}:
        failures.append(f"written under somebody else's client id: {sorted(forged)}")
    if shown := {token for token in tokens if token.startswith(POISON)}:
        failures.append(f"shown, though no engine takes it: {sorted(shown)}")
    failures += await _judge_room(world, text)
    return failures


def _judge_words(world: World, words: list[str]) -> list[str]:
    """Every word that somebody has typed must stand on the page once."""
    typed = {word for client in world.clients for word in cast(Writer, client).typed}
    lost, more = sorted(typed - {*words}), sorted(word for word, count in Counter(words).items() if count > 1)
    failures = [f"words that died: {lost}"] if lost else []
    return failures + ([f"words that stand there twice: {more}"] if more else [])


async def _judge_room(world: World, text: str) -> list[str]:
    """Let everybody leave. The room must close, and open again with the same text."""
    for client in world.clients:
        _cut(world, client, noticed=True)
    await asyncio.sleep(0)
    late = world.add_client("late")
    world.connect(late)
    await asyncio.sleep(10.0)
    return [] if late.state()[0] == text else ["who came late sees another text"]
