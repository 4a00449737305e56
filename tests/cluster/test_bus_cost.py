"""What it costs to keep nodes in step: one message for each flush, to the nodes that hold the document and to nobody else."""

import asyncio

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import PatientTypist, all_replicas_agree, everybody_writing, more_is_saved, people_at
from tests.cluster.wiretap import rows, wiretaps

pytestmark = CLUSTER

EDITS = 10


async def everybody_has(people: list[PatientTypist], token: str) -> None:
    await people[0].bell.until(lambda: all(token in person.screen[1] for person in people))


async def test_a_flush_is_published_once_and_heard_once_by_each_other_node(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    async with people_at([cluster.node_url(node) for node in NODES], document_id) as people:
        with wiretaps(cluster) as (tap, *others):
            first = people[0].seq
            for _ in range(EDITS):
                await everybody_has(people, await people[0].types())
                await people[0].all_saved()
            assert people[0].seq == first + EDITS, "every edit was a flush of its own"
        said = rows(tap.says(document_id))
        assert [seq for _, seq in said] == list(range(first + 1, first + EDITS + 1))
        for other in others:
            assert rows(other.hears(document_id)) == said
            assert rows(other.says(document_id)) == []


async def test_the_price_is_the_same_while_people_write_on_all_nodes(cluster: BreakableCluster) -> None:
    """However many edits a flush gathers: one row of the log, one message, heard once by each node that did not say it."""
    document_id = await cluster.new_document()
    async with people_at([cluster.node_url(node) for _ in range(2) for node in NODES], document_id) as people:
        with wiretaps(cluster) as taps:
            first = people[0].seq
            async with everybody_writing(people):
                await more_is_saved(people, 100)
            await all_replicas_agree(cluster, document_id, people)
        said = [rows(tap.says(document_id)) for tap in taps]
        assert all(said)
        every_row = list(range(first + 1, max(person.seq for person in people) + 1))
        assert sorted(seq for rows_said in said for _, seq in rows_said) == every_row
        for tap in taps:
            assert sorted(seq for _, seq in rows(tap.hears(document_id))) == every_row


async def test_a_node_that_does_not_hold_a_document_hears_nothing_of_it(cluster: BreakableCluster) -> None:
    document_id = await cluster.new_document()
    with wiretaps(cluster) as (one, two, outsider):
        async with people_at([cluster.node_url(0), cluster.node_url(1)], document_id) as people:
            async with everybody_writing(people):
                await more_is_saved(people)
            await asyncio.gather(*(person.all_saved() for person in people))
        assert one.hears(document_id)
        assert two.hears(document_id)
        assert not outsider.hears(document_id)
        assert not outsider.says(document_id)
