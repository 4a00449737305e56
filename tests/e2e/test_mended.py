"""Pages whose document is disturbed: by a listener that throws, by a client id that is somebody else's, by content that no schema knows."""

from playwright.async_api import expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import SEATED
from tests.e2e.pages import EditorPage, agree
from tests.e2e.person import Meeting
from tests.e2e.site import Site
from tests.e2e.test_together import two_in_one_document

pytestmark = SEATED

MISTAKE = "Somebody else's mistake"


async def in_document(page: EditorPage, program: str, argument: object = None) -> object:
    """Run a program in the page, as an extension of it might: with its shared document `doc` and its `argument`."""
    return await page.sheet.evaluate(
        f"""(sheet, argument) => {{
            const {{ extensions }} = sheet.editor.extensionManager;
            const doc = extensions.find(({{ name }}) => name === "binding").options.fragment.doc;
            return ({program})(doc, argument);
        }}""",
        argument,
    )


async def test_words_are_saved_and_typing_goes_on_after_a_listener_threw(meet: Meeting, shared_site: Site) -> None:
    document_id = await shared_site.new_document()
    person = await meet("Alice")
    person.expects(MISTAKE)
    alice = await person.opens(document_id)
    bob = await (await meet("Bob")).opens(document_id)
    await alice.goes_to_start()
    await alice.types("before ")
    await alice.shows("Saved")
    await in_document(
        alice,
        f"""(doc) => {{
            const others = [...doc._observers.get("update")];
            const fault = () => {{ doc.off("update", fault); throw new Error("{MISTAKE}"); }};
            doc._observers.set("update", new Set([fault, ...others]));
        }}""",
    )
    await alice.types("x")
    await alice.goes_to_end()
    await alice.types(" after")
    await bob.sees("before x after")
    await agree(alice, bob)
    await alice.shows("Saved")


async def test_words_under_an_id_that_is_somebody_elses_go_on_under_another(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "Alice's line")
    await bob.goes_to_end()
    await bob.press("Enter")
    await bob.types("Bob's line")
    await alice.sees("Alice's line", "Bob's line")
    taken = await in_document(bob, "(doc) => doc.clientID")
    await in_document(alice, "(doc, id) => { doc.clientID = id; }", taken)
    await alice.goes_after("Alice's line")
    await alice.types(", and more")
    await bob.sees("Alice's line, and more", "Bob's line")
    await bob.types(" goes on")
    await alice.types(" of it")
    await agree(alice, bob)
    assert await bob.text() == "Alice's line, and more of it\nBob's line goes on"
    await alice.shows("Saved")
    assert await in_document(alice, "(doc) => doc.clientID") != taken


async def test_content_that_no_schema_knows_is_marked_on_every_page_and_kept(meet: Meeting, shared_site: Site) -> None:
    alice, bob, document_id = await two_in_one_document(meet, shared_site, "first line", "second line")
    await in_document(
        bob,
        """(doc) => {
            const fragment = doc.getXmlFragment("default");
            const poll = new (fragment.get(0).constructor)("poll");
            fragment.insert(1, [poll]);
        }""",
    )
    carol = EditorPage("Carol", await (await meet("Carol")).visits(f"/d/{document_id}"))
    for page in (alice, bob, carol):
        await expect(page.sheet).to_have_attribute("aria-readonly", "true")
        await expect(page.sheet.locator(".page-section > *")).to_have_text(
            ["first line", "Not shown here: poll", "second line"]
        )
        await expect(page.page.get_by_text("content of another application (poll)")).to_be_visible()
    await suits_everybody(alice.page, "content of another application")


async def test_a_change_that_the_server_refuses_is_shown_with_the_ways_out(meet: Meeting, shared_site: Site) -> None:
    alice, bob, _ = await two_in_one_document(meet, shared_site, "good words")
    await in_document(alice, "(doc) => void doc.getMap('elsewhere').set('part', new doc.constructor())")
    refusal = alice.page.get_by_text("The server did not take a change:")
    await expect(refusal).to_be_visible()
    await alice.shows("Not saved")
    await suits_everybody(alice.page, "a refused change")
    await alice.goes_to_end()
    await alice.types(" and late ones")
    async with alice.page.expect_download() as download:
        await alice.page.get_by_role("button", name="Download a copy").click()
    assert "good words and late ones" in (await (await download.value).path()).read_text()
    await alice.page.get_by_role("button", name="Reload from the server").click()
    question = alice.page.get_by_role("dialog")
    await suits_everybody(alice.page, "the question before one's words are given up")
    await question.get_by_role("button", name="Drop and reload").click()
    await expect(refusal).to_have_count(0)
    await alice.shows("Saved")
    await agree(alice, bob)
