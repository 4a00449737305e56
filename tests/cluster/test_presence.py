"""Cursors across nodes: seen wherever somebody looks, gone with whoever had them, also when a node could not say so any more."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tests.cluster.breakable import BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.onlooker import Cursor, Onlooker
from tests.harness.bell import Bell

pytestmark = CLUSTER

Report = Callable[[str, object], None]

NAMES = ("Alice", "Bob", "Carol")
AT: dict[str, Cursor] = {name: {"cursor": place} for place, name in enumerate(NAMES)}
"""Where each of them is in the document."""


@asynccontextmanager
async def three_at(doors: Sequence[str], document_id: str) -> AsyncIterator[list[Onlooker]]:
    """Alice, Bob and Carol, one at each door, with a cursor each that the two others see."""
    bell = Bell()
    people = [Onlooker(door, document_id, name, bell) for door, name in zip(doors, NAMES, strict=True)]
    try:
        for person in people:
            await person.open()
            await person.points(AT[person.name])
        await all_see_each_other(people)
        yield people
    except BaseException as error:
        error.add_note("\n".join(f"{person!r} sees {person.sees}" for person in people))
        raise
    finally:
        for person in people:
            await person.close()


async def all_see_each_other(people: Sequence[Onlooker]) -> None:
    for person in people:
        await sees(person, *(name for name in NAMES if name != person.name))


async def sees(onlooker: Onlooker, *names: str) -> None:
    """Wait until they and nobody else are seen, each once and in their place."""
    await onlooker.bell.until(lambda: onlooker.sees == [(name, AT[name]) for name in sorted(names)])


async def test_a_cursor_is_seen_on_every_node_and_goes_with_its_person(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with three_at([cluster.node_url(node) for node in (0, 1, 2)], document_id) as (alice, bob, carol):
        await alice.socket.call("leave", document_id)
        await sees(bob, "Carol")
        await sees(carol, "Bob")


async def test_a_killed_node_s_people_disappear(cluster: BreakableCluster, record_property: Report) -> None:
    """It could not say goodbye: the other nodes find out by its silence."""
    document_id = await cluster.new_document()
    async with three_at([cluster.node_url(node) for node in (0, 1, 2)], document_id) as (alice, bob, carol):
        killed = time.monotonic()
        await cluster.kill(0)
        await sees(bob, "Carol")
        await sees(carol, "Bob")
        record_property("seconds until a killed node's people had disappeared on the others", time.monotonic() - killed)
        await cluster.start(0)
        await all_see_each_other([alice, bob, carol])


async def test_a_killed_node_s_people_who_went_elsewhere_are_seen_there(
    cluster: BreakableCluster, record_property: Report
) -> None:
    """For a moment they may be seen twice; in the end once, where they are."""
    document_id = await cluster.new_document()
    async with three_at([cluster.door(node) for node in (0, 1, 2)], document_id) as people:
        assert await cluster.visitors() == [1, 1, 1]
        killed = time.monotonic()
        await cluster.kill(0)
        alice = people[0]
        await alice.bell.until(lambda: alice.times_joined == 2)
        record_property("seconds until a killed node's people had joined on another", time.monotonic() - killed)
        await all_see_each_other(people)


async def test_a_node_that_leaves_in_good_order_takes_its_people_with_it(
    cluster: BreakableCluster, record_property: Report
) -> None:
    document_id = await cluster.new_document()
    async with three_at([cluster.node_url(node) for node in (0, 1, 2)], document_id) as (_, bob, carol):
        began = time.monotonic()
        await cluster.stop(0)
        await sees(bob, "Carol")
        await sees(carol, "Bob")
        record_property("seconds until a stopped node's people had disappeared on the others", time.monotonic() - began)


async def test_cursors_come_back_after_redis(cluster: BreakableCluster) -> None:
    """Without Redis nodes take each other for dead; when it is back, and empty, everybody is seen again without moving."""
    document_id = await cluster.new_document()
    async with three_at([cluster.node_url(node) for node in (0, 1, 2)], document_id) as people:
        await cluster.kill_redis()
        for person in people:
            await sees(person)
        await cluster.start_redis()
        await all_see_each_other(people)
