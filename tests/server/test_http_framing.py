"""Other sites that show something of ours: pages in a frame, and pictures by signed addresses."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from server.config import Config, Listen
from server.config.people import PeopleSettings
from tests.harness.tokens import SECRET, token
from tests.harness.whole_server import Clock, WholeServer, whole_server
from tests.server.test_permission_matrix import png

SITE = "https://intranet.example.com"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WholeServer]:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    config = Config(listen=Listen(frame_ancestors=(SITE, "https://wiki.example.com")), people=people)
    async with whole_server(config=config, clock=Clock()) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: WholeServer) -> AsyncIterator[httpx.AsyncClient]:
    async with server.browser() as client:
        client.headers["Authorization"] = f"Bearer {token(sub='anna')}"
        yield client


async def test_sites_that_are_named_may_show_pages_in_a_frame_and_nothing_of_people_s(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/health")
    assert page.headers["content-security-policy"].endswith(f"frame-ancestors {SITE} https://wiki.example.com")
    assert "x-frame-options" not in page.headers
    made = await client.post("/api/documents", json={"content": "Tea"})
    content = await client.get(f"/api/documents/{made.json()['id']}/content?as=html")
    assert content.headers["x-frame-options"] == "DENY"
    assert SITE not in content.headers["content-security-policy"]


async def test_without_a_name_nobody_may() -> None:
    async with whole_server() as server, server.browser() as client:
        page = await client.get("/health")
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        assert page.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("form", ["html", "markdown", "json"])
async def test_a_signed_picture_is_fetched_by_anybody_for_an_hour(
    server: WholeServer, client: httpx.AsyncClient, form: str
) -> None:
    made = (await client.post("/api/documents", json={})).json()["id"]
    picture = png()
    url = (await client.post(f"/api/documents/{made}/attachments", content=picture)).json()["url"]
    image = {"type": "image", "attrs": {"src": url}}
    edits = [{"do": "append", "content": [image], "as": "json"}]
    assert (await client.post(f"/api/documents/{made}/edits", json={"edits": edits})).status_code == 200
    answer = await client.get(f"/api/documents/{made}/content?as={form}&pictures=signed")
    assert answer.headers["cache-control"] == "no-store"
    (address,) = re.findall(rf"{server.url}/api/picture\?seal=[\w.-]+", answer.text)
    assert url not in answer.text
    async with httpx.AsyncClient() as anybody:
        fetched = await anybody.get(address)
        assert (fetched.status_code, fetched.content) == (200, picture)
        assert fetched.headers["cross-origin-resource-policy"] == "cross-origin"
        assert (await anybody.get(address + "x")).status_code == 404
        assert (await anybody.get(f"{server.url}{url}")).status_code == 401
        server.clock.seconds += 3600
        assert (await anybody.get(address)).status_code == 404
