"""Whose pages may change something here, and under which names the server answers."""

import httpx
import pytest
from starlette.datastructures import Headers

from server.http.middleware import HEADERS, Origins
from tests.harness.log_lines import log_lines
from tests.server.http_site import Site, error_of


def headers(**given: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in given.items()})


@pytest.mark.parametrize(
    "given",
    [
        headers(host="127.0.0.1:8000"),
        headers(host="127.0.0.1:8000", origin="http://127.0.0.1:8000"),
        headers(host="127.0.0.1:8000", sec_fetch_site="same-origin", origin="https://proxied.example"),
        headers(host="127.0.0.1:8000", sec_fetch_site="none"),
        headers(host="docs.example.com", origin="https://docs.example.com", sec_fetch_site="cross-site"),
        headers(host="intern.example", origin="https://intern.example"),
    ],
)
def test_our_own_pages_and_programs_may_change_something(given: Headers) -> None:
    assert Origins(["https://docs.example.com"], "127.0.0.1").permit_change(given)


@pytest.mark.parametrize(
    "given",
    [
        headers(host="127.0.0.1:8000", origin="https://evil.example"),
        headers(host="127.0.0.1:8000", origin="null"),
        headers(host="127.0.0.1:8000", origin=""),
        headers(origin=""),
        headers(host="127.0.0.1:8000", origin="http://[::"),
        headers(host="127.0.0.1:8000", origin="http://127.0.0.1:9000"),
        headers(host="127.0.0.1:8000", origin="http://127.0.0.1:8000.evil.example"),
        headers(host="127.0.0.1:8000", sec_fetch_site="cross-site", origin="http://127.0.0.1:8000"),
        headers(host="127.0.0.1:8000", sec_fetch_site="same-site"),
        headers(host="docs.example.com", origin="http://docs.example.com.evil.example"),
    ],
)
def test_other_pages_may_not(given: Headers) -> None:
    assert not Origins(["https://docs.example.com"], "127.0.0.1").permit_change(given)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8000", "localhost", "LOCALHOST:8000", "a.localhost:1", "[::1]:8000", "docs.example.com", "10.1.2.3"],
)
def test_we_answer_to_addresses_and_to_our_names(host: str) -> None:
    assert Origins(["https://docs.example.com"], "127.0.0.1").know(host)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "", "[evil]", "127.0.0.1.evil.example"]
)
def test_we_do_not_answer_to_a_name_that_anybody_may_point_at_us(host: str) -> None:
    assert not Origins(["https://docs.example.com"], "127.0.0.1").know(host)
    assert Origins([], "0.0.0.0", any_name=True).know(host)


async def test_a_strangers_page_can_neither_read_nor_delete() -> None:
    async with Site().client() as client:
        made = (await client.post("/api/documents", json={"title": "Old"})).json()
        path = f"/api/documents/{made['id']}"
        await client.post(f"{path}/trash")
        for method in ("POST", "PATCH", "DELETE"):
            refused = await client.request(method, path, headers={"Origin": "https://evil.example"})
            assert error_of(refused) == (403, "wrong_origin")
        rebound = await client.get("/api/documents", headers={"Host": "evil.example:8000"})
        assert error_of(rebound) == (403, "wrong_host")
        assert "Access-Control-Allow-Origin" not in rebound.headers
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("language", "words"), [("en", "This server does not go by that name."), ("de", "unter diesem Namen")]
)
async def test_a_person_who_uses_a_name_that_is_not_ours_reads_which_setting_helps(language: str, words: str) -> None:
    async with Site().client() as client:
        asked = {"Host": "docs.example:8000", "Accept": "text/html,*/*;q=0.8", "Accept-Language": language}
        page = await client.get("/", headers=asked)
        assert page.status_code == 403
        assert page.headers["content-type"].startswith("text/html")
        assert words in page.text
        assert "MANYHANDS_ALLOWED_ORIGINS" in page.text


async def test_a_page_of_another_origin_can_read_that_the_server_has_another_name() -> None:
    async with Site().client() as client:
        asked = {"Host": "docs.example:8000", "Origin": "https://cms.example"}
        refused = await client.get("/socket.io/?EIO=4&transport=polling", headers=asked)
        assert error_of(refused) == (403, "wrong_host")
        assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_the_operator_is_told_which_origin_or_name_was_refused() -> None:
    async with Site().client() as client:
        with log_lines() as lines:
            await client.post("/api/documents", headers={"Origin": "https://intern.example"})
            await client.get("/", headers={"Host": "intern.example"})
            await client.get("/", headers={"Host": "x" * 1000})
    told = [(line["event"], line["origin"], line["host"]) for line in lines if "origin" in line]
    assert told == [
        ("origin_refused", "https://intern.example", "127.0.0.1:8000"),
        ("origin_refused", "", "intern.example"),
        ("origin_refused", "", "x" * 100),
    ]
    assert all("MANYHANDS_ALLOWED_ORIGINS" in line["reason"] for line in lines if "origin" in line)


async def test_every_answer_carries_the_browsers_orders() -> None:
    async with Site().client() as client:
        for path in ("/", "/health", "/api/documents", "/api/nothing", "/nothing"):
            answer: httpx.Response = await client.get(path)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
