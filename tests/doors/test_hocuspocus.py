"""Stock providers of Hocuspocus at our door: the very packages that applications install."""

import contextlib
import json
from functools import partial
from random import Random
from typing import Any

import aiohttp
import pytest

from crdt.ids import ClientId, DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.config import Config
from server.config.limits import ConnectionLimits
from server.config.people import PeopleSettings
from server.doors import hocuspocus, yjs_door
from server.doors.yjs_door import YjsDoor
from server.doors.yjs_end import End
from tests.doors.stock import Stock, stock_clients
from tests.harness.deaf_socket import deaf_socket
from tests.harness.live_server import until
from tests.harness.log_lines import log_lines
from tests.harness.memory_store import memory_store
from tests.harness.person import person
from tests.harness.slow_log import SlowLog
from tests.harness.tokens import SECRET
from tests.harness.tokens import token as signed
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow
VERSIONS = ("hocuspocus-2", "hocuspocus-3", "hocuspocus-4")
LATEST = VERSIONS[-1]
DOCUMENT = DocumentId("a-document-of-this-story")
OTHER = DocumentId("another-document-of-this")
JWT = PeopleSettings(auth="jwt", jwt_secret=SECRET)
STEP_1 = y.encode_step_1(b"\0")
YSOCKETIO_ASK = '451-/yjs|room,0["sync-step-1",{"_placeholder":true,"num":0}]'


def token(who: str = "ann", **claims: Any) -> str:
    return signed(sub=who, name=who, **claims)


async def documents(server: WholeServer, *document_ids: DocumentId, owner: str = "ann") -> None:
    for document_id in document_ids:
        await server.store.catalogue.create(document_id, "Title", Epoch(1), server.clock(), owner=owner, link_role=None)


async def is_saved(stock: Stock, *people: str) -> None:
    """Wait until a provider has nothing unsynced. Version 2 counts too little for work offline."""
    for who in people:
        await stock.sees(who, lambda seen: seen["unsynced"] <= 0)


@pytest.mark.parametrize("version", VERSIONS)
async def test_stock_providers_and_a_native_client_write_one_document_and_see_each_other(version: str) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        await stock.open("anna", "our room", version)
        await stock.open("bert", "our room", version)
        document_id = str(await server.store.catalogue.named("our room"))
        assert "error" not in (joined := await nora.join(document_id)), joined
        await stock.types("anna", "one ")
        await stock.reads("bert", "one ")
        await nora.hears("update")
        await nora.ask("update", document_id, nora.types("two "))
        await stock.reads("anna", "one two ")
        await stock.reads("bert", "one two ")
        await is_saved(stock, "anna", "bert")
        own = str((await stock.do("look", "anna"))["own"])
        await stock.do("show", "anna", state={"user": {"name": "Anna", "hat": 1}, "cursor": {"at": 4}})
        seen = await stock.sees("bert", lambda seen: seen["states"].get(own, {}).get("cursor"))
        assert (seen["states"][own]["user"]["name"], seen["states"][own]["user"]["hat"]) == ("Anna", 1)
        while not (heard := await nora.hears("presence"))[1][0]["state"].get("cursor"):
            pass
        assert (str(heard[1][0]["client_id"]), heard[1][0]["user"]["name"]) == (own, "Anna")
        await nora.ask("presence", document_id, {"state": {"cursor": {"at": 2}}})
        noras = str(nora.doc.client_id)
        seen = await stock.sees("bert", lambda seen: seen["states"].get(noras))
        assert seen["states"][noras]["user"]["name"] == "Nora"
        await stock.do("destroy", "anna")
        await stock.sees("bert", lambda seen: own not in seen["states"])
        for who in ("anna", "bert"):
            assert (await stock.do("look", who))["scopes"] == ["read-write"]


@pytest.mark.parametrize("version", VERSIONS)
async def test_unsynced_changes_are_those_that_are_not_durable(version: str) -> None:
    store = memory_store()
    log = SlowLog(store.log)
    store.log = log  # type: ignore[assignment]
    async with whole_server(store=store) as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room", version)
        await stock.open("bert", "room", version)
        await is_saved(stock, "anna")
        log.stop()
        await stock.types("anna", "kept")
        await stock.types("anna", "?")
        await until(lambda: log.waiting > 0)
        assert (await stock.do("look", "anna"))["unsynced"] == 2
        assert (await stock.do("look", "bert"))["text"] == ""
        log.go_on()
        await is_saved(stock, "anna")
        await stock.reads("bert", "kept?")


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_was_written_offline_is_unsynced_until_it_is_durable(version: str) -> None:
    store = memory_store()
    log = SlowLog(store.log)
    store.log = log  # type: ignore[assignment]
    async with whole_server(store=store) as server, stock_clients(server.url) as stock:
        await stock.open("bert", "room", version)
        await stock.open("anna", "room", version, socket="anna's")
        await stock.do("close", "anna")
        await stock.sees("anna", lambda seen: not seen["connected"])
        await stock.types("anna", "offline")
        log.stop()
        await stock.do("connect", "anna")
        await stock.sees("anna", lambda seen: seen["synced"])
        await until(lambda: log.waiting > 0)
        assert (await stock.do("look", "anna"))["unsynced"] > 0
        log.go_on()
        await is_saved(stock, "anna")
        await stock.reads("bert", "offline")


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_socket_holds_documents_with_a_token_each_and_leaves_them_one_by_one(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT, OTHER)
        for who, document_id in (("one", DOCUMENT), ("two", OTHER)):
            named = token(documents={document_id: "editor"})
            await stock.open(who, document_id, version, socket="shared", token=named)
            await stock.open(f"other {who}", document_id, LATEST, token=token())
            await stock.types(who, f"in {who}")
            await stock.reads(f"other {who}", f"in {who}")
        assert len(server.app.hocuspocus.connections) == 3
        await stock.do("destroy", "one")
        await until(lambda: len(server.app.hocuspocus.ends) == 3)
        await stock.types("other one", ", alone")
        await stock.types("other two", ", together")
        await stock.reads("two", "in two, together")
        assert (await stock.do("look", "one"))["text"] == "in one"
        await stock.open("one", DOCUMENT, version, socket="shared", token=token())
        await stock.reads("one", "in one, alone")


@pytest.mark.parametrize("version", VERSIONS)
async def test_bad_tokens_absent_documents_and_another_person_are_denied_and_the_rest_goes_on(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT, OTHER)
        await stock.open("ann", DOCUMENT, version, socket="shared", token=token())
        for who, room, shown in (
            ("liar", OTHER, token()[:-4] + "AAAA"),
            ("absent", "no-such-document-anywhere", token()),
            ("named", "any name", token()),
            ("bob", OTHER, token("bob")),
        ):
            await stock.do("open", who, version=version, url=stock.url, room=room, socket="shared", token=shown)
            seen = await stock.sees(who, lambda seen: seen["denied"])
            assert len(seen["denied"]) == 1, seen
            await stock.types(who, "lost on nobody")
        assert "MANYHANDS_ROOMS_BY_NAME" in (await stock.do("look", "named"))["denied"][0]
        await stock.do("open", "nobody", version=version, url=stock.url, room=DOCUMENT)
        assert (await stock.sees("nobody", lambda seen: seen["denied"]))["text"] == ""
        await stock.types("ann", "goes on")
        await is_saved(stock, "ann")
        assert (await stock.do("look", "ann"))["closes"] == []


async def test_a_token_in_the_address_does_for_providers_without_one() -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT)
        await stock.open("ann", DOCUMENT, "hocuspocus-2", parameters={"token": token()})
        await stock.open("ann again", DOCUMENT, LATEST, path=f"/hocuspocus?token={token()}")
        await stock.types("ann", "hello")
        await stock.reads("ann again", "hello")


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_reader_reads_and_what_a_reader_writes_is_unsynced_until_it_may_be_written(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT, owner="owner")
        await server.store.sharing.grant(DOCUMENT, "reader", Role.VIEWER)
        await stock.open("owner", DOCUMENT, version, token=token("owner"))
        await stock.open("reader", DOCUMENT, version, token=token("reader"))
        await is_saved(stock, "reader", "owner")
        assert (await stock.do("look", "reader"))["scopes"] == ["readonly"]
        await stock.types("reader", "my ")
        await stock.types("reader", "words ")
        await stock.types("owner", "theirs ")
        await stock.sees("reader", lambda seen: "theirs" in seen["text"] and "my words" in seen["text"])
        assert (await stock.do("look", "owner"))["text"] == "theirs "
        assert (await stock.do("look", "reader"))["unsynced"] == 2
        async with server.browser() as browser:
            owner = {"Authorization": f"Bearer {token('owner')}"}
            path = f"/api/documents/{DOCUMENT}/people/reader"
            assert (await browser.put(path, json={"role": "editor"}, headers=owner)).is_success
        await stock.sees("owner", lambda seen: "theirs" in seen["text"] and "my words" in seen["text"])
        await is_saved(stock, "reader")
        assert (await stock.do("look", "reader"))["scopes"] == ["readonly", "read-write"]


async def test_answers_are_kept_for_a_reader_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hocuspocus, "MOST_OWED", 5)
    async with whole_server(JWT) as server, aiohttp.ClientSession() as http:
        await documents(server, DOCUMENT, owner="owner")
        await server.store.sharing.grant(DOCUMENT, "reader", Role.VIEWER)
        head, update = h.head(DOCUMENT), bytes([0, 0, 7, 0, 4, 1, 1, 97, 1, 98, 0])
        async with http.ws_connect(f"{server.url}/hocuspocus?token={token('reader')}") as reader:
            await reader.send_bytes(head + STEP_1)
            for _ in range(50):
                await reader.send_bytes(head + y.encode_update(b"\1\1" + update[2:]))
            for _ in range(50):
                await hears(reader, head + h.NOT_SAVED)
            async with server.browser() as browser:
                owner = {"Authorization": f"Bearer {token('owner')}"}
                path = f"/api/documents/{DOCUMENT}/people/reader"
                assert (await browser.put(path, json={"role": "editor"}, headers=owner)).is_success
            await hears(reader, head + STEP_1)
            await reader.send_bytes(head + bytes([0, 1, 2, 0, 0]))
            for _ in range(5):
                await hears(reader, head + h.SAVED)
            await reader.send_bytes(h.PING)
            assert await reader.receive_bytes() == h.PONG


@pytest.mark.parametrize("version", VERSIONS[1:])  # version 2 sends no token but on connecting
async def test_who_was_denied_may_bring_a_better_token_behind_the_state_vector(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT)
        await stock.open("ann", DOCUMENT, LATEST, token=token())
        await stock.types("ann", "hello")
        given = {"version": version, "url": stock.url, "room": DOCUMENT}
        await stock.do("open", "late", **given, token=token()[:-4] + "AAAA")
        await stock.do("show", "late", state={"cursor": 1})
        await stock.sees("late", lambda seen: seen["denied"])
        await stock.do("token", "late", token=token())
        await stock.do("retry", "late")
        own = str((await stock.reads("late", "hello"))["own"])
        await is_saved(stock, "late")
        await stock.sees("ann", lambda seen: own in seen["states"])
        await stock.types("late", "!")
        await stock.reads("ann", "hello!")


async def test_what_a_reader_has_deleted_while_away_is_not_saved() -> None:
    async with whole_server(JWT) as server, aiohttp.ClientSession() as http:
        await documents(server, DOCUMENT, owner="owner")
        await server.store.sharing.grant(DOCUMENT, "reader", Role.VIEWER)
        head, url = h.head(DOCUMENT), f"{server.url}/hocuspocus?token="
        letters = bytes([1, 1, 7, 0, 4, 1, 1, 97, 2, 98, 98])
        async with http.ws_connect(url + token("owner")) as owner:
            await owner.send_bytes(head + STEP_1)
            await owner.send_bytes(head + y.encode_update(letters + bytes([1, 7, 1, 0, 1])))
            await hears(owner, head + h.SAVED)
        for deleted, answer in ((0, h.SAVED), (1, h.NOT_SAVED)):
            async with http.ws_connect(url + token("reader")) as reader:
                await reader.send_bytes(head + STEP_1)
                await reader.send_bytes(head + bytes([0, 1, 6, 0, 1, 7, 1, deleted, 1]))
                await hears(reader, head + answer)


async def hears(stranger: aiohttp.ClientWebSocketResponse, frame: bytes) -> None:
    """Wait for a frame."""
    while await stranger.receive_bytes() != frame:
        pass


@pytest.mark.parametrize("version", VERSIONS[1:])
async def test_a_fresh_token_is_asked_for_in_time(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hocuspocus, "most_ahead", lambda left: left)
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT)
        # The server asks at once, and the client has nothing fresher yet.
        await stock.open("ann", DOCUMENT, version, token=token(exp=server.clock.seconds + 1000))
        await stock.sees("ann", lambda seen: len(seen["scopes"]) == 2)
        (end,) = server.app.hocuspocus.ends.values()
        assert end.identity.expires_at == server.clock.seconds + 1000
        await stock.do("token", "ann", token=token(exp=server.clock.seconds + 2000))
        await stock.do("refresh", "ann")
        await until(lambda: end.identity.expires_at == server.clock.seconds + 2000)
        await stock.sees("ann", lambda seen: len(seen["scopes"]) == 4)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_token_that_runs_out_ends_its_document_alone(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT, OTHER)
        soon = token(exp=server.clock.seconds + 0.2)
        await stock.do("open", "soon", version=version, url=stock.url, room=OTHER, socket="shared", token=soon)
        await stock.open("ann", DOCUMENT, version, socket="shared", token=token())
        seen = await stock.sees("soon", lambda seen: seen["denied"])
        assert "run out" in seen["denied"][0]
        await stock.types("ann", "goes on")
        await is_saved(stock, "ann")


async def test_a_stateless_message_reaches_everybody_else_at_every_node_and_door_that_knows_them() -> None:
    network = MemoryBusNetwork()
    async with (
        whole_server(bus=MemoryBus(network)) as first,
        whole_server(bus=MemoryBus(network), store=first.store) as second,
        stock_clients(first.url) as stock,
        person(second, name="Nora") as nora,
    ):
        for at, version in enumerate(VERSIONS):
            await stock.open(version, "room", version, url=(first, second)[at % 2].url)
        await stock.open("why", "room", 3)
        await stock.open("socket", "room", "y-socket.io")
        document_id = str(await first.store.catalogue.named("room"))
        await nora.join(document_id)
        for at, version in enumerate(VERSIONS):
            await stock.do("say", version, words=f'{{"☂":{at}}}')
            _, payload, user = await nora.hears("broadcast")
            assert (payload.decode(), user["name"]) == (f'{{"☂":{at}}}', "Guest")
        assert await nora.ask("broadcast", document_id, b"from Nora") == {}
        async with second.browser() as browser:
            told = await browser.post(f"/api/v1/documents/{document_id}/broadcast", json={"payload": "saved"})
            assert (told.status_code, told.content) == (204, b"")
            for refused, status in ({"payload": "x" * 65537}, 413), ({"payload": "\ud800"}, 400), ({}, 400):
                content = json.dumps(refused).encode()
                told = await browser.post(
                    f"/api/v1/documents/{document_id}/broadcast",
                    content=content,
                    headers={"Content-Type": "application/json"},
                )
                assert (told.status_code, "payload" in told.text or status == 413) == (status, True)
        assert [(await nora.hears("broadcast"))[1]] == [b"saved"]
        said = [f'{{"☂":{at}}}' for at in range(3)]
        for at, version in enumerate(VERSIONS):
            heard = [each for each in said if each != said[at]] + ["from Nora", "saved"]
            await stock.sees(version, partial(_has_heard, heard))
        for who in ("why", "socket", *VERSIONS):
            await stock.types(who, f"{who} ")
        text = "why socket " + " ".join(VERSIONS) + " "
        await stock.sees("why", lambda seen: sorted(seen["text"].split()) == sorted(text.split()))
        assert first.app.gateway.protocol_errors == second.app.gateway.protocol_errors == {}


def _has_heard(messages: list[str], seen: dict[str, Any]) -> bool:
    return bool(seen["heard"] == messages)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_stateless_message_that_may_not_be_sent_is_dropped_and_the_log_says_why(version: str) -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await documents(server, DOCUMENT)
        await server.store.sharing.grant(DOCUMENT, "vera", Role.VIEWER)
        await stock.open("ann", DOCUMENT, version, token=token())
        await stock.open("vera", DOCUMENT, version, token=token("vera"))
        with log_lines() as lines:
            await stock.do("say", "vera", words="from a reader")
            await stock.do("say", "ann", words="x" * 65537)
            await stock.do("say", "ann", words="x" * 65536)
            await stock.do("send", "ann", bytes=[*h.head(DOCUMENT), 5, 1, 0xFF])
            await stock.do("say", "ann", words="last")
            seen = await stock.sees("vera", lambda seen: "last" in seen["heard"])
        assert seen["heard"] == ["x" * 65536, "last"]
        reasons = [line["reason"] for line in lines if line["event"] == "protocol_error"]
        assert len(reasons) == 3
        assert "You are a viewer of this document: you may not send messages" in reasons[0]
        assert "at most 65536 bytes" in reasons[1]
        assert "UTF-8" in reasons[2]
        await stock.types("ann", "goes on")
        await is_saved(stock, "ann")
        assert (await stock.do("look", "ann"))["closes"] == []


async def test_two_providers_of_one_document_on_one_socket() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        for who in ("left", "right"):
            await stock.open(who, "room", LATEST, socket="shared", sessionAwareness=True)
        await stock.types("left", "from the left ")
        await stock.reads("right", "from the left ")
        await stock.types("right", "and back")
        await stock.reads("left", "from the left and back")
        await is_saved(stock, "left", "right")
        assert len(server.app.hocuspocus.connections) == 1


async def test_what_is_deleted_ends_alone() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, server.browser() as browser:
        document_id = (await browser.post("/api/documents", json={})).json()["id"]
        await stock.open("anna", document_id, LATEST, socket="shared")
        await stock.open("bert", "room", LATEST, socket="shared")
        assert (await browser.post(f"/api/documents/{document_id}/trash")).status_code == 200
        assert (await browser.delete(f"/api/documents/{document_id}")).status_code == 204
        seen = await stock.sees("anna", lambda seen: seen["ends"])
        assert seen["ends"] == seen["denied"] == ["This document was deleted."]
        await stock.types("bert", "goes on")
        await is_saved(stock, "bert")


# Client 7 goes on at clock 5, which nobody has seen.
GAP = bytes([0, 2, 11, 1, 1, 7, 5, 4, 1, 1, 97, 1, 98, 0])


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_update_with_a_gap_ends_the_connection_and_comes_again_whole(version: str) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room", version)
        await stock.types("anna", "before ")
        await stock.do("send", "anna", bytes=list(h.head("room") + GAP))
        assert (await stock.sees("anna", lambda seen: seen["closes"]))["closes"][0][0] == 4500
        await stock.types("anna", "after")
        await stock.open("bert", "room", version)
        await stock.reads("bert", "before after")
        await is_saved(stock, "anna")


async def test_an_update_that_is_none_ends_its_document_alone() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "bad", LATEST, socket="shared")
        await stock.open("bert", "good", LATEST, socket="shared")
        await stock.do("send", "anna", bytes=list(h.head("bad") + bytes([0, 2, 3, 9, 9, 9])))
        assert (await stock.sees("anna", lambda seen: seen["ends"]))["closes"] == []
        await stock.types("anna", "is heard no more")
        await stock.types("bert", "goes on")
        await is_saved(stock, "bert")
        assert (await stock.do("look", "anna"))["unsynced"] == 1


async def frames_until_close(server: WholeServer, *frames: bytes) -> tuple[list[bytes], int | None, str]:
    """Send frames as a stranger; return what comes, and the close frame's code and reason."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{server.url}/hocuspocus") as stranger:
        for frame in frames:
            await stranger.send_bytes(frame)
        heard = []
        while (message := await stranger.receive()).type is aiohttp.WSMsgType.BINARY:
            heard.append(message.data)
        return heard, stranger.close_code, str(message.extra or "")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\x00",
        b"\xff",
        bytes([0, 0, 1, 0]),  # y-websocket's first message
        h.head("room"),
        h.head("room") + bytes([0, 2, 90, 1]),
        h.head("room") + bytes([1, 3, 200, 1, 1]),
        h.head("room") + bytes([2, 2, 0]),
        h.head("room") + bytes([4, 0, 1, 0]),  # from server to server
        h.head("room") + bytes([6, 1, 97]),
        h.head("room") + bytes([99]),
        h.head("room") + STEP_1 + b"\0",
        b"\x02\xff\xfe" + STEP_1,
        h.head("x" * 2000) + STEP_1,
    ],
)
async def test_what_is_no_message_ends_the_connection_with_a_sentence(frame: bytes) -> None:
    async with whole_server() as server:
        heard, code, reason = await frames_until_close(server, frame)
        assert (heard, code) == ([], 4400)
        assert reason.endswith(".")


async def test_who_opens_thousands_of_documents_gets_those_that_one_connection_may_hold() -> None:
    config = Config(connections=ConnectionLimits(max_documents_per_connection=5))
    async with whole_server(config=config) as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{server.url}/hocuspocus") as stranger:
            for number in range(1500):
                await stranger.send_bytes(h.head(f"room {number}") + STEP_1)
                await stranger.send_bytes(h.head(f"room {number}") + bytes([y.Kind.QUERY_AWARENESS]))
            await stranger.send_bytes(h.PING)
            while (await stranger.receive_bytes()) != h.PONG:
                assert len(server.app.hocuspocus.ends) <= 5
        await until(lambda: not server.app.hocuspocus.ends)


async def test_a_connection_without_a_document_is_ended() -> None:
    config = Config(connections=ConnectionLimits(connect_seconds=1))
    async with whole_server(config=config) as server:
        assert (await frames_until_close(server, h.head("room") + bytes([2, 0, 0])))[1] == hocuspocus.IDLE


async def test_a_stranger_who_says_somebodys_client_id_puts_nobody_out() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await stock.open("anna", "room", LATEST)
        await stock.do("show", "anna", state={"cursor": 1})
        await stock.open("bert", "room")
        own = (await stock.do("look", "anna"))["own"]
        await stock.sees("bert", lambda seen: str(own) in seen["states"])
        async with http.ws_connect(f"{server.url}/hocuspocus") as stranger:
            head = h.head("room")
            await stranger.send_bytes(head + STEP_1)
            stolen = y.encode_states([(ClientId(own), 90, {"cursor": "stolen"})])
            await stranger.send_bytes(head + y.encode_awareness(stolen))
            await stranger.send_bytes(head + bytes([7]))
            await stranger.send_bytes(h.PING)
            while (await stranger.receive_bytes()) != h.PONG:
                pass
        seen = await stock.do("look", "bert")
        assert seen["states"][str(own)]["cursor"] == 1
        assert (await stock.do("look", "anna"))["closes"] == []


async def test_a_document_of_many_parts_comes_whole_and_with_what_is_written_meanwhile() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        long = "".join(f"line {number} of many\n" for number in range(30_000))
        await stock.open("anna", "long", LATEST, socket="anna's")
        await stock.types("anna", long)
        await is_saved(stock, "anna")
        await stock.open("bert", "long", "hocuspocus-2")
        await stock.types("anna", "end")
        await stock.reads("bert", long + "end")


async def test_cursors_are_told_again_before_clients_forget_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yjs_door, "RENEWAL_SECONDS", 0.02)
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        await stock.open("anna", "room", LATEST)
        await nora.join(str(await server.store.catalogue.named("room")))
        await nora.ask("presence", str(await server.store.catalogue.named("room")), {"state": {"cursor": 1}})
        own = str(nora.doc.client_id)
        before = await stock.sees("anna", lambda seen: own in seen["clocks"])
        await stock.sees("anna", lambda seen: seen["clocks"][own] > before["clocks"][own] + 2)


@pytest.mark.parametrize("path", ["", "/", "/hocuspocus/", "/hocuspocus/any/where?document=room"])
async def test_addresses_that_providers_are_given(path: str) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room", LATEST, path=path, preserveTrailingSlash=True)
        await stock.types("anna", "here")
        await is_saved(stock, "anna")


async def test_a_server_that_stops_sends_everybody_away_to_come_back() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room", LATEST)
        await stock.types("anna", "last words")
        await server.app.stop()
        assert (await stock.sees("anna", lambda seen: seen["closes"]))["closes"][0][0] == 4503


async def test_a_provider_at_the_wrong_door_is_told_the_right_one() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        with log_lines() as lines:
            await stock.do("open", "anna", version=LATEST, url=stock.url, path="/y/room", room="room", token="secret")
            closes = (await stock.sees("anna", lambda seen: seen["closes"]))["closes"]
        assert closes[0] == [4400, y.WRONG_DOOR]
        assert ("protocol_error", y.WRONG_DOOR) in [(line["event"], line.get("reason")) for line in lines]
        assert "secret" not in str(lines)


async def test_random_messages_harm_nobody_else() -> None:
    random = Random(7)
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await stock.open("anna", "room", LATEST)
        for _ in range(60):
            async with http.ws_connect(f"{server.url}/hocuspocus") as stranger:
                await stranger.send_bytes(h.head("room") + STEP_1)
                for _ in range(3):
                    kind, rest = random.choice(range(11)), random.randbytes(random.choice((0, 1, 9, 40)))
                    await stranger.send_bytes(
                        h.head("room") + bytes([kind, random.choice((0, 1, 2, len(rest)))]) + rest
                    )
        await stock.types("anna", "goes on")
        await is_saved(stock, "anna")
        assert (await stock.do("look", "anna"))["closes"] == []
        assert "internal" not in server.app.gateway.protocol_errors


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/y/room", (STEP_1, bytes([3]))),
        ("/hocuspocus", (h.head("room") + STEP_1, h.head("room") + bytes([3]))),
        ("/socket.io/?EIO=4&transport=websocket", (YSOCKETIO_ASK, b"\0")),
    ],
)
async def test_who_asks_again_and_again_and_takes_nothing_has_one_answer_waiting(
    path: str, asks: tuple[str | bytes, ...]
) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room", LATEST)
        await stock.types("anna", "x" * 200_000)
        await is_saved(stock, "anna")
        greeting = "40/yjs|room," if path.startswith("/socket.io") else asks[0]
        async with deaf_socket(server.port, path, greeting) as deaf_one:
            for _ in range(100):
                await deaf_one.say(*asks)

            def deaf_ends() -> list[End[Any]]:
                ends = [end for door in doors_of(server) for end in door.ends.values()]
                return [end for end in ends if end.backlog > 0]

            await until(lambda: bool(deaf_ends()))
            (deaf,) = deaf_ends()
            await stock.types("anna", "goes on")
            await is_saved(stock, "anna")
            assert deaf.backlog < 2**20


def doors_of(server: WholeServer) -> tuple[YjsDoor[Any], ...]:
    return server.app.ywebsocket, server.app.hocuspocus, server.app.ysocketio


async def test_one_person_under_one_client_id_at_two_doors_is_at_the_later_one() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await stock.open("bert", "room", LATEST)

        def cursor(clock: int) -> bytes:
            return y.encode_awareness(y.encode_states([(ClientId(77), clock, {"cursor": clock})]))

        cookie = (await http.get(f"{server.url}/api/me")).headers["Set-Cookie"].partition(";")[0]
        headers = {"Cookie": cookie}
        async with http.ws_connect(f"{server.url}/y/room", headers=headers) as at_y_websocket:
            for message in (STEP_1, cursor(1)):
                await at_y_websocket.send_bytes(message)
            await stock.sees("bert", lambda seen: "77" in seen["states"])
            async with http.ws_connect(f"{server.url}/hocuspocus", headers=headers) as at_hocuspocus:
                for message in (STEP_1, cursor(2)):
                    await at_hocuspocus.send_bytes(h.head("room") + message)
                while (await at_y_websocket.receive()).type is aiohttp.WSMsgType.BINARY:
                    pass
                assert at_y_websocket.close_code == 4509
                async with http.ws_connect(f"{server.url}/y/room", headers=headers) as again:
                    for message in (STEP_1, cursor(3)):
                        await again.send_bytes(message)
                    # The other documents of that connection would go on.
                    while not (await at_hocuspocus.receive_bytes()).startswith(h.head("room") + bytes([2, 1])):
                        pass
                    await at_hocuspocus.send_bytes(h.PING)
                    assert await at_hocuspocus.receive_bytes() == h.PONG
                    await stock.sees("bert", lambda seen: "77" in seen["states"])


@pytest.mark.parametrize("size", [2**20 + 2**16, 2**24 + 2**13])
@pytest.mark.parametrize(
    ("path", "greeting"),
    [
        ("/y/room", ()),
        ("/hocuspocus", ()),
        ("/socket.io/?EIO=4&transport=websocket", (YSOCKETIO_ASK,)),
    ],
)
async def test_a_message_that_is_too_large_for_a_stranger_or_for_anybody_is_not_read(
    path: str, greeting: tuple[str, ...], size: int
) -> None:
    known = size > 2**24
    async with whole_server(None if known else JWT) as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(server.url + path, max_msg_size=0) as stranger:
            if known:
                await say_hello(stranger, path)
            for text in greeting:
                await stranger.send_str(text)
            with contextlib.suppress(ConnectionError):
                await stranger.send_bytes(bytes(size))
            while (await stranger.receive()).type in {aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT}:
                pass
            assert stranger.close_code in {1006, 1009, 4401}
        assert "internal" not in server.app.gateway.protocol_errors


async def say_hello(stranger: aiohttp.ClientWebSocketResponse, path: str) -> None:
    """Come in as a guest, and wait for the answer."""
    if path.startswith("/socket.io"):
        await stranger.send_str("40/yjs|room,")
        await stranger.receive()
    else:
        await stranger.send_bytes(STEP_1 if path.startswith("/y/") else h.head("room") + STEP_1)
    await stranger.receive()
