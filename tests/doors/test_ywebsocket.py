"""Stock clients of y-websocket at our door: the very packages that applications install."""

import signal
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crdt.ids import ClientId, DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol.yprotocols import encode_awareness, encode_states, encode_update
from server.config.people import PeopleSettings
from server.doors import yjs_door
from tests.doors.stock import stock_clients
from tests.harness import live_server
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store
from tests.harness.person import person
from tests.harness.postgres import PostgresServer
from tests.harness.redis_server import redis_server
from tests.harness.slow_log import SlowLog
from tests.harness.tokens import SECRET
from tests.harness.tokens import token as signed
from tests.harness.whole_server import WholeServer, whole_server
from tests.server.server_process import server_process

pytestmark = pytest.mark.slow
VERSIONS = (1, 2, 3, 4)
DOCUMENT = DocumentId("a-document-of-this-story")


def token(who: str = "ann", **claims: Any) -> str:
    return signed(sub=who, name=who, **claims)


async def new_document(server: WholeServer) -> str:
    async with server.browser() as browser:
        return str((await browser.post("/api/documents", json={})).json()["id"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_two_stock_clients_and_a_native_one_write_one_document_and_see_each_other(version: int) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        document_id = await new_document(server)
        assert "error" not in (joined := await nora.join(document_id)), joined
        await stock.open("anna", document_id, version)
        await stock.open("bert", document_id, version)
        await stock.types("anna", "one ")
        await stock.reads("bert", "one ")
        await nora.hears("update")
        await nora.ask("update", document_id, nora.types("two "))
        await stock.reads("anna", "one two ")
        await stock.reads("bert", "one two ")
        assert str(nora.text) == "one two "
        own = (await stock.do("look", "anna"))["own"]
        await stock.do(
            "show", "anna", state={"user": {"name": "Anna", "color": "#123456", "hat": 1}, "cursor": {"at": 4}}
        )
        seen = await stock.sees("bert", lambda seen: seen["states"].get(str(own), {}).get("cursor"))
        assert seen["states"][str(own)]["user"]["name"] == "Anna"
        assert seen["states"][str(own)]["user"]["hat"] == 1
        while not (heard := await nora.hears("presence"))[1][0]["state"].get("cursor"):
            pass
        assert (heard[1][0]["client_id"], heard[1][0]["user"]["name"]) == (own, "Anna")
        await nora.ask("presence", document_id, {"state": {"cursor": {"at": 2}}})
        seen = await stock.sees("bert", lambda seen: seen["states"].get(str(nora.doc.client_id)))
        assert seen["states"][str(nora.doc.client_id)]["user"]["name"] == "Nora"
        await stock.do("close", "anna")
        await stock.sees("bert", lambda seen: str(own) not in seen["states"])


async def test_rooms_by_any_name_are_made_once_and_are_the_same_for_everybody() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.do("open", "anna", version=3, url=stock.url, room="team notes/may")
        await stock.open("bert", "team%20notes/may", 1)
        await stock.types("anna", "in one room")
        await stock.reads("bert", "in one room")
        async with server.browser() as browser:
            document_id = await server.store.catalogue.named("team notes/may")
            await stock.open("carl", str(document_id))
            await stock.reads("carl", "in one room")
            assert (await browser.get(f"/api/documents/{document_id}")).json()["title"] == "team notes/may"
            assert (await browser.post(f"/api/documents/{document_id}/trash")).status_code == 200
            assert (await browser.delete(f"/api/documents/{document_id}")).status_code == 204
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert seen["closes"] == [[4404, "This document was deleted."]]
        # Version 1 comes back after every close, and must not make the document anew.
        seen = await stock.sees("bert", lambda seen: len(seen["closes"]) > 1)
        assert {code for code, _ in seen["closes"]} == {4404}


async def test_a_name_is_no_document_where_people_sign_in() -> None:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people) as server, stock_clients(server.url) as stock:
        await stock.do("open", "anna", version=3, url=stock.url, room="any name", params={"token": token()})
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert seen["closes"][0][0] == 4404
        assert "MANYHANDS_ROOMS_BY_NAME" in seen["closes"][0][1]


async def test_a_token_by_the_query_or_a_subprotocol_and_none_and_a_bad_one() -> None:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), link_role=None)
        named = token(documents={DOCUMENT: "editor"})
        await stock.open("query", DOCUMENT, params={"token": named})
        await stock.open("subprotocol", DOCUMENT, protocols=["manyhands", f"token.{named}"])
        await stock.types("query", "hello")
        await stock.reads("subprotocol", "hello")
        for who, params in (("nobody", {}), ("liar", {"token": named[:-4] + "AAAA"})):
            await stock.do("open", who, version=3, url=stock.url, room=DOCUMENT, params=params)
            assert (await stock.sees(who, lambda seen: seen["closes"]))["closes"][0][0] == 4401
        await stock.do("open", "stranger", version=3, url=stock.url, room=DOCUMENT, params={"token": token()})
        assert (await stock.sees("stranger", lambda seen: seen["closes"]))["closes"][0][0] == 4404


async def test_a_reader_reads_and_what_a_reader_writes_is_dropped_until_it_may_be_written() -> None:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), owner="owner", link_role=None)
        await server.store.sharing.grant(DOCUMENT, "reader", Role.VIEWER)
        await stock.open("owner", DOCUMENT, params={"token": token("owner")})
        await stock.open("reader", DOCUMENT, params={"token": token("reader")})
        await stock.types("reader", "mine ")
        await stock.types("owner", "theirs ")
        await stock.sees("reader", lambda seen: "theirs" in seen["text"] and "mine" in seen["text"])
        assert (await stock.do("look", "owner"))["text"] == "theirs "
        async with server.browser() as browser:
            owner = {"Authorization": f"Bearer {token('owner')}"}
            path = f"/api/documents/{DOCUMENT}/people/reader"
            assert (await browser.put(path, json={"role": "editor"}, headers=owner)).is_success
        # The server asks for what it has dropped.
        await stock.sees("owner", lambda seen: "theirs" in seen["text"] and "mine" in seen["text"])


async def test_an_update_comes_back_when_it_is_durable_and_not_before() -> None:
    store = memory_store()
    log = SlowLog(store.log)
    store.log = log  # type: ignore[assignment]
    async with whole_server(store=store) as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room of one")
        await stock.open("bert", "room of one")
        log.stop()
        await stock.types("anna", "kept?")
        await until(lambda: log.waiting > 0)
        assert (await stock.do("look", "anna"))["echoes"] == 0
        assert (await stock.do("look", "bert"))["text"] == ""
        log.go_on()
        await stock.sees("anna", lambda seen: seen["echoes"] == 1)
        await stock.reads("bert", "kept?")


async def test_what_came_back_survives_a_kill_and_the_rest_is_sent_again(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(server_process(tmp_path))
        stock = await stack.enter_async_context(stock_clients(server.url))
        await stock.open("anna", "diary", 3)
        await stock.open("bert", "diary", 1)
        await stock.types("anna", "before ")
        await stock.sees("anna", lambda seen: seen["echoes"])
        server.signal(signal.SIGKILL)
        await server.end()
        await stock.sees("anna", lambda seen: not seen["connected"])
        await stock.types("anna", "offline ")
        again = await stack.enter_async_context(server_process(tmp_path, "--port", str(server.port)))
        assert again.port == server.port
        await stock.reads("bert", "before offline ")
        await stock.open("carl", "diary", 2)
        await stock.reads("carl", "before offline ")


async def test_two_nodes_make_one_document_of_a_name_and_show_each_others_cursors(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    database = await postgres.new_schema()
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(redis_server())
        places = ("--database-url", database, "--redis-url", redis.url)
        one = await stack.enter_async_context(server_process(tmp_path / "one", *places))
        two = await stack.enter_async_context(server_process(tmp_path / "two", *places))
        stock = await stack.enter_async_context(stock_clients(one.url))
        there = two.url
        await stock.do("open", "anna", version=3, url=stock.url, room="plans")
        await stock.do("open", "bert", version=1, url=there, room="plans")
        await stock.sees("anna", lambda seen: seen["synced"])
        await stock.sees("bert", lambda seen: seen["synced"])
        await stock.types("anna", "from one ")
        await stock.reads("bert", "from one ")
        await stock.types("bert", "to two")
        await stock.reads("anna", "from one to two")
        own = str((await stock.do("look", "anna"))["own"])
        await stock.do("show", "anna", state={"cursor": 1})
        seen = await stock.sees("bert", lambda seen: own in seen["states"])
        assert seen["clocks"][own] == (await stock.do("look", "anna"))["clocks"][own]
        # She comes back through the other node, and her cursor with her.
        await stock.do("close", "anna")
        await stock.sees("bert", lambda seen: own not in seen["states"])
        await stock.do("open", "anna", version=3, url=there, room="plans")
        await stock.sees("anna", lambda seen: seen["synced"])
        await stock.do("show", "anna", state={"cursor": 2})
        await stock.do("show", "anna", state={"cursor": 3})
        await stock.sees("bert", lambda seen: seen["states"].get(own, {}).get("cursor") == 3)


@pytest.mark.parametrize("way", ["fast_lane", "any_server"])
async def test_a_document_of_many_parts_comes_whole_and_with_what_is_written_meanwhile(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "any_server":
        monkeypatch.setattr(live_server, "websocket_protocol", lambda: "websockets-sansio")
    async with whole_server() as server, stock_clients(server.url) as stock:
        long = "".join(f"line {number} of many\n" for number in range(30_000))
        await stock.open("anna", "long")
        await stock.types("anna", long)
        await stock.sees("anna", lambda seen: seen["echoes"])
        await stock.open("bert", "long", 1)
        await stock.types("anna", "end")
        await stock.reads("bert", long + "end")


@pytest.mark.parametrize(
    ("name", "frame", "code"),
    [
        # Client 7 goes on at clock 5, which nobody has seen.
        ("a gap", [0, 2, 11, 1, 1, 7, 5, 4, 1, 1, 97, 1, 98, 0], 4500),
        ("no update", [0, 2, 3, 9, 9, 9], 4400),
        ("no message", [9], 4400),
        ("cut short", [0, 2, 90, 1], 4400),
    ],
)
async def test_a_refused_message_ends_its_connection_with_a_code_and_nobody_elses(
    name: str, frame: list[int], code: int
) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room")
        await stock.open("bert", "room")
        await stock.do("send", "anna", bytes=frame)
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert seen["closes"][0][0] == code, name
        assert seen["closes"][0][1]
        await stock.types("bert", "goes on")
        await stock.open("carl", "room")
        await stock.reads("carl", "goes on")
        assert (await stock.do("look", "bert"))["closes"] == []


async def test_nobody_writes_under_the_client_id_of_somebody_elses_page() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, person(server) as nora:
        document_id = await new_document(server)
        join = {"state_vector": b"\0", "client_id": nora.doc.client_id, "key": "k" * 20}
        assert "error" not in await nora.ask("join", document_id, join)
        await nora.ask("update", document_id, nora.types("mine"))
        before = nora.doc.get_state()
        nora.types(", not yours")
        await stock.open("anna", document_id)
        await stock.do("send", "anna", bytes=list(encode_update(nora.doc.get_update(before))))
        assert (await stock.sees("anna", lambda seen: seen["closes"]))["closes"][0][0] == 4509


async def test_a_stranger_who_says_somebodys_client_id_puts_nobody_out() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await stock.open("anna", "room")
        await stock.do("show", "anna", state={"cursor": 1})
        await stock.open("bert", "room")
        own = (await stock.do("look", "anna"))["own"]
        await stock.sees("bert", lambda seen: str(own) in seen["states"])
        async with http.ws_connect(f"{server.url}/y/room") as stranger:
            await stranger.send_bytes(bytes([0, 0, 1, 0]))
            await stranger.send_bytes(encode_awareness(encode_states([(ClientId(own), 90, {"cursor": "stolen"})])))
            await stranger.send_bytes(bytes([3]))
            while (await stranger.receive_bytes())[0] != 1:
                pass
        seen = await stock.do("look", "bert")
        assert seen["states"][str(own)]["cursor"] == 1
        assert (await stock.do("look", "anna"))["closes"] == []


async def test_a_sign_in_that_runs_out_ends_the_connection() -> None:
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), owner="ann")
        soon = token(exp=server.clock.seconds + 0.2)
        await stock.do("open", "ann", version=3, url=stock.url, room=DOCUMENT, params={"token": soon})
        assert (await stock.sees("ann", lambda seen: seen["closes"]))["closes"][0][0] == 4401


async def test_cursors_are_told_again_before_clients_forget_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yjs_door, "RENEWAL_SECONDS", 0.02)
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        document_id = await new_document(server)
        await nora.join(document_id)
        await nora.ask("presence", document_id, {"state": {"cursor": 1}})
        await stock.open("anna", document_id)
        before = await stock.sees("anna", lambda seen: str(nora.doc.client_id) in seen["clocks"])
        own = str(nora.doc.client_id)
        await stock.sees("anna", lambda seen: seen["clocks"][own] > before["clocks"][own] + 2)


async def test_a_server_that_stops_sends_everybody_away_to_come_back() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await stock.open("anna", "room")
        await stock.types("anna", "last words")
        await server.app.stop()
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert seen["closes"][0][0] == 4503
        document_id = await server.store.catalogue.named("room")
        assert document_id is not None
        await stock.reads("anna", "last words")  # the client keeps them, whether they were saved or not


async def test_a_client_at_the_wrong_place_is_told_the_right_one() -> None:
    async with whole_server() as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/some-room")
        assert refused.value.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(f"{server.url}/y/room", headers={"Origin": "https://elsewhere.example"})
        assert refused.value.status == 403
