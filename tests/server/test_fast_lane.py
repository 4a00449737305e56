"""The fast lane under any cutting of the stream, and beside plain uvicorn: the same messages, in their order, whoever hears them."""

import asyncio
import os
import random
import tomllib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text
from websockets.frames import Frame, Opcode

from crdt.protocol.batch import encode_batch
from crdt.protocol.requests import Update, decode_request
from server.doors.native.connection import read_presence, read_update
from server.doors.native.engine.packets import StrictPacket
from server.doors.native.lane import fast_lane
from server.doors.native.lane.fast_lane import HOT_BYTES, FastLane, lane_of, websocket_protocol
from server.doors.native.lane.outlet import encode_frame
from tests.harness.bell import PATIENCE
from tests.harness.live_server import LiveServer, listening, serving
from tests.harness.log_lines import log_lines
from tests.harness.raw_socket import raw_socket

HEAD = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
ANNOUNCED = b'451-7["update","aaaaaaaa",{"_placeholder":true,"num":0}]'
LAST = b"the last one"


class Recorder:
    """An ASGI application, and a hearer that takes some of what it is offered; both write down what they get, into one list."""

    def __init__(self, chance: random.Random, takes: float) -> None:
        self._chance = chance
        self._takes = takes
        self._reading = False
        self.messages: list[str | bytes] = []
        self.heard = 0
        self.over = asyncio.Event()

    def hear(self, text: bytes, attachment: bytes | None) -> bool:
        if not self._reading or text == LAST or self._chance.random() >= self._takes:
            return False
        self.heard += 1
        alone = attachment is not None and not text
        self.messages += ([] if alone else [text.decode()]) + ([] if attachment is None else [attachment or ""])
        return True

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        lane = lane_of(send)
        if lane is not None:
            lane.hearer = self
        while True:
            self._reading = True
            event = await receive()
            self._reading = False
            if event["type"] != "websocket.receive":
                break
            self.messages.append(event.get("text") or event.get("bytes") or "")
            if self.messages[-1] == LAST.decode():
                break
            if self._chance.random() < 0.2:
                await asyncio.sleep(0)  # it takes its time over this one
        self.over.set()


def masked(opcode: Opcode, content: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, content, fin).serialize(mask=True)


def story(chance: random.Random) -> tuple[bytes, list[str | bytes]]:
    """Some of everything that a client may send, and the messages in it."""
    stream, messages = b"", list[str | bytes]()
    for number in range(chance.randrange(5, 25)):
        content = os.urandom(chance.choice([0, 1, 40, 125, 126, 300, HOT_BYTES, HOT_BYTES + 1, 70_000]))
        text = f"{number}{'.' * chance.choice([0, 1, 120, 130, HOT_BYTES])}"
        match chance.randrange(6):
            case 0 | 1:
                stream += masked(Opcode.TEXT, ANNOUNCED) + masked(Opcode.BINARY, content)
                messages += [ANNOUNCED.decode(), content or ""]
            case 2:
                stream += masked(Opcode.TEXT, text.encode())
                messages.append(text)
            case 3:
                stream += masked(Opcode.BINARY, content)
                messages.append(content or "")
            case 4:
                stream += (
                    masked(Opcode.TEXT, b"one ", fin=False) + masked(Opcode.PING, b"") + masked(Opcode.CONT, b"two")
                )
                messages.append("one two")
            case 5:
                stream += masked(Opcode.TEXT, ANNOUNCED) + masked(Opcode.PONG, b"!") + masked(Opcode.BINARY, content)
                messages += [ANNOUNCED.decode(), content or ""]
    return stream + masked(Opcode.TEXT, LAST), [*messages, LAST.decode()]


def cut(stream: bytes, chance: random.Random) -> list[bytes]:
    """In pieces, of which some are very short."""
    pieces = []
    while stream:
        length = chance.choice([1, 2, 7, 60, 5000, 100_000])
        pieces.append(stream[:length])
        stream = stream[length:]
    return pieces


async def tell(port: int, pieces: Sequence[bytes], recorder: Recorder, chance: random.Random) -> None:
    """Send a stream in pieces, each of them perhaps read before the next is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD)
    await reader.readuntil(b"\r\n\r\n")
    with suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            for _ in range(chance.choice([0, 0, 3])):
                await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await recorder.over.wait()
    writer.close()


@pytest.mark.parametrize("takes", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_lost_doubled_or_overtaken_however_the_stream_is_cut(seed: int, takes: float) -> None:
    chance = random.Random(seed)
    recorder = Recorder(chance, takes)
    async with listening(recorder, 2**20, FastLane) as port:
        stream, messages = story(chance)
        await tell(port, cut(stream, chance), recorder, chance)
    assert recorder.messages == messages
    assert takes or not recorder.heard


async def test_an_edit_in_one_piece_is_heard_without_asgi() -> None:
    """In two frames as well as in one."""
    recorder = Recorder(random.Random(1), 1.0)
    async with listening(recorder, 2**20, FastLane) as port:
        in_two = masked(Opcode.TEXT, ANNOUNCED) + masked(Opcode.BINARY, b"an edit")
        pieces = [in_two, masked(Opcode.BINARY, b"an edit by itself"), masked(Opcode.TEXT, LAST)]
        await tell(port, pieces, recorder, random.Random(1))
    assert recorder.heard == 2
    assert recorder.messages == [ANNOUNCED.decode(), b"an edit", b"an edit by itself", LAST.decode()]


BROKEN = {
    "unmasked": encode_frame(ANNOUNCED.decode()) + encode_frame(b"x"),
    "a reserved bit": b"\xc1" + masked(Opcode.TEXT, ANNOUNCED)[1:],
    "no such opcode": b"\x83" + masked(Opcode.TEXT, ANNOUNCED)[1:],
    "longer than any message": b"\x82\xff" + (2**62).to_bytes(8, "big") + b"mask" + b"x" * 1000,
    "a continuation of nothing": masked(Opcode.CONT, b"x"),
    "a message within another": masked(Opcode.TEXT, b"x", fin=False) + masked(Opcode.TEXT, ANNOUNCED),
    "no UTF-8": masked(Opcode.TEXT, b"\xff\xfe"),
    "a long ping": b"\x89" + masked(Opcode.TEXT, b"x" * 126)[1:],
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_what_breaks_the_rules_ends_the_connection_and_what_follows_is_not_heard(broken: str) -> None:
    recorder = Recorder(random.Random(1), 1.0)
    hot = masked(Opcode.TEXT, ANNOUNCED) + masked(Opcode.BINARY, b"an edit")
    async with listening(recorder, 2**20, FastLane) as port:
        await tell(port, [hot, BROKEN[broken] + hot], recorder, random.Random(1))
    assert recorder.messages == [ANNOUNCED.decode(), b"an edit"]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 2**16 - 1, 2**16])
@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
def test_frames_are_what_websockets_would_write(opcode: Opcode, length: int) -> None:
    content = b"x" * length
    written = encode_frame(content.decode() if opcode is Opcode.TEXT else content)
    assert written == Frame(opcode, content).serialize(mask=False)


ODD_TEXTS = [
    b'451-7["update","aaaaaaaa",{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",12,{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",0,{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",012,{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",-1,{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",9999999999999999,{"_placeholder":true,"num":0}]',
    b'451-["update","aaaaaaaa",{"_placeholder":true,"num":0}]',
    b'451-0123456789012345["update","aaaaaaaa",{"_placeholder":true,"num":0}]',
    b'451-7["update","a","aaaaaaaa",{"_placeholder":true,"num":0}]',
    b'451-7["update","a\xc3\xa9aaaaaaa",{"_placeholder":true,"num":0}]',
    b'451-7["update","aaaaaaaa",{"_placeholder":true,"num":1}]',
    b'451-7["update","aaaaaaaa",{"_placeholder":true,"num":0}] ',
    b'451-7["update","aaaaaaaa",{"_placeholder":true,"num":0}]\n',
    b'451-7["upload","aaaaaaaa",{"_placeholder":true,"num":0}]',
    b'42["presence","aaaaaaaa",{"state":null}]',
    b'4217["presence","aaaaaaaa",{"state":{"cursor":[1,"\xc3\xa9"]}}]',
    b'42["presence","aaaaaaaa",{"state":{"cursor":[1,"\xff"]}}]',
    b'42["presence",' + b"[" * 1000,
    b'42["presence","aaaaaaaa",{"state":NaN}]',
    b'42["leave","aaaaaaaa"]',
]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_what_is_read_as_hot_is_what_the_strict_packet_reads(text: bytes) -> None:
    if (update := read_update(text, b"edit")) is not None:
        packet = StrictPacket(encoded_packet=text[1:].decode())
        assert packet.add_attachment(b"edit")
        ack_id, document_id, after, batch = update
        assert packet.id == ack_id
        assert decode_request(packet.data[0], packet.data[1:]) == Update(document_id, batch, after)
    if (presence := read_presence(text)) is not None:
        packet = StrictPacket(encoded_packet=text[1:].decode())
        assert (packet.id, packet.data) == presence


def test_nobody_installs_other_releases_than_it_is_tried_with() -> None:
    """Neither with the lock file nor without it."""
    locked = Path("requirements.lock").read_text().split()
    asked_for = tomllib.loads(Path("pyproject.toml").read_text())["project"]["dependencies"]
    for name, tried in fast_lane.TRIED.items():
        assert f"{name}=={tried}" in locked
        assert f"{name}=={tried}" in asked_for


def test_beside_other_releases_the_ordinary_protocol_serves_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert websocket_protocol() is FastLane
    monkeypatch.setitem(fast_lane.TRIED, "uvicorn", "0.0.1")
    with log_lines() as lines:
        assert websocket_protocol() == "websockets-sansio"
    assert lines[0]["event"] == "fast_lane_off"


@asynccontextmanager
async def busy_server() -> AsyncIterator[tuple[LiveServer, str]]:
    async with serving() as server:
        yield server, await server.new_document()


async def test_an_edit_behind_a_join_in_one_piece_waits_for_it() -> None:
    async with busy_server() as (server, document), raw_socket(server.port) as alice:
        await alice.connected()
        await alice.send_join(1, document)
        doc: Doc[Any] = Doc(client_id=1)
        doc.get("text", type=Text).insert(0, "hello")
        edit = encode_batch([doc.get_update()])
        await alice.send(f'451-2["update","{document}",{{"_placeholder":true,"num":0}}]', edit)
        assert await alice.answer_to(2) == {"seq": 1}
