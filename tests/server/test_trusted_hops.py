"""Whose word about addresses is believed, and what strangers can make the server hold before it knows who they are."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.harness.bell import PATIENCE
from tests.harness.live_server import LiveServer, serving
from tests.harness.person import person
from tests.server.server_process import ServerProcess, server_process

MiB = 2**20


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as server:
        yield server


async def enters(people: AsyncExitStack, server: ServerProcess, forwarded: str) -> bool:
    """Come in and stay; False: too many are there from the address that the server takes this to be."""
    url = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    headers = {"X-Forwarded-For": forwarded}
    connection = await people.enter_async_context(connect(url, additional_headers=headers, compression=None))
    assert str(await connection.recv()).startswith("0{")
    await connection.send("40")
    answer = str(await connection.recv())
    assert answer.startswith("40") or "too_many" in answer, answer
    return answer.startswith("40")


@pytest.mark.slow
async def test_strangers_do_not_choose_their_address(tmp_path: Path) -> None:
    async with server_process(tmp_path, "--max-connections-per-address", "2") as server, AsyncExitStack() as people:
        assert [await enters(people, server, f"203.0.113.{number}") for number in range(3)] == [True, True, False]


@pytest.mark.slow
async def test_behind_a_trusted_proxy_the_last_hop_counts_and_forged_ones_before_it_do_not(tmp_path: Path) -> None:
    """A proxy appends whom it was asked by to what they claim."""
    options = ("--max-connections-per-address", "2", "--trusted-proxies", "127.0.0.1")
    async with server_process(tmp_path, *options) as server, AsyncExitStack() as people:
        forged = [await enters(people, server, f"203.0.113.{number}, 198.51.100.7") for number in range(3)]
        assert forged == [True, True, False]
        assert not await enters(people, server, "127.0.0.1, 198.51.100.7"), "claiming to be the proxy helps nobody"
        assert await enters(people, server, "203.0.113.1, 198.51.100.8"), "somebody else still comes in"


def resident_bytes(server: ServerProcess) -> int:
    return int(Path(f"/proc/{server.pid}/statm").read_text().split()[1]) * 4096


async def unfinished(size: int, more: asyncio.Event) -> AsyncIterator[bytes]:
    """A message in fragments, of which the last is long in coming."""
    for _ in range(size // 50_000):
        yield b"x" * 50_000
    await more.wait()
    yield b"x"


async def shakes_hands(strangers: AsyncExitStack, server: ServerProcess) -> ClientConnection:
    """Connect, and say no CONNECT."""
    url = f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket"
    connection = await strangers.enter_async_context(
        connect(url, compression=None, open_timeout=PATIENCE, close_timeout=1)
    )
    await connection.recv()
    return connection


@pytest.mark.slow
async def test_who_has_not_said_who_they_are_takes_a_bounded_amount_of_memory(tmp_path: Path) -> None:
    """So many at the door, each with one message of the length of a greeting in the server's hands; what is more is cut."""
    options = ("--max-handshakes-per-address", "20", "--connect-seconds", "60")
    async with server_process(tmp_path, *options) as server, AsyncExitStack() as strangers:
        before, more = resident_bytes(server), asyncio.Event()
        async with asyncio.TaskGroup() as sending:
            for _ in range(20):
                connection = await shakes_hands(strangers, server)
                sending.create_task(connection.send(unfinished(50_000, more)))
            with pytest.raises(InvalidStatus):
                await shakes_hands(strangers, server)
            assert resident_bytes(server) - before < 10 * MiB
            more.set()
        for _ in range(60):
            greedy = await shakes_hands(strangers, server)  # possible, because the one before was cut
            with pytest.raises(ConnectionClosed):
                await greedy.send(unfinished(20 * MiB, more))
        assert resident_bytes(server) - before < 10 * MiB


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_messages_may_be_longer_once_somebody_has_been_let_in(server: LiveServer, transport: str) -> None:
    document_id = await server.new_document()
    async with person(server, transport) as somebody:
        await somebody.join(document_id)
        assert await somebody.ask("update", document_id, somebody.types("x" * 200_000)) == {"seq": 1}
