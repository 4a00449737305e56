"""Guests and their cookie: the same browser is the same person, and nothing that somebody makes up is ever more than a newcomer."""

from http.cookies import SimpleCookie

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.protocol.messages import User
from crdt.protocol.requests import Authenticate, Greeting, Guest
from server.auth.base import Credentials, Identity
from server.auth.cookies import RENEWED_AFTER, Cookie, GuestAuthenticator, SecretKey, find_cookie
from server.auth.oidc import OidcAuthenticator
from server.auth.tokens import VerifyingKey
from server.config.people import PeopleSettings
from tests.harness.memory_store import memory_store
from tests.harness.tokens import NOW
from tests.harness.whole_server import Clock, whole_server

YEAR = 365 * 24 * 3600
ANN = User("guest-ann", "Ann", "#123456")


def guests(clock: Clock | None = None, secret: str = "one secret for all of us") -> GuestAuthenticator:
    clock = clock or Clock()
    return GuestAuthenticator(SecretKey(secret), lambda: clock.seconds)


async def taken_for(cookie: str | None, door: GuestAuthenticator | None = None, **guest: str) -> Identity:
    return await (door or guests()).identify(Credentials(cookie, None, Guest(**guest)))


async def test_a_cookie_brings_back_who_one_was() -> None:
    identity = await taken_for(guests().cookie(ANN).value)
    assert (identity.user, identity.kind, identity.lasting) == (ANN, "guest", True)


async def test_another_name_goes_with_the_same_person() -> None:
    identity = await taken_for(guests().cookie(ANN).value, name="Anna")
    assert identity.user == User("guest-ann", "Anna", "#123456")


async def test_two_nodes_with_one_secret_know_each_others_guests() -> None:
    cookie = guests(secret="shared between the two nodes").cookie(ANN).value
    assert (await taken_for(cookie, guests(secret="shared between the two nodes"))).user == ANN
    assert (await taken_for(cookie, guests(secret="somebody else's server"))).user != ANN


def altered() -> list[str]:
    value = guests().cookie(ANN).value
    middle = len(value) // 2
    other = "A" if value[middle] != "A" else "B"
    return [
        "", "x", ".", "..", "." * 50, "null", "é", '"', "a" * 5000, value[:-1], value[1:], value + "A", value[: middle],
        value[:middle] + other + value[middle + 1 :], value.upper(), value.partition(".")[0], value.replace(".", ""),
        guests(secret="a forger's own secret").cookie(ANN).value, ".eJw" + value, f"{value}.{value}",
    ]  # fmt: skip


@pytest.mark.parametrize("cookie", altered())
async def test_a_cookie_that_is_not_ours_is_a_newcomers(cookie: str) -> None:
    identity = await taken_for(cookie)
    assert identity.user.user_id not in ("", ANN.user_id)
    assert not identity.lasting


@given(st.text(max_size=300))
async def test_any_text_is_a_guest(cookie: str) -> None:
    assert not (await taken_for(cookie)).lasting


async def test_a_cookie_for_another_purpose_is_none() -> None:
    session = OidcAuthenticator(SecretKey("one secret for all of us"), lambda: NOW)
    assert not (await taken_for(session.cookie(Identity(ANN, "oidc")).value)).lasting


async def test_a_cookie_lasts_a_year_and_is_renewed_before() -> None:
    clock = Clock()
    door = guests(clock)
    cookie = door.cookie(ANN).value
    assert not door.is_old(cookie)
    clock.seconds += RENEWED_AFTER
    assert door.is_old(cookie)
    clock.seconds = NOW + YEAR - 1
    assert (await taken_for(cookie, door)).user == ANN
    clock.seconds = NOW + YEAR
    assert (await taken_for(cookie, door)).user != ANN


def test_the_cookies_attributes() -> None:
    plain, safe = (Cookie("manyhands", "x", 9).header(secure=secure) for secure in (False, True))
    assert plain == "manyhands=x; Path=/; Max-Age=9; HttpOnly; SameSite=Lax"
    assert safe == "__Host-manyhands=x; Path=/; Max-Age=9; HttpOnly; SameSite=Lax; Secure"


def test_over_https_only_the_host_bound_cookie_counts() -> None:
    header = ["manyhands=planted; a=b", "c; __Host-manyhands=ours"]
    assert find_cookie(header, "manyhands", secure=True) == "ours"
    assert find_cookie(header, "manyhands", secure=False) == "planted"
    assert find_cookie(["manyhandsx=1", "xmanyhands=2", "manyhands"], "manyhands", secure=False) is None


async def test_the_first_answer_makes_a_browser_known_and_the_name_can_be_changed() -> None:
    async with whole_server() as server, server.browser() as browser:
        first = await browser.get("/api/me")
        me = first.json()
        assert (me["kind"], me["may_rename"], me["may_create"], me["email"], me["expires_at"]) == (
            "guest",
            True,
            True,
            None,
            None,
        )
        morsel = SimpleCookie(first.headers["set-cookie"])["manyhands"]
        assert (morsel["httponly"], morsel["samesite"], morsel["path"], morsel["max-age"]) == (
            True,
            "Lax",
            "/",
            str(YEAR),
        )
        again = await browser.get("/api/me")
        assert again.json() == me
        assert "set-cookie" not in again.headers
        changed = await browser.patch("/api/me", json={"name": "  Ann\u202e ", "color": "#ABCDEF"})
        assert changed.json()["user"] == {"id": me["user"]["id"], "name": "Ann", "color": "#abcdef"}
        assert (await browser.get("/api/me")).json() == changed.json()
        assert len(changed.headers.get_list("set-cookie")) == 1
        assert (await browser.delete("/api/session")).status_code == 204
        assert (await browser.get("/api/me")).json()["user"]["id"] != me["user"]["id"]


BAD_LOOKS: list[dict[str, object]] = [
    {"name": 7}, {"name": ""}, {"name": "\u202e"}, {"name": "x" * 999}, {"name": None},
    {"color": "red"}, {"color": None}, {"id": "x"},
]  # fmt: skip


async def test_a_look_that_cannot_be_shown_is_refused() -> None:
    async with whole_server() as server, server.browser() as browser:
        for body in BAD_LOOKS:
            assert (await browser.patch("/api/me", json=body)).status_code == 400


async def test_a_forged_cookie_is_a_newcomer_and_no_error() -> None:
    async with whole_server() as server, server.browser() as browser:
        for cookie in altered():
            if cookie.isascii() and '"' not in cookie:
                answer = await browser.get("/api/me", headers={"Cookie": f"manyhands={cookie}"})
                assert answer.status_code == 200
                assert "set-cookie" in answer.headers
                browser.cookies.clear()


async def test_whoever_has_made_a_document_owns_it_by_their_cookie() -> None:
    async with whole_server() as server, server.browser() as ann, server.browser() as bob:
        await ann.get("/api/me")
        path = f"/api/documents/{(await ann.post('/api/documents', json={})).json()['id']}"
        assert (await ann.get(path)).json()["role"] == "owner"
        assert (await bob.get(path)).json()["role"] == "editor"


async def test_the_key_is_kept_where_all_nodes_find_it() -> None:
    store = memory_store()
    async with whole_server(store=store) as one, whole_server(store=store) as two:
        async with one.browser() as browser:
            answer = await browser.get("/api/me")
        async with httpx.AsyncClient(base_url=two.url, cookies=answer.cookies) as browser:
            assert (await browser.get("/api/me")).json() == answer.json()


async def test_the_operators_key_stands_above_the_kept_one() -> None:
    store = memory_store()
    async with (
        whole_server(PeopleSettings(secret_key="a" * 32), store=store) as one,
        whole_server(PeopleSettings(secret_key="b" * 32), store=store) as two,
        one.browser() as browser,
    ):
        answer = await browser.get("/api/me")
        async with httpx.AsyncClient(base_url=two.url, cookies=answer.cookies) as other:
            assert (await other.get("/api/me")).json()["user"]["id"] != answer.json()["user"]["id"]


async def test_guests_bring_no_tokens() -> None:
    async with whole_server() as server, server.browser() as browser:
        assert (await browser.post("/api/session", json={"token": "x"})).status_code == 403
        assert (await browser.get("/sign-in")).status_code in (404, 503)


async def test_another_sites_page_borrows_no_cookie() -> None:
    async with whole_server() as server, server.browser() as browser:
        me = (await browser.get("/api/me")).json()
        for headers in (
            {"Origin": "https://evil.example"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ):
            refused = await browser.patch("/api/me", json={"name": "Mallory"}, headers=headers)
            assert refused.status_code == 403
        assert (await browser.get("/api/me")).json() == me


def test_what_is_shown_of_credentials_in_a_traceback_tells_no_secret() -> None:
    shown = [
        repr(Credentials("the-secret", "the-secret", Guest())),
        repr(Cookie("manyhands", "the-secret", 1)),
        repr(Authenticate(None, "the-secret")),
        repr(Greeting(Guest(), "the-secret")),
        repr(VerifyingKey(b"the-secret", "HS256")),
    ]
    assert "the-secret" not in str(shown)
