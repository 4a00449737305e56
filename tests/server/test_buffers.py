"""What waits in buffers for people who do not read: one answer for each of their connections, and not too many connections."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from server.doors.native.engine.engine_socket import WRITE_BYTES
from server.doors.native.gateway import Gateway
from tests.harness.deaf_socket import DeafSocket, deaf_socket
from tests.harness.live_server import until
from tests.harness.log_lines import log_lines
from tests.harness.person import person
from tests.harness.whole_server import WholeServer, whole_server

KERNEL = 8 * 2**20
"""More than the kernel's buffers of one connection take."""


@pytest.fixture
async def server() -> AsyncIterator[WholeServer]:
    async with whole_server() as server:
        yield server


async def large_document(server: WholeServer) -> str:
    """One that comes in parts."""
    async with server.browser() as http:
        document_id = str((await http.post("/api/documents", json={})).json()["id"])
    async with person(server) as writer:
        await writer.join(document_id)
        for _ in range(6):
            assert "seq" in await writer.ask("update", document_id, writer.types("x" * 250_000))
    return document_id


async def asks_for_parts(deaf: DeafSocket, document_id: str, times: int) -> None:
    """Join, and ask for the same part over and over, without reading a word."""
    options = '{"state_vector":{"_placeholder":true,"num":0},"client_id":4711}'
    await deaf.say(f'451-1["join","{document_id}",{options}]', b"\0")
    await deaf.say(*[f'42{number}["fetch","{document_id}",{{"index":0}}]' for number in range(2, times + 2)])


def backlogs(gateway: Gateway) -> list[int]:
    return [connection.socket.backlog for connection in gateway.accepted.values()]


@pytest.mark.slow
async def test_whoever_asks_for_parts_and_reads_none_makes_one_of_them_wait(server: WholeServer) -> None:
    document_id = await large_document(server)
    async with deaf_socket(server.port) as deaf:
        await asks_for_parts(deaf, document_id, KERNEL // 2**18 + 20)
        await until(lambda: sum(backlogs(server.app.gateway)) > WRITE_BYTES)
        async with server.browser() as http:
            for _ in range(20):
                assert (await http.get("/health")).is_success, "the server has had a turn"
                (backlog,) = backlogs(server.app.gateway)
                assert backlog <= 3 * WRITE_BYTES


@pytest.mark.slow
async def test_one_person_s_connections_are_cut_when_too_much_waits_for_them_together(
    server: WholeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.doors.sweeper.BUFFERED_BYTES", 3 * WRITE_BYTES)
    document_id = await large_document(server)
    with log_lines() as lines:
        async with AsyncExitStack() as exits:
            for _ in range(4):
                deaf = await exits.enter_async_context(deaf_socket(server.port))
                await asks_for_parts(deaf, document_id, KERNEL // 2**18 + 20)
            await until(lambda: any(line["event"] == "connection_aborted" for line in lines))
            await until(lambda: sum(backlogs(server.app.gateway)) <= 3 * WRITE_BYTES)
            assert server.app.gateway.connections > 0, "not all of them"
