"""The patient client, which waits long for what may come, and not at all for what cannot."""

import asyncio

import pytest
import socketio
from websockets.asyncio.server import ServerConnection, serve

from tests.harness.bell import PATIENCE
from tests.harness.person import PatientClient

HELLO = '0{"sid":"a-session","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'


async def test_a_connection_that_ends_before_it_is_answered_has_failed() -> None:
    """A balancer cuts connections in this moment when it moves people."""

    async def cuts(connection: ServerConnection) -> None:
        await connection.send(HELLO)
        assert await connection.recv() == "40{}"

    async with serve(cuts, "127.0.0.1", 0) as server, asyncio.timeout(PATIENCE / 4):
        (listener,) = server.sockets
        client = PatientClient()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(f"http://127.0.0.1:{listener.getsockname()[1]}", transports=["websocket"])
