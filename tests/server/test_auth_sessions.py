"""The REST API for people with tokens: by header, by session cookie, and what becomes of both when they run out."""

from http.cookies import SimpleCookie
from typing import Any

import httpx

from server.config.people import PeopleSettings
from tests.harness.tokens import NOW, SECRET, token
from tests.harness.whole_server import whole_server

TOKENS = PeopleSettings(auth="jwt", jwt_secret=SECRET, secret_key="k" * 40)


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**claims)}"}


async def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_bearer_token_says_who_asks() -> None:
    async with whole_server(TOKENS) as server, server.browser() as http:
        me = (await http.get("/api/me", headers=bearer(email="ann@example.org"))).json()
        assert me["user"]["id"] == "ann"
        assert (me["kind"], me["email"], me["may_rename"], me["may_create"]) == ("jwt", "ann@example.org", False, True)
        assert me["expires_at"].startswith("2030-03-17T18:46:40")
        assert (await http.patch("/api/me", json={"name": "x"}, headers=bearer())).status_code == 403
        path = f"/api/documents/{(await http.post('/api/documents', json={}, headers=bearer())).json()['id']}"
        assert (await http.get(path, headers=bearer())).json()["role"] == "owner"
        assert await code_of(await http.get(path, headers=bearer(sub="bob"))) == (404, "not_found")
        named = {path.rpartition("/")[2]: "viewer"}
        assert (await http.get(path, headers=bearer(sub="bob", documents=named))).json()["role"] == "viewer"
        refused = await http.post("/api/documents", json={}, headers=bearer(sub="bob", documents=named))
        assert await code_of(refused) == (403, "forbidden")


async def test_nobody_gets_in_without_one() -> None:
    async with whole_server(TOKENS) as server, server.browser() as http:
        for method, path in (
            ("GET", "/api/me"),
            ("GET", "/api/documents"),
            ("POST", "/api/documents"),
            ("GET", "/api/x"),
        ):
            answer = await http.request(method, path)
            assert await code_of(answer) == (401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert "sign_in" not in answer.json()
            assert "set-cookie" not in answer.headers
        assert await code_of(await http.get("/api/me", headers=bearer(exp=NOW - 1))) == (401, "unauthenticated")
        assert await code_of(await http.get("/api/me", headers={"Authorization": "Basic YTpi"})) == (
            401,
            "unauthenticated",
        )
        assert (await http.get("/health")).status_code == 200
        assert (await http.get("/api/openapi.json")).status_code == 200


async def test_a_session_is_a_token_in_a_cookie_and_ends_with_it() -> None:
    async with whole_server(TOKENS) as server, server.browser() as http:
        begun = await http.post("/api/session", json={"token": token()})
        assert (begun.status_code, begun.json()["user"]["id"]) == (200, "ann")
        morsel = SimpleCookie(begun.headers["set-cookie"])["manyhands"]
        assert (morsel["httponly"], morsel["samesite"], morsel["max-age"]) == (True, "Lax", "3600")
        assert (await http.get("/api/me")).json() == begun.json()
        above = await http.get("/api/me", headers=bearer(sub="bob"))
        assert above.json()["user"]["id"] == "bob"
        server.clock.seconds += 3600
        assert (await http.get("/api/me")).status_code == 401
        server.clock.seconds = NOW
        assert (await http.delete("/api/session")).status_code == 204
        assert (await http.get("/api/me")).status_code == 401


async def test_what_is_no_token_begins_no_session() -> None:
    async with whole_server(TOKENS) as server, server.browser() as http:
        for body, wanted in (
            ({"token": "x"}, (401, "unauthenticated")),
            ({"token": token(exp=NOW)}, (401, "unauthenticated")),
            ({"token": 7}, (400, "malformed")),
            ({}, (400, "malformed")),
            ({"token": token(padding="x" * 4000)}, (413, "too_large")),
        ):
            answer = await http.post("/api/session", json=body)
            assert await code_of(answer) == wanted
            assert "set-cookie" not in answer.headers


async def test_another_sites_page_can_neither_begin_nor_end_a_session() -> None:
    async with whole_server(TOKENS) as server, server.browser() as http:
        elsewhere = {"Origin": "https://evil.example"}
        for answer in (
            await http.post("/api/session", json={"token": token()}, headers=elsewhere),
            await http.delete("/api/session", headers=elsewhere),
        ):
            assert await code_of(answer) == (403, "wrong_origin")
            assert "set-cookie" not in answer.headers


async def test_over_https_the_cookie_is_bound_to_the_host() -> None:
    """A proxy that is trusted says https, and uvicorn puts that into the scope."""
    async with whole_server(TOKENS) as server:
        transport = httpx.ASGITransport(server.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as http:
            begun = await http.post("/api/session", json={"token": token()})
            assert begun.headers["set-cookie"].startswith("__Host-manyhands=")
            assert begun.headers["set-cookie"].endswith("; Secure")
            assert (await http.get("/api/me")).status_code == 200
        async with httpx.AsyncClient(transport=transport, base_url="https://127.0.0.1") as http:
            planted = await http.get("/api/me", headers={"Cookie": f"manyhands={token()}"})
            assert planted.status_code == 401
