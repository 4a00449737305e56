"""Signing in with an identity provider: all the way there and back against a real one, and whatever can go wrong on the way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from crdt.permissions import Role
from server.auth.oidc import SESSION_SECONDS, SIGN_IN_SECONDS, local_path
from server.auth.oidc_provider import PAUSE_SECONDS
from server.config.people import PeopleSettings
from tests.harness.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, identity_provider, query_of
from tests.harness.log_lines import log_lines
from tests.harness.raw_socket import raw_socket
from tests.harness.tokens import NOW, signing_key
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow  # a provider, a server and their keys for each

PUBLIC = "http://docs.example"


def people(issuer: str, **options: Any) -> PeopleSettings:
    return PeopleSettings(
        auth="oidc",
        public_url=PUBLIC,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        secret_key="k" * 40,
        **options,
    )


@asynccontextmanager
async def site(**options: Any) -> AsyncIterator[tuple[WholeServer, IdentityProvider]]:
    async with identity_provider(now=NOW, **options) as provider, whole_server(people(provider.url)) as server:
        yield server, provider


class Browser:
    """A person's browser, which goes where it is sent, one step at a time."""

    def __init__(self, server: WholeServer) -> None:
        self.http = server.browser()
        self._url = server.url

    async def begins(self, next_path: str | None = None) -> str:
        """Ask to sign in; the provider's address."""
        answer = await self.http.get("/sign-in", params={} if next_path is None else {"next": next_path})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def is_sent_back(self, url: str) -> str:
        """Go to the provider; the path that it sends back to."""
        async with httpx.AsyncClient() as elsewhere:
            back: str = (await elsewhere.get(url)).headers["location"]
        assert back.startswith(PUBLIC + "/sign-in/callback?")
        return back.removeprefix(PUBLIC)

    async def signs_in(self, next_path: str | None = None) -> httpx.Response:
        """All the way; the last answer."""
        return await self.http.get(await self.is_sent_back(await self.begins(next_path)))

    async def me(self) -> httpx.Response:
        return await self.http.get("/api/me")


async def test_all_the_way_in_and_out() -> None:
    async with site() as (server, provider):
        browser = Browser(server)
        async with browser.http as http:
            refused = await browser.me()
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "unauthenticated")
            assert refused.json()["sign_in"] == "/sign-in"
            done = await browser.signs_in("/d/some-document?a=b")
            assert (done.status_code, done.headers["location"]) == (303, "/d/some-document?a=b")
            me = (await browser.me()).json()
            assert me["user"]["id"].startswith("oidc-")
            assert (me["user"]["name"], me["kind"], me["may_rename"]) == ("Ann", "oidc", False)
            assert (await http.patch("/api/me", json={"name": "Bob"})).status_code == 403
            assert (await http.post("/api/documents", json={})).status_code == 201
            out = await http.post("/sign-out")
            assert (out.status_code, out.headers["location"]) == (303, "/")
            assert (await browser.me()).status_code == 401
        again = Browser(server)
        async with again.http:
            await again.signs_in()
            assert (await again.me()).json()["user"] == me["user"]
        provider.person = {"sub": "another", "name": "Ann"}
        other = Browser(server)
        async with other.http:
            await other.signs_in()
            assert (await other.me()).json()["user"]["id"] != me["user"]["id"]


async def test_the_way_there_asks_for_what_makes_it_safe() -> None:
    async with site() as (server, _):
        browser = Browser(server)
        async with browser.http:
            first, second = query_of(await browser.begins()), query_of(await browser.begins())
        assert first["redirect_uri"] == PUBLIC + "/sign-in/callback"
        assert (first["code_challenge_method"], first["response_type"]) == ("S256", "code")
        assert first["scope"] == "openid profile email"
        for name in ("state", "nonce", "code_challenge"):
            assert len(first[name]) >= 32
            assert first[name] != second[name]


async def test_the_session_is_new_at_each_sign_in_and_hidden_from_scripts() -> None:
    async with site() as (server, _):
        browser = Browser(server)
        async with browser.http as http:
            http.cookies.set("manyhands", "planted-by-somebody", domain="127.0.0.1")
            done = await browser.signs_in()
            session, gone = done.headers.get_list("set-cookie")
            assert session.startswith("manyhands=")
            assert "planted" not in session
            assert "; HttpOnly; SameSite=Lax" in session
            assert gone.startswith("manyhands-sign-in=; Path=/; Max-Age=0")


async def test_a_session_ends_after_twelve_hours() -> None:
    async with site() as (server, _):
        browser = Browser(server)
        async with browser.http:
            await browser.signs_in()
            server.clock.seconds += SESSION_SECONDS - 1
            assert (await browser.me()).status_code == 200
            server.clock.seconds += 1
            assert (await browser.me()).status_code == 401


TAMPERED: list[dict[str, str | None]] = [
    {"state": "another"}, {"state": None}, {"code": "made-up"}, {"code": None},
    {"iss": "https://evil.example"}, {"iss": None}, {"error": "access_denied"},
]  # fmt: skip


async def test_an_answer_that_was_tampered_with_signs_nobody_in() -> None:
    async with site() as (server, _):
        for changed in TAMPERED:
            browser = Browser(server)
            async with browser.http as http:
                query = {**query_of(await browser.is_sent_back(await browser.begins())), **changed}
                given = {name: value for name, value in query.items() if value is not None}
                answer = await http.get(f"/sign-in/callback?{urlencode(given)}")
                assert answer.status_code == 401, changed
                assert "set-cookie" in answer.headers
                assert (await browser.me()).status_code == 401


async def test_nobody_can_be_made_to_end_somebody_elses_sign_in() -> None:
    async with site() as (server, _):
        mallory, victim = Browser(server), Browser(server)
        async with mallory.http, victim.http as http:
            back = await mallory.is_sent_back(await mallory.begins())
            assert (await http.get(back)).status_code == 401  # a browser that began none
            await victim.begins()
            assert (await http.get(back)).status_code == 401  # one that began another
            assert (await victim.me()).status_code == 401


async def test_a_sign_in_ends_once_and_in_time() -> None:
    async with site() as (server, provider):
        browser = Browser(server)
        async with browser.http as http:
            back = await browser.is_sent_back(await browser.begins())
            server.clock.seconds += SIGN_IN_SECONDS
            assert (await http.get(back)).status_code == 401
            assert provider.said == []
            server.clock.seconds = NOW
            back = await browser.is_sent_back(await browser.begins())
            kept = dict(http.cookies)
            assert (await http.get(back)).status_code == 303
            http.cookies.update(kept)
            assert (await http.get(back)).status_code == 401  # the provider knows that the code was used


async def test_a_code_is_worth_nothing_without_the_verifier() -> None:
    """Who has caught a code cannot use it in a sign-in of their own: the provider compares the verifier with the challenge."""
    async with site() as (server, provider):
        victim, mallory = Browser(server), Browser(server)
        async with victim.http, mallory.http as http:
            caught = query_of(await victim.is_sent_back(await victim.begins()))["code"]
            state = query_of(await mallory.begins())["state"]
            query = urlencode({"code": caught, "state": state, "iss": provider.url})
            assert (await http.get(f"/sign-in/callback?{query}")).status_code == 401
            assert provider.said == [caught]


NOT_FOR_US: list[dict[str, Any]] = [
    {"nonce": "another"}, {"nonce": None}, {"aud": "another-application"}, {"iss": "https://evil.example"}, {"sub": ""},
    {"sub": 7}, {"exp": NOW - 1}, {"iat": NOW + 3600}, {"azp": "another"}, {"aud": [CLIENT_ID, "x"], "azp": "x"},
]  # fmt: skip


async def test_an_id_token_that_is_not_for_us_signs_nobody_in() -> None:
    async with site() as (server, provider):
        for claims in NOT_FOR_US:
            provider.claims = claims
            browser = Browser(server)
            async with browser.http:
                with log_lines() as lines:
                    assert (await browser.signs_in()).status_code == 401, claims
                assert "eyJ" not in str(lines)


async def test_an_id_token_signed_by_somebody_else_signs_nobody_in() -> None:
    async with site(key=signing_key("RS256", "second")) as (server, _):
        browser = Browser(server)
        async with browser.http:
            assert (await browser.signs_in()).status_code == 401


async def test_names_and_verified_addresses_are_taken_from_where_they_are() -> None:
    told = {"preferred_username": "ann", "email": "Ann@Example.org", "email_verified": True}
    async with site(person={"sub": "1"}, userinfo=told) as (server, _):
        browser = Browser(server)
        async with browser.http:
            await browser.signs_in()
            me = (await browser.me()).json()
            assert (me["user"]["name"], me["email"]) == ("ann", "ann@example.org")


async def test_an_address_that_the_provider_has_not_verified_is_none() -> None:
    async with site() as (server, provider):
        for verified in (False, None, "false", 1):
            provider.person = {"sub": "1", "name": "Ann", "email": "boss@example.org", "email_verified": verified}
            browser = Browser(server)
            async with browser.http:
                await browser.signs_in()
                assert (await browser.me()).json()["email"] is None


async def test_whoever_was_invited_by_their_address_finds_the_document() -> None:
    ann = {"sub": "1", "name": "Ann"}
    bob = {"sub": "2", "name": "Bob", "email": "Bob@Example.org", "email_verified": True}
    async with site(person=ann) as (server, provider):
        owner, guest = Browser(server), Browser(server)
        async with owner.http as http, guest.http as other:
            await owner.signs_in()
            path = f"/api/documents/{(await http.post('/api/documents', json={})).json()['id']}"
            invited = await http.post(f"{path}/people", json={"email": "bob@example.org", "role": "commenter"})
            assert invited.status_code == 201
            provider.person = bob
            await guest.signs_in()
            assert (await other.get(path)).json()["role"] == Role.COMMENTER
            everybody = (await http.get(f"{path}/people")).json()["people"]
            assert {person["user"]["name"] for person in everybody} == {"Ann", "Bob"}


async def test_sockets_open_for_the_session_and_for_nobody_else() -> None:
    async with site() as (server, _):
        browser = Browser(server)
        async with browser.http as http:
            await browser.signs_in()
            cookie = f"manyhands={http.cookies['manyhands']}"
        async with raw_socket(server.port, additional_headers={"Cookie": cookie}) as socket:
            await socket.connected()
        async with raw_socket(server.port) as stranger:
            await stranger.send('40{"guest":{"name":"Ann"}}')
            assert "unauthenticated" in str(await stranger.receive())


async def test_while_the_provider_is_away_it_says_so_and_sessions_go_on() -> None:
    async with site(away=True) as (server, provider):
        browser = Browser(server)
        async with browser.http as http:
            away = await http.get("/sign-in")
            assert (away.status_code, away.headers["content-type"]) == (503, "text/html; charset=utf-8")
            assert provider.url not in away.text
            provider.away = False
            assert (await http.get("/sign-in")).status_code == 503  # nobody asks the provider again at once
            server.clock.ahead += PAUSE_SECONDS
            await browser.signs_in()
            provider.away = True
            assert (await browser.me()).status_code == 200


ELSEWHERE = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "evil.example", "javascript:alert(1)", "",
    "/\t/evil.example", "/a\r\nSet-Cookie: x=1", "/ /evil.example", "/\u2028", "https:/evil.example", "/a\\..\\\\evil.example",
    "/" + "a" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("path", ELSEWHERE)
def test_nobody_is_sent_elsewhere(path: str) -> None:
    assert local_path(path) == "/"


@pytest.mark.parametrize("path", ["/", "/d/abc?x=//y", "/?next=https://a.example", "/d/abc#link=x"])
def test_our_own_pages_are_come_back_to(path: str) -> None:
    assert local_path(path) == path


async def test_a_link_that_wants_to_lead_elsewhere_after_the_sign_in_does_not() -> None:
    async with site() as (server, _):
        browser = Browser(server)
        async with browser.http:
            for path in ("//evil.example", "https://evil.example/d/x"):
                assert (await browser.signs_in(path)).headers["location"] == "/"
