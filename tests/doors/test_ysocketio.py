"""Stock clients of y-socket.io at our door: the very package that applications install."""

import json
from random import Random
from typing import Any

import aiohttp
import pytest

from crdt.ids import ClientId, DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol import yprotocols as y
from server.config.people import PeopleSettings
from server.doors import yjs_door
from tests.doors.stock import Stock, stock_clients
from tests.harness import live_server
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
DOCUMENT = DocumentId("a-document-of-this-story")
JWT = PeopleSettings(auth="jwt", jwt_secret=SECRET)
EVENT = '451-/yjs|room,["sync-update",{"_placeholder":true,"num":0}]'
ASK = '451-/yjs|room,0["sync-step-1",{"_placeholder":true,"num":0}]'
# Client 7 goes on at clock 5, which nobody has seen.
GAP = bytes([1, 1, 7, 5, 4, 1, 1, 97, 1, 98, 0])


def token(who: str = "ann", **claims: Any) -> str:
    return signed(sub=who, name=who, **claims)


async def comes(stock: Stock, who: str, room: str, **options: Any) -> None:
    await stock.open(who, room, "y-socket.io", **options)


async def calls(stock: Stock, who: str, room: str, **options: Any) -> dict[str, Any]:
    """Connect, and return what a client sees that is refused."""
    await stock.do("open", who, version="y-socket.io", url=stock.url, room=room, **options)
    return await stock.sees(who, lambda seen: seen["denied"] or seen["ends"])


@pytest.mark.parametrize("way", ["fast_lane", "any_server", "polling", "upgrade"])
async def test_two_stock_clients_and_a_native_one_write_one_document_and_see_each_other(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "any_server":
        monkeypatch.setattr(live_server, "websocket_protocol", lambda: "websockets-sansio")
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        options = {"polling": {"transports": ["polling"]}, "upgrade": {"transports": ["polling", "websocket"]}}
        await comes(stock, "anna", "our room/ä", **options.get(way, {}))
        await comes(stock, "bert", "our room/ä")
        document_id = str(await server.store.catalogue.named("our room/ä"))
        assert "error" not in (joined := await nora.join(document_id)), joined
        await stock.types("anna", "one ")
        await stock.reads("bert", "one ")
        await nora.hears("update")
        await nora.ask("update", document_id, nora.types("two "))
        await stock.reads("anna", "one two ")
        await stock.reads("bert", "one two ")
        own = str((await stock.do("look", "anna"))["own"])
        await stock.do("show", "anna", state={"user": {"name": "Anna", "hat": 1}, "cursor": {"at": 4}})
        seen = await stock.sees("bert", lambda seen: seen["states"].get(own, {}).get("cursor"))
        assert (seen["states"][own]["user"]["name"], seen["states"][own]["user"]["hat"]) == ("Anna", 1)
        while not (heard := await nora.hears("presence"))[1][0]["state"].get("cursor"):
            pass
        assert (str(heard[1][0]["client_id"]), heard[1][0]["user"]["name"]) == (own, "Anna")
        await nora.ask("presence", document_id, {"state": {"cursor": {"at": 2}}})
        noras = str(nora.doc.client_id)
        assert (await stock.sees("bert", lambda seen: seen["states"].get(noras)))["states"][noras]["user"][
            "name"
        ] == "Nora"
        await stock.do("close", "anna")
        await stock.sees("bert", lambda seen: own not in seen["states"])


async def test_an_update_comes_back_when_it_is_durable_and_not_before() -> None:
    store = memory_store()
    log = SlowLog(store.log)
    store.log = log  # type: ignore[assignment]
    async with whole_server(store=store) as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "room")
        await comes(stock, "bert", "room")
        log.stop()
        await stock.types("anna", "kept?")
        await until(lambda: log.waiting > 0)
        assert (await stock.do("look", "anna"))["echoes"] == 0
        assert (await stock.do("look", "bert"))["text"] == ""
        log.go_on()
        await stock.sees("anna", lambda seen: seen["echoes"] == 1)
        await stock.reads("bert", "kept?")


async def test_what_was_written_offline_comes_once_the_client_is_back() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "room")
        await comes(stock, "bert", "room")
        await stock.types("anna", "before ")
        await stock.do("close", "anna")
        await stock.sees("anna", lambda seen: not seen["connected"])
        await stock.types("anna", "off")
        await stock.types("anna", "line ")
        await stock.types("bert", "meanwhile ")
        await stock.do("connect", "anna")
        await stock.sees("bert", lambda seen: "offline" in seen["text"])
        await stock.sees("anna", lambda seen: "meanwhile" in seen["text"])
        assert (await stock.do("look", "anna"))["ends"] == []


async def test_a_token_by_the_auth_option_and_none_and_a_bad_one_and_no_access() -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), link_role=None)
        named = token(documents={DOCUMENT: "editor"})
        await comes(stock, "ann", DOCUMENT, auth={"token": named})
        await stock.types("ann", "hello")
        await stock.sees("ann", lambda seen: seen["echoes"] == 1)
        for who, auth in (("nobody", {}), ("liar", {"token": named[:-4] + "AAAA"})):
            assert (await calls(stock, who, DOCUMENT, auth=auth))["denied"]
        assert "MANYHANDS_ROOMS_BY_NAME" in (await calls(stock, "ann", "any name", auth={"token": named}))["denied"][0]
        seen = await calls(stock, "stranger", DOCUMENT, auth={"token": token()})
        assert [each["code"] for each in seen["ends"]] == ["not_found"]
        # Whom coming back does not help stays away.
        seen = await stock.sees("stranger", lambda seen: seen["closes"])
        assert seen["closes"] == ["io server disconnect"]


async def test_a_reader_reads_and_what_a_reader_writes_is_dropped_until_it_may_be_written() -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), owner="owner", link_role=None)
        await server.store.sharing.grant(DOCUMENT, "reader", Role.VIEWER)
        await comes(stock, "owner", DOCUMENT, auth={"token": token("owner")})
        await comes(stock, "reader", DOCUMENT, auth={"token": token("reader")})
        await stock.types("reader", "mine ")
        await stock.types("owner", "theirs ")
        await stock.sees("reader", lambda seen: "theirs" in seen["text"] and "mine" in seen["text"])
        assert (await stock.do("look", "owner"))["text"] == "theirs "
        async with server.browser() as browser:
            owner = {"Authorization": f"Bearer {token('owner')}"}
            path = f"/api/documents/{DOCUMENT}/people/reader"
            assert (await browser.put(path, json={"role": "editor"}, headers=owner)).is_success
        await stock.sees("owner", lambda seen: "theirs" in seen["text"] and "mine" in seen["text"])


async def test_a_sign_in_that_runs_out_and_a_document_that_is_deleted_end_it_for_good() -> None:
    async with whole_server(JWT) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), owner="ann")
        await comes(stock, "ann", DOCUMENT, auth={"token": token()})
        seen = await calls(stock, "soon", DOCUMENT, auth={"token": token(exp=server.clock.seconds + 0.2)})
        assert [each["code"] for each in seen["ends"]] == ["unauthenticated"]
        async with server.browser() as browser:
            headers = {"Authorization": f"Bearer {token()}"}
            assert (await browser.post(f"/api/documents/{DOCUMENT}/trash", headers=headers)).is_success
            assert (await browser.delete(f"/api/documents/{DOCUMENT}", headers=headers)).is_success
        seen = await stock.sees("ann", lambda seen: seen["closes"])
        assert ([each["code"] for each in seen["ends"]], seen["closes"]) == (["deleted"], ["io server disconnect"])


async def test_an_update_with_a_gap_ends_the_connection_and_comes_again_whole() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "room")
        await stock.types("anna", "before ")
        await stock.do("send", "anna", bytes=["sync-update", list(GAP)])
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert ([each["code"] for each in seen["ends"]], seen["closes"]) == (["missing_past"], ["transport close"])
        await stock.types("anna", "after")
        await comes(stock, "bert", "room")
        await stock.reads("bert", "before after")


@pytest.mark.parametrize("way", ["fast_lane", "any_server"])
async def test_a_document_of_many_parts_comes_whole_and_with_what_is_written_meanwhile(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "any_server":
        monkeypatch.setattr(live_server, "websocket_protocol", lambda: "websockets-sansio")
    async with whole_server() as server, stock_clients(server.url) as stock:
        long = "".join(f"line {number} of many\n" for number in range(60_000))
        await comes(stock, "anna", "long")
        await stock.types("anna", long)
        await stock.sees("anna", lambda seen: seen["echoes"])
        await comes(stock, "bert", "long")
        await stock.types("anna", "end")
        await stock.sees("bert", lambda seen: seen["length"] == len(long) + 3)


async def test_cursors_are_told_again_before_clients_forget_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yjs_door, "RENEWAL_SECONDS", 0.02)
    async with whole_server() as server, stock_clients(server.url) as stock, person(server, name="Nora") as nora:
        await comes(stock, "anna", "room")
        document_id = str(await server.store.catalogue.named("room"))
        await nora.join(document_id)
        await nora.ask("presence", document_id, {"state": {"cursor": 1}})
        own = str(nora.doc.client_id)
        before = await stock.sees("anna", lambda seen: own in seen["clocks"])
        await stock.sees("anna", lambda seen: seen["clocks"][own] > before["clocks"][own] + 2)


async def test_a_server_that_stops_sends_everybody_away_to_come_back() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "room")
        await stock.types("anna", "last words")
        await server.app.stop()
        seen = await stock.sees("anna", lambda seen: seen["closes"])
        assert ([each["code"] for each in seen["ends"]], seen["closes"]) == (["draining"], ["transport close"])


async def until_gone(server: WholeServer, *messages: str | bytes) -> list[str | bytes]:
    """Send messages of a stranger; return what comes until the connection ends."""
    heard: list[str | bytes] = []
    address = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as stranger:
        for message in messages:
            await (stranger.send_str(message) if isinstance(message, str) else stranger.send_bytes(message))
        while (answer := await stranger.receive()).type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            heard.append(answer.data)
    return heard


@pytest.mark.parametrize(
    "messages",
    [
        ("40/yjs|room,", "40/yjs|room,"),
        ("40/yjs|room,", '42["update"]'),
        ("40/yjs|room,", '42/yjs|other,["sync-update"]'),
        ("40/yjs|room,", '42/yjs|room,["sync-update"]'),
        ("40/yjs|room,", ASK, b"\xff"),
        ("40/yjs|room,", ASK, b"\0", EVENT, b"\x09\x09"),
        ("40/yjs|room,", ASK, b"\0", '451-/yjs|room,["awareness-update",{"_placeholder":true,"num":0}]', b"\x05"),
        ("40/yjs|room,", '43/yjs|room,0["words"]'),
        ("40/yjs|room,", "461-/yjs|room,0[]", b"\0"),
        ("40/yjs|room,", '451-/yjs|room,["sync-update",{"_placeholder":true,"num":1}]', b"\0"),
        ("40", '461-0[{"_placeholder":true,"num":0}]', b"\0"),
    ],
)
async def test_what_is_no_message_ends_the_connection_and_nobody_elses(messages: tuple[str | bytes, ...]) -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "room")
        await until_gone(server, *messages)
        await stock.types("anna", "goes on")
        await stock.sees("anna", lambda seen: seen["echoes"] == 1)
        assert "internal" not in server.app.gateway.protocol_errors


async def test_random_messages_harm_nobody_else() -> None:
    random = Random(7)
    events = ("sync-step-1", "sync-update", "awareness-update", "closed", "")
    address = "/socket.io/?EIO=4&transport=websocket"
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await comes(stock, "anna", "room")
        for _ in range(60):
            async with http.ws_connect(server.url + address) as stranger:
                await stranger.send_str("40/yjs|room,")
                await stranger.send_str(ASK)
                await stranger.send_bytes(b"\0")
                for _ in range(3):
                    event = json.dumps([random.choice(events), {"_placeholder": True, "num": 0}])
                    await stranger.send_str(f"4{random.choice((5, 6))}1-/yjs|room,{random.randrange(9)}{event}")
                    await stranger.send_bytes(random.randbytes(random.choice((0, 1, 9, 40))))
        await stock.types("anna", "goes on")
        await stock.sees("anna", lambda seen: seen["echoes"] == 1)
        assert "internal" not in server.app.gateway.protocol_errors


async def test_a_second_room_on_one_connection_is_refused_with_a_sentence() -> None:
    async with whole_server() as server, aiohttp.ClientSession() as http:
        async with http.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket") as stranger:
            for namespace in ("/yjs|one", "/yjs|two"):
                await stranger.send_str(f"40{namespace},")
            heard = [await stranger.receive_str() for _ in range(3)]
        assert heard[1].startswith("40/yjs|one,")
        assert heard[2].startswith('44/yjs|two,{"message":"One connection has one document')


async def test_a_stranger_who_says_somebodys_client_id_puts_nobody_out() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock, aiohttp.ClientSession() as http:
        await comes(stock, "anna", "room")
        await stock.do("show", "anna", state={"cursor": 1})
        await stock.open("bert", "room", "hocuspocus-4")
        own = (await stock.do("look", "anna"))["own"]
        await stock.sees("bert", lambda seen: str(own) in seen["states"])
        async with http.ws_connect(f"{server.url}/socket.io/?EIO=4&transport=websocket") as stranger:
            await stranger.send_str("40/yjs|room,")
            await stranger.send_str(ASK)
            await stranger.send_bytes(b"\0")
            await stranger.send_str('451-/yjs|room,["awareness-update",{"_placeholder":true,"num":0}]')
            await stranger.send_bytes(y.encode_states([(ClientId(own), 90, {"cursor": "stolen"})]))
            await stranger.send_str(ASK)
            await stranger.send_bytes(b"\0")
            for _ in range(2):
                while not str((await stranger.receive()).data).startswith("461-"):
                    pass
        seen = await stock.do("look", "bert")
        assert seen["states"][str(own)]["cursor"] == 1
        assert (await stock.do("look", "anna"))["closes"] == []


async def test_clients_that_are_refused_for_now_come_back() -> None:
    async with whole_server() as server, stock_clients(server.url) as stock:
        server.app.ysocketio.draining = True
        await stock.do("open", "anna", version="y-socket.io", url=stock.url, room="room", reconnectionDelay=10)
        await stock.sees("anna", lambda seen: seen["closes"])
        server.app.ysocketio.draining = False
        await stock.sees("anna", lambda seen: seen["synced"])
        assert (await stock.do("look", "anna"))["denied"] == []


async def test_who_takes_nothing_of_a_long_document_is_cut_though_cursors_are_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(yjs_door, "RENEWAL_SECONDS", 0.02)
    async with whole_server() as server, stock_clients(server.url) as stock:
        await comes(stock, "anna", "long")
        await stock.types("anna", "x" * 12 * 2**20)
        await stock.sees("anna", lambda seen: seen["echoes"])
        server.app.gateway.reception.sweeper.stall_seconds = 2
        with log_lines() as lines:
            async with deaf_socket(server.port, greeting="40/yjs|long,") as deaf_one:
                await deaf_one.say(ASK.replace("room", "long"), b"\0")
                await until(lambda: len(server.app.ysocketio.connections) == 2)
                await until(lambda: len(server.app.ysocketio.connections) == 1)
        # And not because it missed a ping, much later.
        assert "reads nothing that it is sent" in [line.get("reason") for line in lines]
        assert (await stock.do("look", "anna"))["closes"] == []
