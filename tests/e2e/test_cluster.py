"""Two people write into one document behind the balancer, and never need to know how many nodes there are, or which of them dies."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.cluster.breakable import NODES, BreakableCluster, breakable_cluster
from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import NETWORK, Meeting, Waiting, people_at
from tests.e2e.restructuring import LINES, SOME_KINDS_OF_BLOCK, all_is_saved, begin, has_come, types_under
from tests.e2e.test_comments import comments, thread, writes
from tests.e2e.test_suggesting import suggestion

pytestmark = [*SEATED, pytest.mark.cluster, pytest.mark.usefixtures("built_pages")]

NUMBERS = " ".join(str(number) for number in range(25))
LETTERS = "abcdefghijklmnopqrstuvwxyz "


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def the_cluster() -> AsyncIterator[BreakableCluster]:
    async with breakable_cluster() as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(the_cluster: BreakableCluster) -> BreakableCluster:
    """The cluster, whole at the beginning of each story."""
    await the_cluster.heal()
    return the_cluster


@pytest_asyncio.fixture(loop_scope="session")
async def meet_at_cluster(
    chromium: Browser, cluster: BreakableCluster, waiting: Waiting | None
) -> AsyncIterator[Meeting]:
    """Seats people before the balancer."""
    async with people_at(chromium, cluster.url, waiting) as meeting:
        yield meeting


async def two_on_different_nodes(
    meet: Meeting, cluster: BreakableCluster, document_id: str
) -> tuple[EditorPage, EditorPage, int]:
    """Alice and Bob have a line each; the third is the node that Alice is on. Both have come through the balancer."""
    people = [await meet("Alice"), await meet("Bob")]
    for person in people:
        person.expects(NETWORK)
    alice = await people[0].opens(document_id)
    (node,) = await cluster.home_of_each(1)
    async with cluster.no_newcomers_at(node):
        bob = await people[1].opens(document_id)
        assert len(set(await cluster.home_of_each(2))) == 2
    await alice.goes_to_start()
    await alice.types("Alice: ", "Bob: ")
    await bob.sees("Bob: ")
    await alice.goes_after("Alice: ")
    await bob.goes_after("Bob: ")
    return alice, bob, node


async def they_see_each_other(alice: EditorPage, bob: EditorPage) -> None:
    """Each sees the other's cursor once, with the name, and nobody else's."""
    for page, other in ((alice, "Bob"), (bob, "Alice")):
        await expect(page.caret_of(other)).to_be_visible()
        await expect(page.sheet.locator(".page-caret")).to_have_count(1)


async def both_write(alice: EditorPage, bob: EditorPage, words: str, delay: float) -> None:
    await asyncio.gather(alice.types(words, delay=delay), bob.types(words, delay=delay))


async def test_each_is_on_another_node_and_then_the_first_one_s_node_is_killed(
    meet_at_cluster: Meeting, cluster: BreakableCluster
) -> None:
    document_id = await cluster.new_document()
    alice, bob, node = await two_on_different_nodes(meet_at_cluster, cluster, document_id)
    await they_see_each_other(alice, bob)

    async with asyncio.TaskGroup() as writing:
        writing.create_task(both_write(alice, bob, NUMBERS, 25))
        await asyncio.gather(alice.sees("Bob: 0 1 2 3"), bob.sees("Alice: 0 1 2 3"))
        await cluster.kill(node)
        await cluster.out_of_service(node)

    await asyncio.gather(alice.shows("Saved"), bob.shows("Saved"))
    assert node not in await cluster.home_of_each(2)
    await agree(alice, bob)
    whole = f"Alice: {NUMBERS}\nBob: {NUMBERS}"
    assert await alice.text() == whole
    await they_see_each_other(alice, bob)

    carol = await (await meet_at_cluster("Carol")).opens(document_id)
    await agree(alice, bob, carol)
    assert await carol.text() == whole

    await cluster.start(node)
    await alice.types(", and on")
    await asyncio.gather(bob.sees(f"{NUMBERS}, and on"), carol.sees(f"{NUMBERS}, and on"))
    await alice.shows("Saved")


@pytest.mark.parametrize("whose", ["typist", "other"])
async def test_words_survive_what_becomes_of_their_block_while_a_node_is_killed(
    meet_at_cluster: Meeting, cluster: BreakableCluster, whose: str
) -> None:
    """The node that dies is the one of who types, or the one of who changes the block."""
    alice, bob, node = await two_on_different_nodes(meet_at_cluster, cluster, await cluster.new_document())
    killed = node if whose == "typist" else next(home for home in await cluster.home_of_each(2) if home != node)
    await begin(alice, bob, LINES)

    async def is_killed() -> None:
        await has_come(bob, "w07")
        await cluster.kill(killed)

    async with asyncio.TaskGroup() as both:
        both.create_task(is_killed())
        writing = both.create_task(types_under(alice, bob, SOME_KINDS_OF_BLOCK, 50))
    assert await all_is_saved(alice, bob) == f"<p>over</p><h1>head {await writing}tail</h1><p>under</p>"
    assert not [line for line in cluster.lines if "rescue_failed" in line]


async def test_a_commenter_and_an_editor_are_on_two_nodes_and_the_commenter_s_node_is_killed(
    meet_at_cluster: Meeting, cluster: BreakableCluster
) -> None:
    """What is said and suggested on one node is read, answered and decided on at another, and nothing of it is lost."""
    alice, bob, node = await an_editor_and_a_commenter(meet_at_cluster, cluster)
    await comments(bob, "world", "Which one?")
    await expect(thread(alice, "world")).to_contain_text("Which one?")
    await bob.selects("brave")
    await bob.types("new")
    await expect(suggestion(alice, "Add: “new”")).to_contain_text("Delete: “brave”")

    await bob.goes_after("A second line")
    async with asyncio.TaskGroup() as suggesting:
        suggesting.create_task(bob.types(f" {NUMBERS}", delay=25))
        await alice.sees("A second line 0 1 2 3")
        await cluster.kill(node)
        await suggestion(alice, "Add: “new”").get_by_role("button", name="Accept the suggestion").click()
        await thread(alice, "world").click()
        await thread(alice, "world").get_by_role("button", name="Reply").click()
        await writes(alice, "Reply", "The new one.")

    await asyncio.gather(alice.shows("Saved"), bob.shows("Saved"))
    assert node not in await cluster.home_of_each(2)
    await expect(suggestion(alice, f"Add: “ {NUMBERS}”")).to_be_visible()
    # Marks of threads look different to who is at them, so the words are compared.
    assert [await page.text() for page in (alice, bob)] == 2 * [f"Hello new world\nA second line {NUMBERS}"]
    await bob.page.get_by_role("button", name="Inbox, 2 unread").click()
    await expect(bob.page.get_by_role("link", name="Alice has accepted your suggestion")).to_be_visible()
    await bob.page.get_by_role("link", name="Alice has replied").click()
    await expect(thread(bob, "world")).to_contain_text("The new one.")
    await expect(bob.page.get_by_role("button", name="Inbox, one unread")).to_be_visible()


async def an_editor_and_a_commenter(meet: Meeting, cluster: BreakableCluster) -> tuple[EditorPage, EditorPage, int]:
    """Alice owns a document, and Bob has its link, on another node: the third value."""
    owner, visitor = await meet("Alice"), await meet("Bob")
    for person in (owner, visitor):
        person.expects(NETWORK)
    alice = await (await owner.opens_documents()).makes_document()
    await alice.goes_to_start()
    await alice.types("Hello brave world", "A second line")
    await alice.shows("Saved")
    sharing = await alice.shares()
    await sharing.opens_link_for("Commenter")
    await sharing.closes()
    (home,) = await cluster.home_of_each(1)
    async with cluster.no_newcomers_at(home):
        bob = await visitor.opens(alice.document_id)
        await bob.may("suggest")
        (other,) = {*await cluster.home_of_each(2)} - {home}
    return alice, bob, other


async def test_all_nodes_are_restarted_one_after_the_other_while_both_write(
    meet_at_cluster: Meeting, cluster: BreakableCluster
) -> None:
    alice, bob, _ = await two_on_different_nodes(meet_at_cluster, cluster, await cluster.new_document())
    rounds = 0
    async with asyncio.TaskGroup() as restarting:
        restart = restarting.create_task(cluster.rolling_restart())
        while not restart.done():
            await both_write(alice, bob, LETTERS, 150)
            rounds += 1

    await asyncio.gather(alice.shows("Saved"), bob.shows("Saved"))
    await agree(alice, bob)
    assert await alice.text() == f"Alice: {LETTERS * rounds}\nBob: {LETTERS * rounds}"
    await they_see_each_other(alice, bob)


async def test_every_node_serves_the_same_pages(cluster: BreakableCluster) -> None:
    """A page may come from one node, and what it needs next from another."""
    document_id = await cluster.new_document()
    async with aiohttp.ClientSession() as http:
        pages = set()
        for url in (cluster.url, *(cluster.node_url(node) for node in NODES)):
            async with http.get(f"{url}/d/{document_id}") as answer:
                assert answer.status == 200
                pages.add(await answer.read())
    assert len(pages) == 1
