"""How other systems lose edits without any crash, as stories that end well here."""

from tests.cluster.breakable import BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import people_at

pytestmark = CLUSTER


async def test_everybody_leaves_while_one_node_s_store_is_slow(cluster: BreakableCluster) -> None:
    """Hocuspocus: a node skips its store because another one is storing, and forgets what its own people wrote."""
    document_id = await cluster.new_document()
    cluster.slow_postgres(1, 0.3)
    async with people_at([cluster.node_url(1)], document_id) as (bob,):
        written = {await bob.types()}
        async with people_at([cluster.node_url(0)], document_id) as (alice,):
            written.add(await alice.types())
            await alice.all_saved()
            assert alice.saved
        await bob.all_saved()
    _, tokens = await cluster.stored_screen(document_id)
    assert tokens == written


async def test_the_last_one_leaves_while_the_store_is_slow(cluster: BreakableCluster) -> None:
    """pycrdt-websocket: the room is cleaned up with the last client, and what it was about to store with it."""
    document_id = await cluster.new_document()
    cluster.slow_postgres(2, 0.15)
    async with people_at([cluster.node_url(2)], document_id) as (alice,):
        written = {await alice.types() for _ in range(5)}
        await alice.is_heard()
        assert alice.unsaved
    async with people_at([cluster.node_url(0)], document_id) as (bob,):
        await bob.bell.until(lambda: written <= bob.seen)
    _, tokens = await cluster.stored_screen(document_id)
    assert tokens == written
