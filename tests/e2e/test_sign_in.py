"""Coming in through an identity provider, in real browsers: to the page that was meant, with the link that was sent."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.e2e.axe import suits_everybody
from tests.e2e.marks import BROWSER
from tests.e2e.pages import DocumentsPage, EditorPage
from tests.e2e.person import Person, people_at
from tests.harness.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider
from tests.harness.ports import quiet_port
from tests.server.server_process import server_process

pytestmark = BROWSER


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def door(
    tmp_path_factory: pytest.TempPathFactory, built_pages: Path
) -> AsyncIterator[tuple[str, IdentityProvider]]:
    """The address of a site that asks everybody to sign in, and who vouches for them."""
    port = quiet_port()
    url = f"http://127.0.0.1:{port}"
    async with identity_provider() as provider:
        ways = ["--auth", "oidc", "--public-url", url, "--oidc-issuer", provider.url]
        client = ["--oidc-client-id", CLIENT_ID, "--oidc-client-secret", CLIENT_SECRET]
        place = ["--port", str(port), "--pages-dir", str(built_pages), "--log-level", "error"]
        async with server_process(tmp_path_factory.mktemp("door"), *place, *ways, *client):
            yield url, provider


async def _signs_in(person: Person, provider: IdentityProvider, path: str) -> EditorPage:
    """Open an address as a stranger, and go through the provider's door."""
    person.expects("status of 401")
    name = person.name
    provider.person = {"sub": name, "name": name, "email": f"{name}@example.org".lower(), "email_verified": True}
    editor = EditorPage(name, await person.visits(path))
    await editor.can_be_reopened_offline()  # from here on the service worker answers what it may
    await editor.page.get_by_role("link", name="Sign in").click()
    return editor


async def test_a_link_survives_the_sign_in(chromium: Browser, door: tuple[str, IdentityProvider]) -> None:
    url, provider = door
    async with people_at(chromium, url) as meet:
        owner = await meet("Alice", permissions=["clipboard-read", "clipboard-write"])
        documents = DocumentsPage((await _signs_in(owner, provider, "/")).page)
        alice = await documents.makes_document()
        await alice.goes_to_start()
        await alice.types("By invitation.")
        await alice.shows("Saved")
        sharing = await alice.shares()
        await sharing.dialog.get_by_role("button", name="Link: Restricted").click()
        await alice.page.get_by_role("menuitemradio", name="Anyone with the link").click()
        await sharing.opens_link_for("Commenter")
        link = await sharing.copies_link()

        visitor = await meet("Bob")
        bob = await _signs_in(visitor, provider, link.removeprefix(visitor.url))
        await bob.may("suggest")
        await bob.sees("By invitation.")

        await bob.page.get_by_role("button", name="You are Bob. Account").click()
        await bob.page.get_by_role("menuitem", name="Sign out").click()
        await expect(bob.page.get_by_role("link", name="Sign in")).to_be_visible()


async def test_everybody_can_use_the_door(chromium: Browser, door: tuple[str, IdentityProvider]) -> None:
    async with people_at(chromium, door[0]) as meet:
        stranger = await meet("Alice")
        stranger.expects("status of 401")
        page = await stranger.visits("/")
        await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
        await suits_everybody(page, "the sign-in")
        await page.goto(f"{stranger.url}/sign-in/callback?state=forged&code=forged")
        await expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
        await suits_everybody(page, "a sign-in that failed")
        bert = await meet("Bert", locale="de-AT")
        bert.expects("status of 401")
        page = await bert.visits("/sign-in/callback?state=forged&code=forged")
        await expect(page.get_by_role("heading", name="Du bist nicht angemeldet")).to_be_visible()
