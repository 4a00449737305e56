"""People whose server lets them write more slowly than they type: nothing is lost, and nobody has to do anything about it."""

from pathlib import Path

from playwright.async_api import Browser

from tests.e2e.marks import BROWSER
from tests.e2e.pages import agree
from tests.e2e.person import people_at
from tests.server.server_process import new_document, server_process

pytestmark = BROWSER


async def test_who_types_too_fast_has_everything_saved_a_little_later(
    chromium: Browser, tmp_path: Path, built_pages: Path
) -> None:
    options = ("--update-rate", "1/2", "--pages-dir", str(built_pages), "--log-level", "error")
    async with server_process(tmp_path, *options) as server, people_at(chromium, server.url) as meet:
        document_id = await new_document(server)
        alice = await (await meet("Alice")).opens(document_id)
        bob = await (await meet("Bob")).opens(document_id)
        await alice.goes_to_start()
        await alice.types("Far faster than the server takes it, ", "and in two lines.", delay=30)
        await alice.shows("Saved")
        await bob.sees("Far faster than the server takes it,", "and in two lines.")
        await agree(alice, bob)
        await bob.shows("Saved")
