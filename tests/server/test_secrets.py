"""What only its owner should know is in no line that the server writes, whatever goes wrong and however much it is asked to say."""

import json
import time
from pathlib import Path

import httpx
import pytest

from tests.harness.raw_socket import raw_socket
from tests.harness.tokens import SECRET, token
from tests.server.server_process import ServerProcess, server_process

pytestmark = pytest.mark.slow

KEY = "the key that signs cookies and links here"
TITLE, WORDS = "Plans for the takeover", "what nobody else may read"


async def says_all_of_it(server: ServerProcess, good: str, bad: list[str]) -> list[str]:
    """Show every secret where it belongs and where it doesn't; those that have only just been made."""
    async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {good}"}) as http:
        session = await http.post("/api/session", json={"token": good})
        document_id = (await http.post("/api/documents", json={"title": TITLE})).json()["id"]
        path = f"/api/documents/{document_id}"
        link = (await http.put(f"{path}/link", json={"role": "editor", "address_alone": False})).json()
        of_link = link["url"].partition("#link=")[2]
        for wrong in (*bad, good + "x", of_link):
            await http.get("/api/me", headers={"Authorization": f"Bearer {wrong}"})
            await http.post("/api/session", json={"token": wrong})
            await http.get(f"{path}?token={wrong}")
            await http.request(f"TOKEN-{of_link}", f"/{wrong}")
            await greets(server, {"token": wrong})
        await http.patch(path, content=f'{{"title": "{WORDS}', headers={"Content-Type": "application/json"})
        await http.post(f"{path}/attachments", content=WORDS.encode())
        await http.post(f"{path}/people", json={"email": "secret-friend@example.com", "role": "viewer"})
        async with raw_socket(server.port) as socket:
            await socket.connected(json.dumps({"token": good}))
            await socket.send(f'42["join","{document_id}",{{"link":"{of_link}","{WORDS}":1}}]')
            await socket.send(f'42["{WORDS}"]', f'42{WORDS}["x"]')
            await socket.until_closed()
        assert session.is_success
        return [of_link, session.headers["set-cookie"].partition("=")[2].partition(";")[0]]


async def greets(server: ServerProcess, payload: object) -> None:
    async with raw_socket(server.port) as socket:
        await socket.send("40" + json.dumps(payload))
        assert str(await socket.receive()).startswith("44")


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_secret_is_ever_written_down(tmp_path: Path, form: str) -> None:
    now = time.time()
    good, stale = token(exp=now + 600), token(exp=now - 600)
    forged = token(secret="x" * 40, exp=now + 600)
    options = ("--auth", "jwt", "--jwt-secret", SECRET, "--secret-key", KEY)
    async with server_process(tmp_path, *options, "--log-level", "debug", "--log-format", form) as server:
        made = await says_all_of_it(server, good, [stale, forged, "no token at all"])
        written = "".join(server.log)
    assert "protocol_error" in written, "it was not for want of lines"
    for secret in (SECRET, KEY, good, stale, forged, *made, TITLE, WORDS, "secret-friend"):
        assert secret not in written
