"""Connections of all doors cut at random, and a store that pauses: all end with the same, saved."""

from random import Random
from typing import Any

import pytest

from tests.doors.stock import Stock, stock_clients
from tests.harness.memory_store import memory_store
from tests.harness.slow_log import SlowLog
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow

PEOPLE: dict[str, dict[str, Any]] = {
    "one": {"version": 1},
    "three": {"version": 3},
    "four": {"version": 4},
    "second": {"version": "hocuspocus-2"},
    "third": {"version": "hocuspocus-3"},
    "fourth": {"version": "hocuspocus-4"},
    "socket": {"version": "y-socket.io", "reconnectionDelay": 20},
}

STEPS = 150


@pytest.mark.parametrize("seed", [1, 2])
async def test_all_have_the_same_in_the_end(seed: int) -> None:
    random, store = Random(seed), memory_store()
    log = SlowLog(store.log)
    store.log = log  # type: ignore[assignment]
    async with whole_server(store=store) as server, stock_clients(server.url) as stock:
        for who, way in PEOPLE.items():
            await stock.open(who, "room", **way)
        for step in range(STEPS):
            await act(random, stock, server, log, step)
        log.go_on()
        await all_are_equal(stock)
        await stock.open("latecomer", "room")
        await stock.reads("latecomer", (await stock.do("look", "one"))["text"])
        for who in ("third", "fourth"):
            await stock.sees(who, lambda seen: seen["unsynced"] == 0)
        assert "internal" not in server.app.gateway.protocol_errors


async def act(random: Random, stock: Stock, server: WholeServer, log: SlowLog, step: int) -> None:
    """Have somebody write, cut a connection, or let the store pause or go on."""
    match random.randrange(12):
        case 0:
            cut_one(random, server)
        case 1:
            log.stop()
        case 2 | 3:
            log.go_on()
        case 4:
            await stock.do("show", random.choice(list(PEOPLE)), state={"cursor": step})
        case _:
            words = random.choice(("", "so ", "it ", "goes "))
            await stock.do("scribble", random.choice(list(PEOPLE)), words=words, place=random.random())


def cut_one(random: Random, server: WholeServer) -> None:
    """Cut a connection of any door."""
    app = server.app
    ends = [end for door in (app.ywebsocket, app.hocuspocus, app.ysocketio) for end in door.ends.values()]
    if ends:
        random.choice(ends).abort()


async def all_are_equal(stock: Stock) -> None:
    """Wait until all are back, and hold the same text."""
    for who in PEOPLE:
        await stock.sees(who, lambda seen: seen["connected"] and seen["synced"])
    while len({(await stock.do("look", who))["text"] for who in PEOPLE}) > 1:
        pass  # what somebody brings back comes later
