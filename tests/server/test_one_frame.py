"""Protocols 2 and 3 at the gateway: updates in one frame each, beside clients of protocol 1, over both transports."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from pycrdt import Doc, Text

from crdt.protocol.batch import encode_batch
from crdt.yjs.varint import read_varuint, sized, varuint
from tests.harness.live_server import LiveServer, serving
from tests.harness.raw_socket import RawSocket, raw_socket

pytestmark = pytest.mark.usefixtures("both_ways")


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


def typed(client_id: int, words: str) -> bytes:
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get("text", type=Text).insert(0, words)
    return encode_batch([doc.get_update()])


def in_one_frame(document_id: str, ack_id: int, batch: bytes, after: int | None = None) -> bytes:
    row = 0 if after is None else after + 1
    return b"\1" + sized(document_id.encode()) + varuint(ack_id) + varuint(row) + batch


def row_in(frame: bytes, document_id: str) -> tuple[int, bytes]:
    head = b"\1" + sized(document_id.encode())
    assert frame.startswith(head)
    seq, at = read_varuint(frame, len(head))
    return seq, frame[at:]


async def next_row(socket: RawSocket) -> bytes:
    """The next binary frame. No text announces it."""
    while isinstance(frame := await socket.receive(), str):
        assert not frame.startswith("45")
    return frame


async def presence(socket: RawSocket) -> Any:
    return (await socket.receive_event("presence"))[2]


async def test_new_and_old_clients_are_in_one_document(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with raw_socket(server.port) as alice, raw_socket(server.port) as bob:
        await alice.connected('{"protocol":1,"newest":2,"guest":{"name":"Alice"}}')
        await bob.connected('{"protocol":1,"guest":{"name":"Bob"}}')
        await alice.join(document_id, 1)
        for _ in ("what is missing", "the state vector"):
            assert isinstance(await alice.receive(), bytes)
        await bob.join(document_id, 2)

        words = typed(1, "hi")
        await alice.send(in_one_frame(document_id, 3, words, after=0))
        assert await alice.answer_to(3) == {"seq": 1}
        assert await bob.receive_event("update") == ["update", document_id, 1, {"_placeholder": True, "num": 0}]
        assert await bob.receive() == words

        words = typed(2, "hello")
        await bob.send(f'451-4["update","{document_id}",1,{{"_placeholder":true,"num":0}}]', words)
        assert await bob.answer_to(4) == {"seq": 2}
        assert row_in(await next_row(alice), document_id) == (2, words)

        for at in (1, 2):
            await bob.ask(5, "presence", document_id, {"state": {"at": at}})
            (change,) = await presence(alice)
            assert change["state"] == {"at": at}
            assert ("user" in change) == ("client_id" in change) == (at == 1)
        for at in (1, 2):
            await alice.ask(6, "presence", document_id, {"state": {"at": at}})
            while (change := (await presence(bob))[0])["user"]["name"] != "Alice":
                pass  # his own
            assert (change["client_id"], change["state"]) == (1, {"at": at})


async def test_a_cursor_is_told_to_each_as_they_speak(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with AsyncExitStack() as stack:
        alice, bob, carol, dave = [await stack.enter_async_context(raw_socket(server.port)) for _ in range(4)]
        for client_id, (protocol, person) in enumerate(((1, alice), (2, bob), (3, carol), (3, dave))):
            await person.connected(f'{{"protocol":{protocol}}}')
            await person.join(document_id, client_id + 1)
        for clock in (1, 2):
            place = {"type": None, "tname": None, "item": {"client": 1, "clock": clock}, "assoc": 0}
            state = {"color": "#00695c", "cursor": {"anchor": place, "head": place}}
            await dave.ask(5, "presence", document_id, {"state": state})
            ((of_old,), (brief,), (short,)) = [await presence(listener) for listener in (alice, bob, carol)]
            assert of_old["state"] == brief["state"] == state
            assert "user" in of_old
            if clock == 1:
                assert short == brief == of_old
            else:
                assert brief == {"presence_id": of_old["presence_id"], "state": state}
                assert short == [of_old["presence_id"], [[None, None, [1, 2], 0]]]


@pytest.mark.parametrize(
    ("payload", "spoken"),
    [
        ("", None),
        ('{"protocol":1}', None),
        ('{"newest":1}', None),
        ('{"protocol":2}', 2),
        ('{"protocol":1,"newest":2}', 2),
        ('{"protocol":3}', 3),
        ('{"protocol":1,"newest":90}', 3),
    ],
)
async def test_the_answer_to_connect_names_what_is_spoken(server: LiveServer, payload: str, spoken: int | None) -> None:
    async with raw_socket(server.port) as alice:
        await alice.send("40" + payload)
        assert json.loads(str(await alice.receive())[2:]).get("protocol") == spoken


@pytest.mark.parametrize("payload", ['{"protocol":4}', '{"newest":0}', '{"newest":"2"}'])
async def test_a_protocol_that_is_none_is_refused(server: LiveServer, payload: str) -> None:
    async with raw_socket(server.port) as alice:
        await alice.send("40" + payload)
        answer = str(await alice.receive())
        assert answer.startswith("44")
        assert json.loads(answer[2:])["data"]["code"] == "malformed"


async def test_an_update_in_one_frame_is_refused_like_any_other(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with raw_socket(server.port) as alice:
        await alice.connected('{"protocol":2}')
        for ack_id, document, batch, code in (
            (1, document_id, typed(1, "hi"), "not_joined"),
            (2, "é", typed(1, "hi"), "malformed"),
            (3, document_id, bytes(300_000), "too_large"),
        ):
            await alice.send(in_one_frame(document, ack_id, batch))
            assert (await alice.answer_to(ack_id))["error"]["code"] == code
        await alice.join(document_id)
        await alice.send(in_one_frame(document_id, 4, b"\xff"))
        assert (await alice.answer_to(4))["error"]["code"] == "malformed"


@pytest.mark.parametrize(
    ("greeting", "frame"),
    [
        ("{}", in_one_frame("aaaaaaaa", 1, b"\1\0")),
        ('{"protocol":2}', b""),
        ('{"protocol":2}', b"\2" + in_one_frame("aaaaaaaa", 1, b"\1\0")[1:]),
        ('{"protocol":2}', b"\1\xff"),
        (None, in_one_frame("aaaaaaaa", 1, b"\1\0")),
    ],
    ids=["protocol 1", "empty", "another kind", "cut short", "before CONNECT"],
)
async def test_a_binary_frame_that_is_no_message_ends_the_connection(
    server: LiveServer, greeting: str | None, frame: bytes
) -> None:
    async with raw_socket(server.port) as alice:
        if greeting is not None:
            await alice.connected(greeting)
        await alice.send(frame)
        await alice.until_closed()


async def test_over_long_polling_an_update_is_one_packet(server: LiveServer) -> None:
    document_id = await server.new_document()
    async with httpx.AsyncClient(base_url=server.url) as http, raw_socket(server.port) as bob:
        at = "/socket.io/?EIO=4&transport=polling"
        at += "&sid=" + json.loads((await http.get(at)).text[1:])["sid"]
        waiting: list[str] = []

        async def receive(begin: str) -> str:
            while True:
                if not waiting:
                    waiting.extend((await http.get(at)).text.split("\x1e"))
                if (packet := waiting.pop(0)).startswith(begin):
                    return packet

        async def send(*packets: str | bytes) -> None:
            written = ["b" + base64.b64encode(each).decode() if isinstance(each, bytes) else each for each in packets]
            await http.post(at, content="\x1e".join(written))

        await send('40{"protocol":2}')
        await receive("40")
        options = '{"state_vector":{"_placeholder":true,"num":0},"client_id":1}'
        await send(f'451-1["join","{document_id}",{options}]', b"\0")
        for begin in ("46", "b", "b"):
            await receive(begin)
        await send(in_one_frame(document_id, 2, typed(1, "hi"), after=0))
        assert await receive("432") == '432[{"seq":1}]'

        await bob.connected('{"protocol":2}')
        await bob.join(document_id, 2)
        words = typed(2, "hello")
        await bob.send(in_one_frame(document_id, 3, words, after=1))
        assert row_in(base64.b64decode((await receive("b"))[1:]), document_id) == (2, words)
