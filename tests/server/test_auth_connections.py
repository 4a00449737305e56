"""Who a connection belongs to, from CONNECT to the end: tokens that run out and are renewed, cookies, and impostors."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus

from crdt.protocol.messages import User
from crdt.protocol.requests import Guest
from server.auth.base import Credentials, Identity
from server.auth.jwt import JwtAuthenticator
from server.auth.tokens import FixedKey, Rules, secret_key
from server.doors.native import GatewayLimits
from tests.harness.bell import PATIENCE, given_time
from tests.harness.live_server import LiveServer, guests, serving, until
from tests.harness.person import PatientClient, Person, ReadingSession, person
from tests.harness.raw_socket import raw_socket
from tests.harness.tokens import SECRET, token

MOMENT = 0.4
"""Seconds that a token holds which runs out in a test: enough to be brought, but on a slow machine, where it is told again."""


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    """One that takes tokens."""
    keys = FixedKey(secret_key(SECRET))
    async with serving(authenticator=JwtAuthenticator(keys, Rules(None, None), time.time)) as live:
        yield live


def lasting(seconds: float = 600, **claims: Any) -> str:
    return token(exp=time.time() + seconds, **claims)


def signed_in(server: LiveServer, text: str, transport: str = "websocket") -> AbstractAsyncContextManager[Person]:
    """Somebody with a token, who also claims to be somebody else."""
    return person(server, transport, name="Mallory", token=text)


async def refusal(server: LiveServer, payload: str, **options: Any) -> dict[str, Any]:
    async with raw_socket(server.port, **options) as late:
        await late.send("40" + payload)
        answer = str(await late.receive())
        assert answer.startswith("44"), answer
        error: dict[str, Any] = json.loads(answer[2:])["data"]
        return error


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_token_says_who_it_is_and_nobody_else_does(server: LiveServer, transport: str) -> None:
    document_id = await server.new_document()
    async with (
        signed_in(server, lasting(), transport) as ann,
        signed_in(server, lasting(sub="bob", name="Bob")) as bob,
    ):
        await bob.join(document_id)
        await ann.join(document_id)
        state = {"user": {"id": "bob", "name": "Bob", "color": "#000000"}, "name": "Bob"}
        await ann.ask("presence", document_id, {"state": state, "user": {"id": "bob"}, "presence_id": 1})
        while (change := (await bob.hears("presence"))[1][-1])["state"] is None:
            pass
        assert (change["user"]["id"], change["user"]["name"]) == ("ann", "Ann")
        renamed = await ann.ask("authenticate", {"guest": {"name": "Bob"}})
        assert renamed["error"]["code"] == "forbidden"


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        ("", "Send a token"),
        ('{"guest":{"name":"Ann"}}', "Send a token"),
        ('{"token":"x"}', "not a JWT"),
        ('{"token":"' + token(exp=1.0) + '"}', "expired"),
        ('{"token":"' + token(secret="another secret than the one that is set, of the same length", exp=9e9) + '"}', "signature"),
    ],
)  # fmt: skip
async def test_without_a_good_token_nobody_comes_in(server: LiveServer, payload: str, words: str) -> None:
    error = await refusal(server, payload)
    assert error["code"] == "unauthenticated"
    assert words in error["message"]
    assert server.gateway.connections == 0


@pytest.mark.slow
async def test_when_a_token_runs_out_its_sessions_end_until_a_fresh_one_comes(server: LiveServer) -> None:
    await given_time(lambda seconds: sessions_end_with_a_token(server, seconds), MOMENT)


async def sessions_end_with_a_token(server: LiveServer, seconds: float) -> bool:
    """Whose token holds for so long; False: that was over before it was there."""
    document_id = await server.new_document()
    runs_out = time.time() + seconds
    async with signed_in(server, lasting()) as ann:
        await ann.join(document_id)
        brought = await ann.ask("authenticate", {"token": token(exp=runs_out)})
        if time.time() >= runs_out:
            return False
        assert "user" in brought
        closed = await ann.hears("closed")
        assert (closed[0], closed[1]["code"]) == (document_id, "unauthenticated")
        for event, *arguments in (
            ("update", ann.types("late")),
            ("presence", {"state": {}}),
            ("join", {"state_vector": b"\0", "client_id": 1}),
            ("fetch", {"index": 0}),
        ):
            answer = await ann.ask(event, document_id, *arguments)
            assert answer["error"]["code"] == "unauthenticated"
        stale = await ann.ask("authenticate", {"token": token(exp=time.time() - 1)})
        assert stale["error"]["code"] == "unauthenticated"
        fresh = await ann.ask("authenticate", {"token": lasting()})
        assert fresh["user"]["id"] == "ann"
        assert (await ann.join(document_id))["missing"] == b"\0\0"  # nothing of what came too late
    return True


@pytest.mark.slow
async def test_a_token_brought_in_time_leaves_no_gap(server: LiveServer) -> None:
    await given_time(lambda seconds: nobody_notices_a_fresh_token(server, seconds), MOMENT)


async def nobody_notices_a_fresh_token(server: LiveServer, seconds: float) -> bool:
    """Renew a token that holds for so long; False: that was over before the fresh one was there."""
    document_id = await server.new_document()
    runs_out = time.time() + seconds
    first = token(exp=runs_out)
    async with (
        signed_in(server, lasting()) as ann,
        signed_in(server, lasting()) as other_page,
        signed_in(server, lasting(sub="bob")) as bob,
    ):
        for each in (bob, ann, other_page):
            await each.join(document_id)
        for page, text in ((other_page, first), (ann, first), (ann, lasting())):
            answer = await page.ask("authenticate", {"token": text})
            if time.time() >= runs_out:
                return False
            assert "user" in answer
        await other_page.hears("closed")  # by now the first token has run out
        assert await ann.ask("update", document_id, ann.types("still here")) == {"seq": 1}
        await bob.hears("update")
        assert str(bob.text) == "still here"
        heard = [ann.heard.get_nowait()[0] for _ in range(ann.heard.qsize())]
        assert "closed" not in heard
    return True


async def test_a_connection_never_becomes_somebody_elses(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with signed_in(server, lasting()) as ann, signed_in(server, lasting(sub="bob")) as bob:
        await bob.join(document_id)
        await ann.join(document_id)
        refused = await ann.ask("authenticate", {"token": lasting(sub="bob")})
        assert refused["error"]["code"] == "forbidden"
        await ann.ask("presence", document_id, {"state": {"cursor": 1}})
        while (change := (await bob.hears("presence"))[1][-1])["state"] is None:
            pass
        assert change["user"]["id"] == "ann"


async def test_what_a_fresh_token_says_of_documents_holds_from_then_on(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with signed_in(server, lasting(documents={document_id: "owner"})) as ann:
        assert (await ann.join(document_id))["role"] == "owner"
        await ann.ask("authenticate", {"token": lasting(documents={document_id: "viewer"})})
        assert (await ann.hears("role"))[0] == document_id


async def test_a_token_may_be_shown_again_until_it_runs_out(server: LiveServer) -> None:
    old = lasting()
    async with signed_in(server, old) as ann:
        assert "user" in await ann.ask("authenticate", {"token": lasting(900)})
        assert "user" in await ann.ask("authenticate", {"token": old})
    async with signed_in(server, old):
        pass


@pytest.mark.parametrize("argument", [{}, {"token": 7}, {"token": "é"}, {"token": "x", "guest": {}}, {"guest": 7}])
async def test_odd_ways_to_authenticate_are_refused(server: LiveServer, argument: dict[str, Any]) -> None:
    async with signed_in(server, lasting()) as ann:
        answer = await ann.ask("authenticate", argument)
        assert answer["error"]["code"] in ("malformed", "forbidden")


async def test_a_guest_cannot_become_somebody_by_a_token() -> None:
    async with serving() as server, person(server) as guest:
        assert (await guest.ask("authenticate", {"token": lasting()}))["error"]["code"] == "forbidden"


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_the_cookie_of_the_handshake_says_who_a_guest_is(transport: str) -> None:
    ann = User("guest-ann", "Ann", "#123456")
    cookie = f"other=1; manyhands={guests().cookie(ann).value}"
    async with serving() as server, aiohttp.ClientSession() as http, person(server) as bob:
        document_id = await server.new_document()
        await bob.join(document_id)
        client = PatientClient(ReadingSession(http))
        await client.connect(server.url, headers={"Cookie": cookie}, transports=[transport])
        await client.call("join", (document_id, {"state_vector": b"\0", "client_id": 5}))
        await client.call("presence", (document_id, {"state": {"cursor": 1}}))
        while (change := (await bob.hears("presence"))[1][-1])["state"] is None:
            pass
        assert change["user"] == {"id": "guest-ann", "name": "Ann", "color": "#123456"}
        socket = client.eio.ws
        await client.disconnect()
        if socket is not None:
            socket._response.close()


async def test_another_sites_page_opens_no_socket_with_its_visitors_cookie() -> None:
    cookie = f"manyhands={guests().cookie(User('guest-ann', 'Ann', '#123456')).value}"
    async with serving() as server:
        with pytest.raises(InvalidStatus):
            async with raw_socket(server.port, origin="https://evil.example", additional_headers={"Cookie": cookie}):
                pass
        assert server.gateway.connections == server.gateway.handshakes == 0


class Slow:
    """An authenticator that takes its time, until it may go on."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def identify(self, credentials: Credentials) -> Identity:
        self.asked.set()
        await self.may_answer.wait()
        return Identity(User("ann", "Ann", "#123456"), "jwt")


@pytest.mark.parametrize("goes", [True, False])
async def test_whoever_is_gone_before_it_is_known_who_they_are_leaves_nothing_behind(goes: bool) -> None:
    """They hang up, or the time for CONNECT runs out."""
    await given_time(lambda seconds: nothing_is_left_behind(PATIENCE if goes else seconds, goes), 0.1)


async def nothing_is_left_behind(connect_seconds: float, goes: bool) -> bool:
    """False: the time for CONNECT was over before it was said."""
    slow = Slow()
    async with serving(authenticator=slow, limits=GatewayLimits(connect_seconds=connect_seconds)) as server:
        async with raw_socket(server.port) as ann:
            await ann.send("40")
            await until(lambda: slow.asked.is_set() or not server.gateway.handshakes)
            if not server.gateway.handshakes:
                return False
            assert (server.gateway.connections, server.gateway.handshakes) == (0, 1)
            if not goes:
                await ann.until_closed()
        slow.may_answer.set()
        await until(lambda: (server.gateway.connections, server.gateway.handshakes) == (0, 0))
        await until(lambda: not server.gateway.server.eio.sockets)
        async with raw_socket(server.port) as again:
            await again.connected()
            assert server.gateway.connections == 1
    return True


async def test_what_comes_behind_connect_waits_until_it_is_known_who_it_is() -> None:
    slow = Slow()
    async with serving(authenticator=slow) as server, raw_socket(server.port) as ann:
        document_id = await server.new_document()
        await ann.send("40")
        await ann.send_join(1, document_id)
        await slow.asked.wait()
        slow.may_answer.set()
        assert str(await ann.receive()).startswith("40")
        assert str(await ann.receive()).startswith("46")


async def test_a_cookie_is_forgotten_once_it_was_looked_at() -> None:
    seen: list[Credentials] = []

    class Watching(Slow):
        async def identify(self, credentials: Credentials) -> Identity:
            seen.append(credentials)
            return Identity(User("ann", "Ann", "#123456"), "jwt")

    headers = {"Cookie": "manyhands=secret"}
    async with serving(authenticator=Watching()) as server, raw_socket(server.port, additional_headers=headers) as ann:
        await ann.connected()
        assert seen == [Credentials("secret", None, Guest())]
        (connection,) = server.connections()
        assert connection.socket.take_cookie() is None
