"""Forgers at each door: whatever a commenter forges is refused there, by name, and harms nobody.

A forger writes frames by hand. One connection sends all attacks that the judge knows, each from a
fresh replica, and behind each one an honest suggestion, which is taken.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import NamedTuple

import aiohttp
import pytest
from pycrdt import Map, Text, XmlElement, XmlText

from crdt.content.schema import SCHEMA
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import Format
from crdt.suggestions.views import view_of
from crdt.yjs.varint import sized
from server.config.people import PeopleSettings
from tests.harness import live_server
from tests.harness.bell import PATIENCE
from tests.harness.log_lines import log_lines
from tests.harness.suggester import (
    ATTACKS,
    HONEST,
    OURS_ALONE,
    Writer,
    comments_on_an_object,
    marks_words,
    proposes_of_a_block,
    suggests_words,
    types,
)
from tests.harness.tokens import SECRET
from tests.harness.tokens import token as signed
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow
DOCUMENT = DocumentId("a-document-of-this-story")
TOKENS = PeopleSettings(auth="jwt", jwt_secret=SECRET, secret_key="k" * 40)
FORMAT = Format(SCHEMA.name, SCHEMA.version)


def goes_on_in(root: str) -> Callable[[Writer], bool]:
    """Go on in a root beside the text, which names no root."""

    def act(writer: Writer) -> bool:
        writer.doc.get(root, type=Text).insert(2, "evil")
        return True

    return act


def sets_anew(writer: Writer) -> bool:
    writer.doc.get("settings", type=Map)["a"] = 2.0
    return True


def takes_from_beside(writer: Writer) -> bool:
    del writer.doc.get("title", type=Text)[1:3]
    return True


FORGED: dict[str, Callable[[Writer], bool]] = {
    **ATTACKS,
    **OURS_ALONE,
    "words in a root that is there": goes_on_in("title"),
    "deletion in a root that is there": takes_from_beside,
    "another value in a root that is there": sets_anew,
}


UNNAMED = "a refusal whose code the protocol does not tell"
AT_ONCE = 8
"""Attacks before the next honest suggestion, which shows that they have been dealt with."""


class Door(NamedTuple):
    """The frames of a client at a door, and what it is told.

    `told`: reads a frame. Returns True if it says that an update was taken, a refusal's code if it
    says that, or None.
    `refuses_each`: whether the protocol has a word for each refusal. The log has it in any case.
    """

    path: Callable[[str], str]
    begin: Callable[[str], list[str | bytes]]
    update: Callable[[bytes], list[str | bytes]]
    told: Callable[[str | bytes], bool | str | None]
    refuses_each: bool = True
    lane: bool = True


def _event(before: str, event: str, *arguments: object, compact: bool = True) -> str:
    separators = (",", ":") if compact else (", ", ": ")
    return f"451-{before}{json.dumps([event, *arguments, PLACE], separators=separators)}"


PLACE = {"_placeholder": True, "num": 0}
CLIENT_IDS = count(7)
FORMAT_AS_JSON = {"name": FORMAT.name, "version": FORMAT.version}
DECLARED = f"format={FORMAT.name}:{FORMAT.version}"


def _join() -> str:
    options = {"state_vector": PLACE, "client_id": next(CLIENT_IDS), "format": FORMAT_AS_JSON}
    return f"451-1{json.dumps(['join', DOCUMENT, options])}"


def _native_told(frame: str | bytes) -> bool | str | None:
    if not isinstance(frame, str) or not frame.startswith("432["):
        return None
    answer = json.loads(frame[3:])[0]
    return str(answer["error"]["code"]) if "error" in answer else True


def _native(*, lane: bool) -> Door:
    return Door(
        lambda _: "/socket.io/?EIO=4&transport=websocket",
        lambda shown: [f'40{{"token":"{shown}"}}', _join(), b"\0"],
        lambda update: [_event("2", "update", DOCUMENT, compact=lane), encode_batch([update])],
        _native_told,
        lane=lane,
    )


def _y_told(frame: str | bytes) -> bool | str | None:
    if not isinstance(frame, bytes):
        return None
    return True if frame[:2] == b"\0\2" else UNNAMED if frame[:2] == b"\2\0" else None


def _hocuspocus_told(frame: str | bytes) -> bool | str | None:
    behind = frame.removeprefix(h.head(DOCUMENT)) if isinstance(frame, bytes) else b""
    return True if behind == h.SAVED else UNNAMED if behind == h.NOT_SAVED else None


def _y_socket_io(*, lane: bool) -> Door:
    namespace = f"/yjs|{DOCUMENT}"
    payload = {"token": "", "format": DECLARED.removeprefix("format=")}
    return Door(
        lambda _: "/socket.io/?EIO=4&transport=websocket",
        lambda shown: [
            f"40{namespace},{json.dumps({**payload, 'token': shown})}",
            _event(f"{namespace},0", "sync-step-1"),
            b"\0",
        ],
        lambda update: [_event(f"{namespace},", "sync-update", compact=lane), update],
        lambda frame: True if isinstance(frame, str) and '"sync-update"' in frame else None,
        refuses_each=False,
        lane=lane,
    )


DOORS: dict[str, Door] = {
    "native": _native(lane=True),
    "native, slow way": _native(lane=False),
    "y-websocket": Door(
        lambda shown: f"/y/{DOCUMENT}?token={shown}&{DECLARED}",
        lambda _: [y.encode_step_1(b"\0")],
        lambda update: [y.encode_update(update)],
        _y_told,
        refuses_each=False,  # each sentence is said once
    ),
    "hocuspocus": Door(
        lambda _: f"/hocuspocus?{DECLARED}",
        lambda shown: [
            h.head(DOCUMENT) + bytes((h.Kind.AUTH, h.TOKEN)) + sized(shown.encode()),
            h.head(DOCUMENT) + y.encode_step_1(b"\0"),
        ],
        lambda update: [h.head(DOCUMENT) + y.encode_update(update)],
        _hocuspocus_told,
    ),
    "y-socket.io": _y_socket_io(lane=True),
    "y-socket.io, slow way": _y_socket_io(lane=False),
}


class Line:
    """One connection by hand."""

    def __init__(self, door: Door, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._door = door
        self._socket = socket
        self.refused = 0
        self.codes: set[str] = set()

    async def says(self, frames: list[str | bytes]) -> None:
        for frame in frames:
            await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))

    async def sends(self, update: bytes) -> None:
        await self.says(self._door.update(update))

    async def hears_that_it_is_taken(self) -> None:
        """Read on until an update is taken, and count the refusals before."""
        async with asyncio.timeout(PATIENCE):
            while True:
                message = await self._socket.receive()
                assert message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), message
                if message.data == "2":
                    await self._socket.send_str("3")
                told = self._door.told(message.data)
                if told is True:
                    return
                if told:
                    self.refused += 1
                    self.codes |= {told} - {UNNAMED}


@asynccontextmanager
async def line(server: WholeServer, door: Door, who: str) -> AsyncIterator[Line]:
    shown = signed(sub=who, name=who)
    async with aiohttp.ClientSession() as http, http.ws_connect(server.url + door.path(shown)) as socket:
        one = Line(door, socket)
        await one.says(door.begin(shown))
        yield one


class Copy:
    """The document, as its log has it."""

    def __init__(self, server: WholeServer) -> None:
        self._server = server
        self.reader = Writer("reader", 5, Random(1))
        self.head = 0

    async def follow(self) -> int:
        """Take in what is new. Return how many rows that is."""
        loaded = await self._server.store.log.load(DOCUMENT)
        assert loaded is not None
        for row in loaded.rows[self.head :]:
            for update in decode_batch(row.batch):
                self.reader.hears(update)
        before, self.head = self.head, len(loaded.rows)
        return self.head - before

    def writer(self, user: str, number: int) -> Writer:
        writer = Writer(user, number, Random(number))
        writer.hears(self.reader.doc.get_update())
        return writer

    def without(self, user: str) -> object:
        """What stands in the document beside a person's pending suggestions."""
        beside = [str(self.reader.doc.get("title", type=Text)), dict(self.reader.doc.get("settings", type=Map))]
        return [view_of(child, user).content for child in self.reader.root.children], beside


def furnishes(writer: Writer) -> None:
    """Write a document in which there is something to attack in each way."""
    for words in ("Hello brave new world", "Another line"):
        writer.root.children.append(XmlElement("paragraph", {}, [XmlText(words)]))
    quoted = XmlElement("paragraph", {}, [XmlText("Quoted")])
    writer.root.children.append(XmlElement("blockquote", {}, [quoted]))
    writer.doc.get("title", type=Text).insert(0, "Title")
    writer.doc.get("settings", type=Map)["a"] = 1.0


def proposes(writer: Writer) -> None:
    marks_words("comment")(writer)
    comments_on_an_object(writer)
    proposes_of_a_block(writer)
    writer.root.children[1].attributes["suggestion"] = writer.of_block("delete")


async def furnish(server: WholeServer, copy: Copy) -> None:
    """Have the owner write the document, and an editor suggest something."""
    await server.store.catalogue.create(DOCUMENT, "Story", Epoch(1), server.clock(), owner="owner", link_role=None)
    for number, (who, acts) in enumerate({"owner": [furnishes], "third": [proposes]}.items(), 50):
        await server.store.sharing.grant(DOCUMENT, "third", Role.EDITOR)
        async with line(server, DOORS["native"], who) as one:
            for act in acts:
                for update in copy.writer(who, number).does(act):
                    await one.sends(update)
                    await one.hears_that_it_is_taken()
        await copy.follow()
    await server.store.sharing.grant(DOCUMENT, "bob", Role.COMMENTER)


@pytest.mark.parametrize("name", DOORS)
async def test_whatever_a_commenter_forges_is_refused_at_each_door(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    door = DOORS[name]
    if not door.lane:
        monkeypatch.setattr(live_server, "websocket_protocol", lambda: "websockets-sansio")
    async with whole_server(TOKENS) as server:
        copy = Copy(server)
        await furnish(server, copy)
        async with line(server, door, "bob") as bob, line(server, DOORS["native"], "owner") as owner:
            for number, act in enumerate((suggests_words, HONEST[6]), 60):
                await bob.sends(*copy.writer("bob", number).does(act))
                await bob.hears_that_it_is_taken()
                assert await copy.follow() == 1
            before = copy.without("bob")
            with log_lines() as lines:
                sent = 0
                for first in range(0, len(FORGED), AT_ONCE):
                    attacks = dict(list(FORGED.items())[first : first + AT_ONCE])
                    for number, (attack, act) in enumerate(attacks.items(), 100 + first):
                        forged = copy.writer("bob", number).does(act)
                        assert forged, f"there is nothing to attack by {attack}"
                        for update in forged:
                            await bob.sends(update)
                        sent += len(forged)
                    await bob.sends(*copy.writer("bob", 1000 + first).does(suggests_words))
                    await bob.hears_that_it_is_taken()
                    assert (await copy.follow(), copy.without("bob")) == (1, before), (
                        f"one of {list(attacks)} has left something"
                    )
                    assert bob.refused == sent or not door.refuses_each
            assert bob.codes <= {"not_a_suggestion", "bad_update"}
            assert {each["kind"] for each in lines if each["event"] == "protocol_error"} == {"not_a_suggestion"}
            await owner.sends(*copy.writer("owner", 2000).does(types))
            await owner.hears_that_it_is_taken()
