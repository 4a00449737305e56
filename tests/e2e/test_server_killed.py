"""The server dies in the middle of a sentence and comes back; whoever was writing only sees another word in the status."""

import asyncio
import re

from tests.e2e.marks import SEATED
from tests.e2e.pages import KEPT, agree
from tests.e2e.person import NETWORK, Meeting
from tests.e2e.restructuring import LINES, SOME_KINDS_OF_BLOCK, all_is_saved, begin, has_come, types_under
from tests.e2e.site import Site

pytestmark = SEATED


async def test_both_write_on_while_the_server_is_killed_and_comes_back(meet_at_own: Meeting, own_site: Site) -> None:
    people = [await meet_at_own("Alice"), await meet_at_own("Bob")]
    for person in people:
        person.expects(NETWORK)
    document_id = await own_site.new_document()
    alice, bob = [await person.opens(document_id) for person in people]
    await alice.goes_to_start()
    await alice.types("Alice: ", "Bob: ")
    await bob.sees("Bob: ")
    await alice.goes_after("Alice: ")
    await bob.goes_after("Bob: ")

    numbers = " ".join(str(number) for number in range(25))
    async with asyncio.TaskGroup() as writing:
        writing.create_task(alice.types(numbers, delay=25))
        writing.create_task(bob.types(numbers, delay=25))
        await asyncio.gather(alice.sees("Bob: 0 1 2 3"), bob.sees("Alice: 0 1 2 3"))
        await own_site.kill()

    await asyncio.gather(alice.shows(KEPT), bob.shows(KEPT))
    await asyncio.gather(alice.types(" – without"), bob.types(" – without"))

    await own_site.start()
    await asyncio.gather(alice.shows("Saved"), bob.shows("Saved"))
    await agree(alice, bob)
    whole = f"Alice: {numbers} – without\nBob: {numbers} – without"
    assert await alice.text() == whole

    carol = await (await meet_at_own("Carol")).opens(document_id)
    await agree(alice, carol)
    assert await carol.text() == whole

    await alice.types(", and with")
    await asyncio.gather(bob.sees("without, and with"), carol.sees("without, and with"))


async def test_a_restart_is_hardly_noticed(meet_at_own: Meeting, own_site: Site) -> None:
    person = await meet_at_own("Alice")
    person.expects(NETWORK)
    alice = await person.opens(await own_site.new_document("Steady"))
    await alice.goes_to_end()
    await alice.types("before")
    await alice.shows("Saved")

    await own_site.stop()
    await alice.types(" between")
    await own_site.start()
    await alice.types(" after")
    await alice.shows("Saved")
    await alice.reloads()
    assert await alice.text() == "before between after"
    assert re.match("Steady", await alice.page.title())


async def test_words_survive_what_becomes_of_their_block_while_the_server_is_killed(
    meet_at_own: Meeting, own_site: Site
) -> None:
    """The server dies between two acts and their answers, and its next life mends what the first has not."""
    people = [await meet_at_own("Alice"), await meet_at_own("Bob")]
    for person in people:
        person.expects(NETWORK)
    document_id = await own_site.new_document()
    alice, bob = [await person.opens(document_id) for person in people]
    await begin(alice, bob, LINES)

    async def is_killed_and_comes_back() -> None:
        await has_come(bob, "w07")
        await own_site.kill()
        await own_site.start()

    async with asyncio.TaskGroup() as both:
        both.create_task(is_killed_and_comes_back())
        writing = both.create_task(types_under(alice, bob, SOME_KINDS_OF_BLOCK, 50))
    assert await all_is_saved(alice, bob) == f"<p>over</p><h1>head {await writing}tail</h1><p>under</p>"
    assert own_site.complaints("rescue_failed") == []
