"""The native protocol through npm's socket.io-client, as browsers have it, run by Node."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.harness.bell import PATIENCE
from tests.harness.live_server import serving, until
from tests.harness.processes import mortal

pytestmark = pytest.mark.usefixtures("both_ways")

SCRIPT = Path(__file__).with_name("socketio_client.mjs")
CLIENT_WEB = SCRIPT.parents[2] / "client_web"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("transports", "ends_on"),
    [("websocket", "websocket"), ("polling", "polling"), ("polling,websocket", "websocket")],
)
async def test_two_people_with_the_browsers_client(transports: str, ends_on: str) -> None:
    async with serving() as server:
        document_id = await server.new_document()
        # The id is an argument of its own: it may begin with a dash.
        node = await asyncio.create_subprocess_exec(
            *mortal("node", SCRIPT, server.url, document_id, transports), cwd=CLIENT_WEB, stdout=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PATIENCE):
            out, _ = await node.communicate()
        assert node.returncode == 0
        seen = json.loads(out)
        assert seen["transport"] == ends_on
        assert seen["role"] == "editor"
        assert seen["seqs"] == sorted(seen["seqs"])
        assert seen["text"] == "".join(f"{i} " for i in range(40)) + "a long end" * 100
        assert seen["first"] == {"received": 500}
        assert seen["last"]["seq"] == seen["seqs"][-1] + 1
        assert seen["refusal"]["error"]["code"] == "malformed"
        assert seen["unknown"]["error"]["code"] == "unknown_event"
        assert seen["name"] == "Alice"
        await until(lambda: server.gateway.connections == server.gateway.handshakes == 0)
        assert set(server.gateway.protocol_errors) <= {"malformed", "unknown_event"}
