"""Counts own files and calls of the everyday ways through the server: `python -m tests.trace`, with `--files` or `--calls` for the lists.

A real server with SQLite, and two people with python-socketio's client in this process. Each way is walked some times before, so that
nothing is counted that happens only once.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from pycrdt import Doc, Text

from tests.harness.bell import PATIENCE
from tests.harness.person import PatientClient
from tests.harness.ports import quiet_port, until_open
from tests.harness.processes import mortal

REST = 0.4
"""Seconds after which nothing of a way is under way any more."""

WALKS = 3
"""Times that each way is gone before those that count."""

TRACED = 3
"""Walks that count. A way is what they have in common: timers that ring meanwhile are not on it."""

Way = Callable[[], Awaitable[None]]
Calls = list[tuple[str, str, int]]


class Person:
    """A client that writes into one document, and hears what others do."""

    def __init__(self, socket: Any, number: int) -> None:
        self._socket = socket
        self._number = number
        self._client_id = number
        self.heard = asyncio.Event()
        for event in ("update", "presence", "document"):
            socket.on(event, self._hear)
        self._doc: Doc[Any] = Doc(client_id=number)
        self._text = self._doc.get("text", type=Text)

    async def _hear(self, *_: object) -> None:
        self.heard.set()

    async def joins(self, document: str) -> None:
        """Join, or join again."""
        self.document = document
        request = {"state_vector": b"\0", "client_id": self._number, "key": f"key-of-person-number-{self._number}"}
        answer = await self._socket.call("join", (document, request))
        assert "error" not in answer, answer

    async def types(self, index: int | None = None) -> None:
        """One letter, behind the others or at a place; returns when it is durable."""
        before = self._doc.get_state()
        self._text.insert(len(self._text) if index is None else index, "x")
        update = self._doc.get_update(before)
        assert len(update) < 128
        answer = await self._socket.call("update", (self.document, bytes([len(update)]) + update))
        assert "error" not in answer, answer

    async def moves(self) -> None:
        """Another place of the cursor."""
        state = {"cursor": {"anchor": len(self._text), "head": os.urandom(2).hex()}}
        await self._socket.emit("presence", (self.document, {"state": state}))


@asynccontextmanager
async def traced_server(directory: Path) -> AsyncIterator[tuple[str, "Tracing"]]:
    """A server: its address, and what traces it."""
    result, port = directory / "calls.json", quiet_port()
    serve = ["serve", "--port", str(port), "--data-dir", str(directory / "data"), "--log-level", "error"]
    command = mortal(sys.executable, "-m", "tests.trace.traced", result, *serve)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        await until_open(port, 30.0)

        yield f"http://127.0.0.1:{port}", Tracing(process, result)
    finally:
        process.terminate()
        await process.wait()


class Tracing:
    """Begins and ends traces of a server."""

    def __init__(self, process: asyncio.subprocess.Process, result: Path) -> None:
        self._process = process
        self._result = result

    async def begin(self) -> None:
        await self._toggled(self._result.with_suffix(".on"))

    async def end(self) -> Calls:
        """End the trace when nothing is under way any more, and return it."""
        await asyncio.sleep(REST)
        calls: Calls = json.loads(await self._toggled(self._result))
        return calls

    async def _toggled(self, sign: Path) -> str:
        """Signal, wait until the server has done what was asked, and return what it says."""
        self._process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(PATIENCE):
            while (said := await asyncio.to_thread(_taken, sign)) is None:  # noqa: ASYNC110 - another process has no event
                await asyncio.sleep(0.005)
        return said


def _taken(sign: Path) -> str | None:
    """Return what a file says, and remove the file. None if it isn't there yet."""
    if not sign.exists():
        return None
    said = sign.read_text()
    sign.unlink()
    return said


async def walk(*names: str, walks: int = WALKS) -> dict[str, Calls]:  # noqa: PLR0915 - five ways, one after the other
    """Go each way, or those that are named, and return what was called on it.

    Each is walked `walks` times before.
    """
    async with AsyncExitStack() as exits:
        directory = Path(exits.enter_context(tempfile.TemporaryDirectory()))
        url, tracing = await exits.enter_async_context(traced_server(directory))
        # Tokens of guests are cookies; by default aiohttp keeps none of a bare address.
        http = await exits.enter_async_context(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
        async with http.post(f"{url}/api/documents", json={"title": "Trace"}) as answer:
            assert answer.status == 201, await answer.text()
            document = (await answer.json())["id"]
        people = []
        for number in (1, 2, 3):
            socket: Any = PatientClient(http)
            await socket.connect(url, transports=["websocket"])
            exits.push_async_callback(socket.disconnect)
            people.append(Person(socket, number))
        ann, ben, cas = people
        await ann.joins(document)
        await ben.joins(document)
        titles = iter(range(100))

        async def keystroke() -> None:
            await ann.types()
            await ben.heard.wait()

        async def elsewhere() -> None:
            await ann.types(0)
            await ben.heard.wait()

        async def join() -> None:
            await cas.joins(document)

        async def move() -> None:
            await ann.moves()
            await ben.heard.wait()

        async def rename() -> None:
            title = {"title": f"Trace {next(titles)}"}
            async with http.patch(f"{url}/api/documents/{document}", json=title) as answer:
                assert answer.status == 200, await answer.text()
            await ben.heard.wait()

        ways: dict[str, Way] = {
            "keystroke": keystroke,
            "edit elsewhere": elsewhere,
            "cursor move": move,
            "rename": rename,
            "join": join,
        }
        return {name: await _traced(ways[name], walks, ben, tracing) for name in names or ways}


async def _traced(way: Way, walks: int, listener: Person, tracing: Tracing) -> Calls:
    for _ in range(walks):
        await way()
        await asyncio.sleep(REST)
    found: list[dict[tuple[str, str], int]] = []
    for _ in range(TRACED):
        listener.heard.clear()
        await tracing.begin()
        await way()
        found.append({(file, name): n for file, name, n in await tracing.end()})
    always = set.intersection(*map(set, found))
    return [(file, name, min(each[file, name] for each in found)) for file, name in sorted(always)]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.trace")
    parser.add_argument("--files", action="store_true", help="list the files of each way")
    parser.add_argument("--calls", action="store_true", help="list the functions of each way")
    asked = parser.parse_args()
    ways = asyncio.run(walk())
    print(f"{'':16}{'files':>8}{'calls':>8}{'functions':>12}")  # noqa: T201
    for name, calls in ways.items():
        files = {file for file, _, _ in calls}
        print(f"{name:16}{len(files):>8}{sum(n for *_, n in calls):>8}{len(calls):>12}")  # noqa: T201
        for file in sorted(files) if asked.files or asked.calls else ():
            mine = [(name, n) for where, name, n in calls if where == file]
            print(f"    {file} {sum(n for _, n in mine)}")  # noqa: T201
            for function, n in mine if asked.calls else ():
                print(f"        {n:>3} {function}")  # noqa: T201


if __name__ == "__main__":
    main()
