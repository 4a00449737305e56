"""How fast one address may ask the REST API."""

import httpx

from crdt.budget import Rate
from server.http.middleware import HEADERS, ApiRates
from tests.server.http_site import Clock, Site, error_of


def site_with(requests: Rate, creations: Rate) -> Site:
    clock = Clock()
    return Site(clock=clock, rates=ApiRates(requests, creations, clock.monotonic))


async def test_an_address_that_asks_too_much_is_told_when_to_come_back() -> None:
    site = site_with(Rate(0.5, 2), Rate(10, 100))
    app = site.app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        for _ in range(2):
            assert (await client.get("/api/documents")).status_code == 200
        refused = await client.get("/api/documents")
        assert error_of(refused) == (429, "rate_limited")
        assert refused.headers["retry-after"] == "2"
        assert {name: refused.headers[name] for name in HEADERS} == HEADERS
        assert error_of(await client.get("/sign-in")) == (429, "rate_limited")
        page = await client.get("/sign-in", headers={"Accept": "text/html", "Accept-Language": "de"})
        assert (page.status_code, page.headers["retry-after"]) == (429, "2")
        assert "Das war zu viel in zu kurzer Zeit." in page.text
        assert (await client.get("/health")).status_code == 200, "whoever watches the server is not counted"
        site.clock.seconds += 2
        assert (await client.get("/api/documents")).status_code == 200


async def test_others_are_not_concerned() -> None:
    site = site_with(Rate(0.1, 1), Rate(10, 100))
    app = site.app()
    answers = []
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answers.append((await client.get("/api/documents")).status_code)
    assert answers == [200, 429, 200]


async def test_a_person_owns_so_many_documents_and_no_more() -> None:
    anna = {"x-name": "anna"}
    async with Site(most_owned=2).client() as client:
        made = [(await client.post("/api/documents", headers=anna)).json()["id"] for _ in range(2)]
        assert error_of(await client.post("/api/documents", headers=anna)) == (429, "too_many")
        assert (await client.post("/api/documents", headers={"x-name": "bert"})).status_code == 201
        await client.post(f"/api/documents/{made[0]}/trash", headers=anna)
        assert error_of(await client.post("/api/documents", headers=anna)) == (429, "too_many")
        await client.delete(f"/api/documents/{made[0]}", headers=anna)
        assert (await client.post("/api/documents", headers=anna)).status_code == 201


async def test_new_documents_have_a_rate_of_their_own() -> None:
    # Each document that is made lets the story's clock go on by a second.
    async with site_with(Rate(100, 1000), Rate(0.01, 2)).client() as client:
        for _ in range(2):
            assert (await client.post("/api/documents")).status_code == 201
        assert error_of(await client.post("/api/documents")) == (429, "rate_limited")
        assert (await client.get("/api/documents")).status_code == 200


async def test_asking_for_access_has_a_rate_of_its_own() -> None:
    body, bert = {"document_id": "some-document"}, {"x-name": "bert"}
    async with site_with(Rate(100, 1000), Rate(10, 100)).client() as client:
        answers = [(await client.post("/api/access-requests", json=body, headers=bert)).status_code for _ in range(21)]
        assert answers == [204] * 20 + [429]
        assert (await client.get("/api/documents")).status_code == 200
