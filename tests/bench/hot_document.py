"""One busy document on a real server: `python -m tests.bench.hot_document`. Prints what each delivered edit costs; asserts nothing.

The people speak Engine.IO by hand over WebSockets, in a process of their own, so that what is measured is the server. An op-delivery is one
edit that reaches one other member, counted by the edits inside batches. Each edit is durable before it is delivered.
"""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import uvloop
from pycrdt import Doc, Text
from websockets.asyncio.client import ClientConnection, connect

from crdt.protocol import decode_batch, encode_batch
from tests.server.server_process import ServerProcess, server_process

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What the members saw. Times in seconds."""

    sent: dict[bytes, float] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    frames: int = 0
    octets: int = 0


class Member:
    """One raw client in the document."""

    def __init__(self, socket: ClientConnection, document: str, number: int, figures: Figures) -> None:
        self._socket = socket
        self._document = document
        self._figures = figures
        self._acks: dict[int, float] = {}
        self._doc: Doc[Any] = Doc(client_id=1000 + number)
        self._text = self._doc.get("text", type=Text)
        self._request = 10

    async def join(self) -> None:
        """Shake hands and join."""
        await self._socket.recv()
        await self._socket.send("40")
        await self._socket.recv()
        options = f'{{"state_vector":{{"_placeholder":true,"num":0}},"client_id":{self._doc.client_id}}}'
        await self._socket.send(f'451-1["join","{self._document}",{options}]')
        await self._socket.send(b"\0")
        while not str(await self._socket.recv()).startswith("46"):
            pass

    async def type(self, every: float, until: float) -> None:
        """Type a character now and then."""
        while time.perf_counter() < until:
            before = self._doc.get_state()
            self._text += "x"
            update = self._doc.get_update(before)
            self._request += 1
            self._figures.sent[update] = self._acks[self._request] = time.perf_counter()
            await self._socket.send(f'451-{self._request}["update","{self._document}",{{"_placeholder":true,"num":0}}]')
            await self._socket.send(encode_batch([update]))
            await asyncio.sleep(every)

    async def listen(self) -> None:
        """Take in everything until the connection ends."""
        figures = self._figures
        is_update = False
        async for frame in self._socket:
            now = time.perf_counter()
            figures.frames += 1
            figures.octets += len(frame)
            if isinstance(frame, bytes):
                if is_update:
                    figures.delays += [now - figures.sent[one] for one in decode_batch(frame) if one in figures.sent]
            elif frame == "2":
                await self._socket.send("3")
            elif frame.startswith("43"):
                sent = self._acks.pop(int(frame[2 : frame.index("[")]), None)
                figures.saved += [now - sent] if sent is not None else []
            else:
                is_update = '["update"' in frame[:20]


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 - a kernel file
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_bytes(pid: int) -> int:
    """Resident memory of a process now."""
    with open(f"/proc/{pid}/statm") as statm:  # noqa: PTH123 - a kernel file
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def measure(server: ServerProcess, members: int, typists: int, per_second: float, seconds: float) -> None:
    """Run one setting and print its row."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        document = (await http.post("/api/documents", json={"title": "Hot"})).json()["id"]
    figures = Figures()
    url = server.url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
    sockets = [await connect(url, compression=None, max_size=None) for _ in range(members)]
    people = [Member(socket, document, number, figures) for number, socket in enumerate(sockets)]
    for person in people:
        await person.join()
    listening = [asyncio.create_task(person.listen()) for person in people]
    until = time.perf_counter() + seconds
    cpu = cpu_seconds(server.pid)
    await asyncio.gather(*(person.type(1 / per_second, until) for person in people[:typists]))
    await asyncio.sleep(1)
    cpu = cpu_seconds(server.pid) - cpu
    for socket in sockets:
        await socket.close()
    await asyncio.gather(*listening, return_exceptions=True)
    delays, saved = sorted(figures.delays), sorted(figures.saved)
    row = (
        f"{members:8}{typists:8}{per_second:8.0f}{len(delays):12}{cpu / max(1, len(delays)) * 1e6:10.1f}"
        f"{median(delays) * 1e3:9.1f}{delays[int(len(delays) * 0.99)] * 1e3:9.1f}"
        f"{median(saved) * 1e3:9.1f}{figures.frames:10}{memory_bytes(server.pid) / 2**20:8.0f}"
    )
    sys.stdout.write(row + "\n")


async def main() -> None:
    """Measure quiet, ordinary and busy rooms."""
    heads = ("members", "typists", "each/s", "deliveries", "µs CPU", "p50 ms", "p99 ms", "saved ms", "frames", "MiB")
    widths = (8, 8, 8, 12, 10, 9, 9, 9, 10, 8)
    sys.stdout.write("".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)) + "\n")
    with tempfile.TemporaryDirectory() as directory:
        many = ("--max-connections-per-address", "2000", "--max-handshakes-per-address", "2000")
        async with server_process(Path(directory), *many) as server:
            for members, typists, per_second in ((2, 2, 5.0), (10, 3, 5.0), (50, 10, 5.0), (100, 20, 5.0)):
                await measure(server, members, typists, per_second, seconds=6)


if __name__ == "__main__":
    uvloop.run(main())
