"""Leaving the page: a question while something would be late or lost, and none otherwise."""

from playwright.async_api import expect

from tests.e2e.marks import BROWSER
from tests.e2e.pages import EditorPage
from tests.e2e.person import NETWORK, Meeting
from tests.e2e.site import Site

pytestmark = BROWSER


async def tries_to_leave(editor: EditorPage) -> None:
    """Try to reload, as a person does; returns at once, whether the page asks or goes."""
    await editor.page.evaluate("setTimeout(() => location.reload())")


async def test_the_page_asks_only_while_something_is_not_saved(meet_at_own: Meeting, own_site: Site) -> None:
    person = await meet_at_own("Alice")
    # A page that is left while its service worker is fetched says so.
    person.expects(NETWORK, "error occurred when fetching the script")
    alice = await person.opens(await own_site.new_document())
    questions: list[str] = []
    await alice.goes_to_start()
    await alice.types("safe")
    await alice.shows("Saved")
    alice.page.on("dialog", lambda dialog: questions.append(dialog.type))
    await alice.reloads()
    await alice.sees("safe")
    assert questions == []
    await alice.shows("Saved")

    await own_site.kill()
    await alice.goes_to_end()
    await alice.types(" and unsaved")
    await expect(alice.status("Saved")).to_have_count(0)
    async with alice.page.expect_event("dialog") as asked:
        await tries_to_leave(alice)
    question = await asked.value
    assert question.type == "beforeunload"
    await question.dismiss()
    await alice.sees("safe and unsaved")

    await own_site.start()
    await alice.shows("Saved")
    questions.clear()
    await alice.reloads()
    assert questions == []
    assert await alice.text() == "safe and unsaved"
