"""Readers at the doors of other Yjs protocols who take in less than is written, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y
from server.config import Config
from server.config.limits import DocumentLimits
from server.doors import yjs_door
from server.doors.yjs_door import YjsDoor
from server.doors.yjs_end import End
from tests.doors.stock import Stock, stock_clients
from tests.harness.deaf_socket import deaf_socket
from tests.harness.live_server import until
from tests.harness.ports import quiet_port
from tests.harness.relay import Relay
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow

ROW = 2**18
BOUND = 2**19
"""Bytes that may wait for a reader."""

MOST_ROWS = 64
"""The kernel takes some megabytes before anything waits in the server."""

FRAMES = 2000
"""Bytes of one cursor, of what a connection sends by itself, and of the frames around a row."""

CONFIG = Config(documents=DocumentLimits(max_backlog_bytes=BOUND))
STEP_1 = y.encode_step_1(b"\0")


@dataclass(frozen=True)
class Way:
    """A door with its stock client, and what a bare socket says there to come in."""

    version: int | str
    door: Callable[[WholeServer], YjsDoor[Any]]
    path: str
    greeting: str | bytes
    ask: tuple[str | bytes, ...] = ()


WAYS = {
    "y-websocket": Way(3, lambda server: server.app.ywebsocket, "/y/room", STEP_1),
    "hocuspocus": Way("hocuspocus-4", lambda server: server.app.hocuspocus, "/hocuspocus", h.head("room") + STEP_1),
    "y-socket.io": Way(
        "y-socket.io",
        lambda server: server.app.ysocketio,
        "/socket.io/?EIO=4&transport=websocket",
        "40/yjs|room,",
        ('451-/yjs|room,0["sync-step-1",{"_placeholder":true,"num":0}]', b"\0"),
    ),
}
every_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class Writing:
    """What Anna writes, in rows of one size. Each is written when Bert has the one before."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self.rows = 0

    async def one_row(self) -> None:
        self.rows += 1
        assert self.rows <= MOST_ROWS, "The server went on sending to somebody who does not read."
        await self._stock.types("anna", "x" * ROW)
        await self.is_read_by("bert")

    async def until_behind(self, end: End[Any]) -> None:
        while is_told(end):
            await self.one_row()

    async def is_read_by(self, who: str) -> None:
        await self._stock.sees(who, lambda seen: seen["length"] == self.rows * ROW)


def is_told(end: End[Any]) -> bool:
    """Whether what others write is sent to an end. It is not after the connection was cut."""
    return end.seat_here is not None and end.seat_here.listens


@every_way
async def test_who_takes_nothing_in_is_sent_nothing_more_and_holds_up_nobody(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is at most the bound and the row that crossed it, whatever else is told."""
    monkeypatch.setattr(yjs_door, "RENEWAL_SECONDS", 0.02)
    async with whole_server(config=CONFIG) as server, stock_clients(server.url) as stock:
        for who in ("anna", "bert"):
            await stock.open(who, "room", way.version)
        async with deaf_socket(server.port, way.path, way.greeting) as deaf_one:
            await deaf_one.say(*way.ask)
            ends = way.door(server).ends
            await until(lambda: len(ends) == 3)
            deaf = list(ends.values())[-1]
            await stock.do("show", "anna", state={"cursor": "c" * (FRAMES // 2)})
            writing = Writing(stock)
            await writing.until_behind(deaf)
            waiting = deaf.backlog
            assert waiting <= BOUND + ROW + FRAMES
            for _ in range(3):
                await writing.one_row()
                assert not is_told(deaf)
                assert deaf.backlog <= waiting + FRAMES


@every_way
async def test_who_was_too_slow_comes_back_and_has_everything(way: Way) -> None:
    async with (
        whole_server(config=CONFIG) as server,
        stock_clients(server.url) as stock,
        Relay(quiet_port(), server.port) as relay,
    ):
        for who in ("anna", "bert"):
            await stock.open(who, "room", way.version)
        stock.url = f"http://127.0.0.1:{relay.port}"
        await stock.open("carl", "room", way.version)
        carls = list(way.door(server).ends.values())[-1]
        relay.open.clear()
        writing = Writing(stock)
        await writing.until_behind(carls)
        await writing.one_row()  # which Carl is not told
        relay.open.set()
        await writing.is_read_by("carl")
        assert carls.gone
        await writing.one_row()
        await writing.is_read_by("carl")
