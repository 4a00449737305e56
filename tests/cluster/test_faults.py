"""One part of the cluster fails while people write through the balancer on all nodes: nothing that was acknowledged is lost, all agree."""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import (
    all_replicas_agree,
    everybody_writing,
    more_is_saved,
    people_at,
    saved_by,
)
from tests.harness.live_server import until
from tests.harness.typist import all_agree

pytestmark = CLUSTER

Report = Callable[[str, object], None]


def doors(cluster: BreakableCluster) -> list[str]:
    """Two people for each node, through the balancer: 0 and 3, 1 and 4, 2 and 5."""
    return [cluster.door(node) for _ in range(2) for node in NODES]


async def test_people_on_all_nodes_write_one_document(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        # Somebody may be connecting again just now: a node that was away is back.
        while sum(visitors := await cluster.visitors()) != len(people):  # noqa: ASYNC110 - HAProxy tells nobody
            await asyncio.sleep(0.1)
        assert len([node for node in visitors if node]) > 1, (
            "a busy node may be passed over, but one alone has no peers"
        )
        async with everybody_writing(people):
            await more_is_saved(people, 100)
        await all_replicas_agree(cluster, document_id, people)


async def test_a_node_is_killed(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.kill(1)
            await people[0].bell.until(lambda: people[1].times_joined == 2 and people[4].times_joined == 2)
            await more_is_saved(people)
        assert (await cluster.visitors())[1] == 0
        await cluster.start(1)
        await all_replicas_agree(cluster, document_id, people)


async def test_redis_is_killed_and_comes_back_empty(cluster: BreakableCluster, record_property: Report) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.kill_redis()
            await more_is_saved(people, 60)
        await asyncio.gather(*(person.all_saved() for person in people))
        await cluster.start_redis()
        back = time.monotonic()
        await all_agree(people)  # without a new edit
        record_property("seconds until all nodes were equal after Redis came back", time.monotonic() - back)
        await all_replicas_agree(cluster, document_id, people)


async def test_redis_is_paused_for_ten_seconds(cluster: BreakableCluster, record_property: Report) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            cluster.pause_redis()
            await asyncio.sleep(10)
            await more_is_saved(people)
        await asyncio.gather(*(person.all_saved() for person in people))
        cluster.resume_redis()
        back = time.monotonic()
        await all_agree(people)
        record_property("seconds until all nodes were equal after Redis went on", time.monotonic() - back)
        await all_replicas_agree(cluster, document_id, people)


@pytest.mark.parametrize("command", ["FLUSHALL", "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE normal"])
async def test_an_operator_is_careless_with_redis(cluster: BreakableCluster, command: str) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            for _ in range(5):
                await more_is_saved(people)
                await cluster.ask_redis(*command.split())
        await all_replicas_agree(cluster, document_id, people)


async def test_postgres_is_restarted(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.stop_postgres()
            await cluster.start_postgres()
            await more_is_saved(people)
            await cluster.kill_postgres()
            await cluster.start_postgres()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)


async def test_postgres_is_away_for_half_a_minute(cluster: BreakableCluster) -> None:
    """Typing goes on in each browser, nothing claims to be saved, and all of it arrives afterwards."""
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.stop_postgres()
            await until(
                lambda: all(person.durability == "waiting" for person in people)
            )  # what was saved before is told before
            before, made = saved_by(people), [len(person.made) for person in people]
            await asyncio.sleep(30)
            typed_on = lambda: all(len(person.made) > 30 + count for person, count in zip(people, made, strict=True))  # noqa: E731
            await until(typed_on)
            assert saved_by(people) == before
            await cluster.start_postgres()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)


async def test_a_node_is_frozen_beyond_every_timeout(cluster: BreakableCluster) -> None:
    """Its people are moved; when it goes on, it finds out by itself what it has missed."""
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            cluster.pause(0)
            await people[0].bell.until(lambda: people[0].times_joined == 2 and people[3].times_joined == 2)
            await more_is_saved(people)
            await asyncio.sleep(15)
            cluster.resume(0)
            await cluster.all_in_service()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)


async def test_a_node_is_cut_from_redis(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        connections = [person.socket for person in people]
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.cut_redis(2)
            await more_is_saved(people, 60)
        await all_agree(people)  # by looking where the log ends
        # Nobody loses the connection; a node that a compaction has overtaken may ask its people to
        # join again on it.
        assert [person.socket for person in people] == connections
        await all_replicas_agree(cluster, document_id, people)


async def test_a_node_is_cut_from_postgres(cluster: BreakableCluster) -> None:
    """Its people are moved to where their edits can be saved."""
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.cut_postgres(2)
            await cluster.out_of_service(2)
            await people[2].bell.until(lambda: people[2].times_joined > 1 and people[5].times_joined > 1)
            await asyncio.gather(*(more_is_saved([person], 5) for person in people))
        await cluster.heal()
        await all_replicas_agree(cluster, document_id, people)


async def test_haproxy_is_reloaded_and_nobody_notices(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            for _ in range(3):
                cluster.reload_haproxy()
                await more_is_saved(people)
        assert all(person.times_joined == 1 for person in people)
        async with people_at(doors(cluster), document_id) as newcomers:
            await all_replicas_agree(cluster, document_id, [*people, *newcomers])


async def test_all_nodes_are_restarted_one_after_the_other(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at(doors(cluster), document_id) as people:
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.rolling_restart()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)
