"""Addresses with a version, problems of RFC 9457, and answers for pages of allowed origins."""

from collections.abc import AsyncIterator

import httpx
import pytest

from crdt.budget import Rate
from server.http.middleware import ApiRates
from tests.server.http_site import ORIGIN, Site

ALLOWED, OTHER = "https://docs.example.com", "https://elsewhere.example"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with Site().client() as client:
        client.headers["x-name"] = "ann"
        yield client


async def test_an_address_with_a_version_is_the_same_operation(client: httpx.AsyncClient) -> None:
    made = await client.post("/api/v1/documents", json={"title": "Plan"})
    assert (made.status_code, made.headers["content-type"]) == (201, "application/json")
    path = f"/documents/{made.json()['id']}"
    answers = [await client.get(f"/api{version}{path}") for version in ("", "/v1")]
    assert answers[0].json() == answers[1].json()
    for unknown in ("/api/v2/documents", "/api/v1", "/api/v1documents"):
        assert (await client.get(unknown)).status_code == 404


async def test_an_error_below_a_version_is_a_problem_and_keeps_its_former_members(client: httpx.AsyncClient) -> None:
    former = await client.get("/api/documents/nothing-here")
    assert (former.headers["content-type"], set(former.json())) == ("application/json", {"error"})
    problem = await client.get("/api/v1/documents/nothing-here")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": former.json()["error"]["message"],
        "code": "not_found",
        **former.json(),
    }
    assert (await client.put("/api/v1/documents")).json()["status"] == 405
    head = await client.head("/api/v1/documents/nothing-here")
    assert (head.status_code, head.content) == (404, b"")


async def test_rates_hold_for_addresses_with_a_version_too() -> None:
    async with Site(rates=ApiRates(creations=Rate(1, 1), clock=lambda: 0.0)).client() as client:
        assert (await client.post("/api/documents", json={})).status_code == 201
        refused = await client.post("/api/v1/documents", json={})
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["retry-after"]


async def test_a_page_of_an_allowed_origin_reads_answers_and_errors(client: httpx.AsyncClient) -> None:
    asks = {"Origin": ALLOWED, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "if-match"}
    for path in ("/api/documents/some-document/content", "/api/v1/documents/some-document/content"):
        before = await client.options(path, headers=asks)
        assert before.status_code == 200
        assert before.headers["access-control-allow-origin"] == ALLOWED
        assert "PUT" in before.headers["access-control-allow-methods"]
        assert "access-control-allow-credentials" not in before.headers
    for path, status in (("/api/documents", 200), ("/api/documents/nothing-here", 404)):
        answer = await client.get(path, headers={"Origin": ALLOWED})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, ALLOWED)
        assert "ETag" in answer.headers["access-control-expose-headers"]


async def test_pages_of_other_origins_read_nothing(client: httpx.AsyncClient) -> None:
    for origin in (OTHER, ORIGIN.replace("127", "128"), "null"):
        answer = await client.get("/api/documents", headers={"Origin": origin})
        assert "access-control-allow-origin" not in answer.headers
        asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        assert "access-control-allow-origin" not in (await client.options("/api/documents", headers=asks)).headers
    assert "access-control-allow-origin" not in (await client.get("/health", headers={"Origin": ALLOWED})).headers
