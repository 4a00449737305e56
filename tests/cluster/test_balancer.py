"""What HAProxy does with deploy/haproxy.cfg: people of a document meet, long-polling stays where it is, no node is asked in vain."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import PatientTypist, all_replicas_agree, everybody_writing, more_is_saved, people_at
from tests.harness.bell import Bell

pytestmark = CLUSTER


async def test_a_document_s_people_meet_on_one_node(cluster: BreakableCluster) -> None:
    """As long as there are enough people elsewhere that the node has not twice its share."""
    crowd = [cluster.door(node) for node in NODES for _ in range(3)]
    document_id = await cluster.new_document()
    async with people_at(crowd, await cluster.new_document()):
        before = await cluster.visitors()
        async with people_at([f"{cluster.url}?document={document_id}"] * 3, document_id):
            gained = [now - then for now, then in zip(await cluster.visitors(), before, strict=True)]
            assert sorted(gained) == [0, 0, 3]


@pytest.mark.parametrize("named", [True, False], ids=["document named", "document not named"])
async def test_a_long_polling_session_stays_on_its_node(cluster: BreakableCluster, named: bool) -> None:
    document_id = await cluster.new_document()
    url = f"{cluster.url}?document={document_id}" if named else cluster.url
    bell = Bell()
    people = [PatientTypist(url, document_id, name, bell) for name in ("Alice", "Bob", "Carol")]
    try:
        for person in people:
            await person.open("polling")
        for _ in range(5):
            for person in people:
                await person.types()
                await person.all_saved()
        assert all(person.times_joined == 1 for person in people)
        await all_replicas_agree(cluster, document_id, people)
    finally:
        for person in people:
            await person.close()


class Leaving(PatientTypist):
    """Leaves a node that asks for it, after the pause that it names, as a page does."""

    def _new_socket(self) -> Any:
        socket = super()._new_socket()

        async def draining(notice: dict[str, int]) -> None:
            await asyncio.sleep(notice["after_ms"] / 1000)
            await socket.disconnect()

        socket.on("draining", draining)
        return socket


async def test_people_who_poll_move_on_at_once_when_nodes_are_restarted(cluster: BreakableCluster) -> None:
    """The node that they leave closes its port first; what HAProxy still has open to it must not take their new sessions."""
    document_id, bell = await cluster.new_document(), Bell()
    people = [
        Leaving(cluster.door(node), document_id, f"Poller{node}{turn}", bell) for turn in range(2) for node in NODES
    ]
    try:
        for person in people:
            await person.open("polling")
        async with everybody_writing(people):
            await more_is_saved(people)
            await cluster.rolling_restart()
            await more_is_saved(people)
        assert [(person.times_joined > 1, person.failed_connects) for person in people] == [(True, 0)] * len(people)
        await all_replicas_agree(cluster, document_id, people)
    finally:
        for person in people:
            await person.close()


async def test_without_postgres_pages_are_still_served(cluster: BreakableCluster) -> None:
    """No node is ready, so the balancer takes those that live."""
    await cluster.stop_postgres()
    for node in NODES:
        await cluster.out_of_service(node)
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{cluster.url}/health") as answer:
            assert answer.status == 200
        async with http.get(f"{cluster.url}/api/documents") as answer:
            assert answer.status == 503
            assert (await answer.json())["error"]["code"] == "unavailable"


async def test_people_of_the_last_resort_come_back_when_nodes_are_ready(cluster: BreakableCluster) -> None:
    """Only there are they moved when their node fails again."""
    document_id = await cluster.new_document()
    async with people_at([cluster.door(node) for node in NODES], document_id) as people:
        await cluster.stop_postgres()
        for node in NODES:
            await cluster.out_of_service(node)
        assert await cluster.home_of_each(0) == []
        await people[0].bell.until(lambda: all(person.joined for person in people))
        for person in people:
            await person.types()
        await cluster.start_postgres()
        assert await cluster.home_of_each(len(people))
        await all_replicas_agree(cluster, document_id, people)


async def test_requests_go_elsewhere_while_a_node_dies_unnoticed(cluster: BreakableCluster) -> None:
    """In the moment before its health check fails, a dead node's visitors are sent to the next one."""
    await cluster.kill(0)
    async with aiohttp.ClientSession() as http:
        statuses = await asyncio.gather(
            *(status(http, f"{cluster.url}/health?document={number}") for number in range(60))
        )
    assert set(statuses) == {200}


async def status(http: aiohttp.ClientSession, url: str) -> int:
    async with http.get(url) as answer:
        return answer.status
