"""A laptop on a train: the line is cut, writing goes on, the page is even reloaded, and later everything comes together."""

import base64

from playwright.async_api import expect

from crdt.protocol.frames import UpdateFrame, read_update
from crdt.yjs.varint import sized
from tests.e2e.axe import suits_everybody
from tests.e2e.line import Line
from tests.e2e.marks import SEATED
from tests.e2e.pages import KEPT, DocumentsPage, EditorPage, agree
from tests.e2e.person import NETWORK, Meeting, Person, finds_the_network, loses_the_network
from tests.e2e.site import Site
from tests.e2e.test_content import is_drawn, small_png

pytestmark = SEATED

SESSION_OVER = r"400 \(Bad Request\) \(\S+transport=polling\S+&sid="
"""What a long-polling session is told that the line has held up until it was over: a slow machine gets that far."""


async def two_on_different_lines(meet: Meeting, line: Line, document_id: str) -> tuple[Person, EditorPage, EditorPage]:
    """Alice, whose line can be cut, her page, and Bob's."""
    alice = await meet("Alice", at=line.url)
    alice.expects(NETWORK)
    page = await alice.opens(document_id)
    return alice, page, await (await meet("Bob")).opens(document_id)


async def test_a_document_that_is_made_offline_reaches_the_server_with_title_and_picture(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    person, alice, _ = await two_on_different_lines(meet, line, await shared_site.new_document("Before"))
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()
    await alice.page.get_by_role("link", name="All documents").click()
    await expect(DocumentsPage(alice.page).document("Before")).to_be_visible()

    await loses_the_network(person, line)
    made = await DocumentsPage(alice.page).makes_document()
    await made.title.fill("Made on the train")
    await made.press("Enter")
    await expect(made.sheet).to_be_focused()
    await made.types("Between two stations.")
    await made.pastes_file("flag.png", "image/png", base64.b64encode(small_png()).decode())
    await made.shows(KEPT)
    await expect(made.page.get_by_text("Title and picture kept on this device")).to_be_visible()
    await made.reloads()
    await made.sees("Between two stations.")
    await is_drawn(made)
    await expect(made.title).to_have_value("Made on the train")

    await finds_the_network(person, line)
    await made.shows("Saved")
    await expect(made.page.get_by_text("kept on this device")).to_have_count(0)
    bob = await (await meet("Bob")).opens(made.document_id)
    await bob.sees("Between two stations.")
    await is_drawn(bob)
    await expect(bob.title).to_have_value("Made on the train")


async def test_both_sides_write_while_one_is_offline_and_reloads(meet: Meeting, shared_site: Site, line: Line) -> None:
    document_id = await shared_site.new_document("On the train")
    person, alice, bob = await two_on_different_lines(meet, line, document_id)
    await alice.goes_to_start()
    await alice.types("One", "Two", "Three")
    await bob.sees("Three")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    await alice.goes_after("One")
    await alice.types(" and a tunnel")
    await alice.shows(KEPT)
    await bob.goes_after("Three")
    await bob.types(" from Bob")
    await bob.shows("Saved")

    await alice.reloads()
    await alice.sees("One and a tunnel", "Two", "Three")
    await expect(alice.title).to_have_value("On the train")
    await alice.shows(KEPT)
    await alice.goes_after("Two")
    await alice.press("Shift+Home", "Backspace")
    await alice.types("2")
    await alice.shows(KEPT)
    await expect(bob.sheet).not_to_contain_text("tunnel")

    await finds_the_network(person, line)
    await alice.shows("Saved")
    await bob.sees("tunnel")
    await agree(alice, bob)
    assert await bob.text() == "One and a tunnel\n2\nThree from Bob"


async def test_what_was_deleted_and_chosen_offline_holds_for_all(meet: Meeting, shared_site: Site, line: Line) -> None:
    person, alice, bob = await two_on_different_lines(meet, line, await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("keep", "drop", "keep too")
    await bob.sees("keep too")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    await alice.goes_after("drop")
    await alice.press("Shift+Home", "Backspace", "Backspace")
    await alice.chooses_language("Français")
    await alice.shows(KEPT)
    await alice.reloads()
    await alice.shows(KEPT)
    assert await alice.text() == "keep\nkeep too"
    await expect(alice.written_in("fr")).to_be_visible()

    await finds_the_network(person, line)
    await alice.shows("Saved")
    await agree(alice, bob)
    await expect(bob.written_in("fr")).to_be_visible()
    assert await bob.text() == "keep\nkeep too"


def updates_from(page: EditorPage, document_id: str) -> list[UpdateFrame]:
    """What the page sends of the document from now on, each in one frame; the list grows."""
    updates, head = list[UpdateFrame](), b"\1" + sized(document_id.encode())

    def take(frame: str | bytes) -> None:
        assert '["update",' not in str(frame)
        if isinstance(frame, bytes) and frame.startswith(head):
            updates.append(read_update(frame))

    page.page.on("websocket", lambda socket: socket.on("framesent", take))
    return updates


async def test_what_was_written_offline_leaves_as_it_was_made(meet: Meeting, shared_site: Site, line: Line) -> None:
    """The page sends changes, before and after its reload, each with the row that it had applied; never a state."""
    document_id = await shared_site.new_document()
    person, alice, bob = await two_on_different_lines(meet, line, document_id)
    await alice.goes_to_start()
    await alice.types("One", "Two")
    await bob.sees("Two")
    await bob.goes_after("Two")
    await bob.types(" from Bob")
    await alice.sees("from Bob")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    await alice.goes_after("One")
    await alice.types(" in a tunnel")
    await alice.chooses_style("Heading 2")
    await alice.shows(KEPT)
    await alice.reloads()
    await alice.sees("One in a tunnel")
    await alice.goes_after("One in a tunnel")
    await alice.types(", still")
    await alice.shows(KEPT)

    updates = updates_from(alice, document_id)
    await finds_the_network(person, line)
    await alice.shows("Saved")
    await bob.sees("One in a tunnel, still")
    await agree(alice, bob)
    assert updates
    assert all(update.after for update in updates), updates


async def test_words_written_offline_live_on_in_a_heading_made_meanwhile(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    person, alice, bob = await two_on_different_lines(meet, line, await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("Plan", "Below")
    await bob.sees("Below")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    await alice.goes_after("Plan")
    await alice.types(" of the journey")
    await alice.shows(KEPT)
    await bob.goes_after("Plan")
    await bob.chooses_style("Heading 1")
    await bob.shows("Saved")
    await alice.reloads()
    await alice.goes_after("journey")
    await alice.types(", by train")
    await alice.shows(KEPT)

    await finds_the_network(person, line)
    await alice.shows("Saved")
    await bob.sees("by train")
    await agree(alice, bob)
    assert await bob.text() == "Plan of the journey, by train\nBelow"
    await expect(bob.sheet.get_by_role("heading", name="Plan of the journey, by train")).to_be_visible()


async def test_a_line_broken_offline_stays_broken_where_it_was(meet: Meeting, shared_site: Site, line: Line) -> None:
    """The page that types on is another one than the page that broke the line, under another client id."""
    person, alice, bob = await two_on_different_lines(meet, line, await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("OneTwo")
    await bob.sees("OneTwo")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await alice.shows("Offline")
    await alice.goes_to_start()
    await alice.press("ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    await alice.shows(KEPT)
    await alice.reloads()
    await alice.goes_after("One")
    await alice.types("!")
    await alice.shows(KEPT)

    await finds_the_network(person, line)
    await alice.shows("Saved")
    await bob.sees("One!")
    await agree(alice, bob)
    assert await bob.text() == "One!\nTwo"


async def test_two_tabs_of_one_device_write_offline_and_one_is_closed(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    document_id = await shared_site.new_document()
    person, alice, bob = await two_on_different_lines(meet, line, document_id)
    await alice.goes_to_start()
    await alice.types("One", "Two")
    await bob.sees("Two")
    await alice.shows("Saved")
    tab = await person.opens(document_id)
    await tab.shows("Saved")
    await alice.can_be_reopened_offline()

    await loses_the_network(person, line)
    await tab.shows("Offline")
    await tab.goes_after("Two")
    await tab.types(" in a tab")
    await tab.press("Home", "Delete")
    await tab.shows(KEPT)
    await alice.sees("One", "wo in a tab")  # from tab to tab
    await tab.page.close()
    await alice.goes_after("One")
    await alice.types(" in another")
    await alice.shows(KEPT)
    await alice.reloads()
    await alice.sees("One in another", "wo in a tab")

    await finds_the_network(person, line)
    await alice.shows("Saved")
    await bob.sees("wo in a tab")
    await agree(alice, bob)
    assert await bob.text() == "One in another\nwo in a tab"


async def test_the_status_says_where_the_words_are(meet: Meeting, shared_site: Site, line: Line) -> None:
    """The network dies without a word: nothing tells the browser but the silence of its connections."""
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK, SESSION_OVER)
    alice = await person.opens(await shared_site.new_document())
    await alice.goes_to_start()
    await alice.types("here")
    await alice.shows("Saved")

    line.cut()
    await alice.types(" and there")
    await alice.shows(KEPT)
    await alice.status(KEPT).click()
    details = alice.page.get_by_role("dialog", name="Is everything saved?")
    await expect(details).to_contain_text("kept in this browser")
    await expect(details).to_contain_text("Waiting to be saved")
    await suits_everybody(alice.page, "an offline document's status")

    connect_now = details.get_by_role("button", name="Connect now")
    await expect(connect_now).to_be_visible()
    line.mend()
    # Unless it has connected by itself meanwhile.
    await connect_now.evaluate_all("buttons => buttons.map(button => button.click())")
    await expect(details).to_contain_text("Every change is stored safely on the server.")
    await alice.press("Escape")
    await alice.shows("Saved")


async def test_documents_of_this_device_are_listed_without_a_network(
    meet: Meeting, shared_site: Site, line: Line
) -> None:
    person = await meet("Alice", at=line.url)
    person.expects(NETWORK)
    alice = await person.opens(await shared_site.new_document("For the journey"))
    await alice.goes_to_start()
    await alice.types("Read me on the way")
    await alice.shows("Saved")
    await alice.can_be_reopened_offline()
    await loses_the_network(person, line)

    documents = await person.opens_documents()
    await expect(documents.page.get_by_text("The server cannot be reached.")).to_be_visible()
    await suits_everybody(documents.page, "the list of what is on this device")
    await documents.document("For the journey").click()
    reopened = EditorPage("Alice", documents.page)
    await reopened.sees("Read me on the way")
    await finds_the_network(person, line)
    await reopened.shows("Saved")
