"""Refusals at the doors: every code has its number, and the page for applications has them all."""

import contextlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest

from crdt.budget import Rate
from crdt.errors import Code
from crdt.ids import DocumentId, Epoch
from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import encode_batch
from server.config import Config
from server.config.limits import Rates
from server.config.people import PeopleSettings
from server.doors.close_codes import CLOSE_CODES, helps_to_come_back
from tests.harness.live_server import until
from tests.harness.log_lines import log_lines
from tests.harness.tokens import SECRET, token
from tests.harness.whole_server import whole_server

PAGE = Path(__file__).parents[2] / "docs/doors.md"


def test_every_refusal_has_a_close_code_that_the_page_explains() -> None:
    assert set(CLOSE_CODES) == set(Code)
    page = PAGE.read_text()
    assert [code for code in CLOSE_CODES.values() if f"| {code} |" not in page] == []


def test_coming_back_helps_where_nothing_is_wrong_with_what_was_sent() -> None:
    passing = {Code.MISSING_PAST, Code.INTERNAL, Code.UNAVAILABLE, Code.CLIENT_ID_TAKEN, Code.DRAINING}
    assert set(filter(helps_to_come_back, Code)) == passing | {Code.TOO_MANY, Code.RATE_LIMITED}


SECRET_TOKEN = token(sub="ann")[:-9] + "not-a-one"
BAD_UPDATE = bytes([3, 9, 9, 9])
DOCUMENT, ABSENT = DocumentId("a-document-of-this-story"), DocumentId("no-such-document-anywhere")
JWT = PeopleSettings(auth="jwt", jwt_secret=SECRET)
Frames = Sequence[str | bytes]


class Dialect(NamedTuple):
    """What a client writes at a door. `begin` is said on connecting."""

    path: Callable[[str, str], str]
    begin: Callable[[str, str], Frames]
    join: Callable[[str], Frames]
    update: Callable[[str, bytes], Frames]


def socket_io(before: str, event: str, *arguments: object) -> str:
    place = {"_placeholder": True, "num": 0}
    return f"451-{before}{json.dumps([event, *arguments, place])}"


DIALECTS = {
    "native": Dialect(
        lambda _, __: "/socket.io/?EIO=4&transport=websocket",
        lambda _, shown: [f'40{{"token":"{shown}"}}'],
        lambda room: [
            f'451-1["join","{room}",{{"client_id":7,"state_vector":{{"_placeholder":true,"num":0}}}}]',
            b"\0",
        ],
        lambda room, update: [socket_io("2", "update", room), encode_batch([update])],
    ),
    "y-websocket": Dialect(
        lambda room, shown: f"/y/{room}?token={shown}",
        lambda _, __: [],
        lambda _: [y.encode_step_1(b"\0")],
        lambda _, update: [y.encode_update(update)],
    ),
    "hocuspocus": Dialect(
        lambda _, shown: f"/hocuspocus?token={shown}",
        lambda _, __: [],
        lambda room: [h.head(room) + y.encode_step_1(b"\0")],
        lambda room, update: [h.head(room) + y.encode_update(update)],
    ),
    "y-socket.io": Dialect(
        lambda _, __: "/socket.io/?EIO=4&transport=websocket",
        lambda room, shown: [f'40/yjs|{room},{{"token":"{shown}"}}'],
        lambda room: [socket_io(f"/yjs|{room},0", "sync-step-1"), b"\0"],
        lambda room, update: [socket_io(f"/yjs|{room},", "sync-update"), update],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("door", DIALECTS)
async def test_each_refusal_has_one_line_in_the_log_with_its_reason_and_without_a_secret(door: str) -> None:
    path, begin, join, update = DIALECTS[door]
    good = token(sub="ann")
    config = Config(people=JWT, rates=Rates(join_rate=Rate(0.01, 4)))
    refused: dict[str, tuple[str, Frames, dict[str, str]]] = {
        "a page from elsewhere": (path(DOCUMENT, good), [], {"Origin": "https://evil.example"}),
        "another name of this server": (path(DOCUMENT, good), [], {"Host": "evil.example"}),
        "a bad token": (
            path(DOCUMENT, SECRET_TOKEN),
            [*begin(DOCUMENT, SECRET_TOKEN), *(join(DOCUMENT) if door == "hocuspocus" else [])],
            {},
        ),
        "no document": (path(ABSENT, good), [*begin(ABSENT, good), *join(ABSENT)], {}),
        "no update": (
            path(DOCUMENT, good),
            [*begin(DOCUMENT, good), *join(DOCUMENT), *update(DOCUMENT, BAD_UPDATE)],
            {},
        ),
        "joins too fast": (path(DOCUMENT, good), [*begin(DOCUMENT, good), *list(join(DOCUMENT)) * 8], {}),
    }
    async with whole_server(config=config) as server, aiohttp.ClientSession() as http:
        await server.store.catalogue.create(DOCUMENT, "Title", Epoch(1), server.clock(), owner="ann", link_role=None)
        for case, (address, frames, headers) in refused.items():
            with log_lines() as lines:
                await say(http, server.url + address, frames, headers)
                await until(lambda lines=lines: any(line["log_level"] == "warning" for line in lines))  # type: ignore[misc]
                await until(lambda: not server.app.gateway.server.eio.sockets)
            told = [line for line in lines if line["event"] in {"protocol_error", "origin_refused"}]
            assert len(told) == 1, (case, lines)
            assert told[0].get("reason"), (case, told)
            assert not any(secret in str(lines) for secret in (SECRET_TOKEN, good, SECRET)), case


async def say(http: aiohttp.ClientSession, url: str, frames: Frames, headers: dict[str, str]) -> None:
    """Connect, say everything, and leave when the server has no more to say."""
    with contextlib.suppress(aiohttp.ClientError, ConnectionError):
        async with http.ws_connect(url, headers=headers) as stranger:
            for frame in frames:
                await (stranger.send_str(frame) if isinstance(frame, str) else stranger.send_bytes(frame))
            with contextlib.suppress(TimeoutError):
                while (await stranger.receive(timeout=0.5)).type not in {
                    aiohttp.WSMsgType.CLOSED,
                    aiohttp.WSMsgType.CLOSE,
                }:
                    pass
