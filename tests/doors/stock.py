"""Stock clients of other protocols, as npm has them: one process of Node, driven by a test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.harness.bell import PATIENCE
from tests.harness.processes import mortal

SCRIPT = Path(__file__).with_name("stock.mjs")
ANSWER_BYTES = 2**24


class Stock:
    """The process, with one client for each name."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def do(self, what: str, who: str, **given: Any) -> Any:
        """Have a client do something, and return what comes of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, "as": who, **given}).encode() + b"\n")
        async with asyncio.timeout(PATIENCE):
            line = await self._process.stdout.readline()
        assert line, f"Node has ended while {who} was to {what}. What it wrote last is above."
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    async def open(self, who: str, room: str, version: int | str = 3, **options: Any) -> None:
        """Connect a client, and wait until it is synced. A number is a version of y-websocket."""
        await self.do("open", who, version=version, room=room, **{"url": self.url, **options})
        await self.sees(who, lambda seen: seen["synced"])

    async def types(self, who: str, words: str) -> None:
        await self.do("type", who, words=words)

    async def sees(self, who: str, what: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until a client sees something, and return all that it sees then."""
        seen: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE):
                while not what(seen := await self.do("look", who)):  # noqa: ASYNC110 - Node tells nothing by itself
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{who} does not come to see it, but: {seen}") from None
        return seen

    async def reads(self, who: str, text: str) -> dict[str, Any]:
        return await self.sees(who, lambda seen: seen["text"] == text)


@asynccontextmanager
async def stock_clients(url: str) -> AsyncIterator[Stock]:
    """Start Node for a while. `url` is the server's, without a path."""
    node = await asyncio.create_subprocess_exec(
        *mortal("node", SCRIPT),
        cwd=SCRIPT.parent,
        limit=ANSWER_BYTES,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Stock(node, url)
    finally:
        if node.returncode is None:
            node.kill()
        await node.communicate()
