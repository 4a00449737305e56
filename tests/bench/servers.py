"""The servers compared, each as its own documentation starts it, in processes of their own.

Everybody's limits that would stop a load generator on one address are raised; durability is as it
comes.
"""

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from tests.bench.dialects import (
    Broadcast,
    Hocuspocus,
    Member,
    Native,
    NativeOfOld,
    OurHocuspocus,
    OurYWebsocket,
    YSocketIo,
    YWebsocket,
)
from tests.bench.processes import PATIENCE, Process
from tests.harness.ports import quiet_port, until_open

PEERS = Path(__file__).parent / "peers"
_STAMPS = Path(__file__).parents[2] / ".make"
PEERS_PYTHON = _STAMPS / "peers-python/bin/python"
OUR_PYTHON = _STAMPS / "installed-python/bin/python"
"""With the packages of an installation. Those that only tests need would be imported as well: aiohttp, rich."""

MANY = "100000/1000000"
"""As often as a generator likes."""

_LIMITS = {
    "max-connections": 100_000,
    "max-connections-per-address": 100_000,
    "max-connections-per-user": 100_000,
    "max-handshakes-per-address": 100_000,
    "update-rate": MANY,
    "byte-rate": "1000000000/1000000000",
    "presence-rate": MANY,
    "join-rate": MANY,
    "request-rate": MANY,
    "creation-rate": MANY,
    "log-level": "error",
}


@dataclass(frozen=True)
class Kind:
    """A server that can be started. `command`: by its data directory and port."""

    name: str
    member: Callable[..., Member]
    command: Callable[[Path, int], Sequence[str]]
    has_catalogue: bool = False
    """Documents are made before they are opened."""


class Site(Protocol):
    """One server or several, where members connect. `pids`: whose processor time and memory count."""

    @property
    def kind(self) -> Kind: ...

    @property
    def pids(self) -> list[int]: ...

    @property
    def ports(self) -> list[int]:
        """To which members connect, one after the other in turn."""


async def _until_answering(port: int) -> None:
    """Wait until any answer comes: whoever takes its port early would otherwise be timed from before it has started."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        await reader.read(1)
        writer.close()


class Running:
    """A started server; `restart` brings it back on the same port and data."""

    def __init__(self, kind: Kind, directory: Path) -> None:
        self.kind = kind
        self.port = quiet_port()
        self._directory = directory
        self._documents = 0
        self._process: Process | None = None

    @property
    def pids(self) -> list[int]:
        return [self._process.pid] if self._process else []

    @property
    def ports(self) -> list[int]:
        return [self.port]

    async def start(self) -> None:
        """Start it and return when it takes connections."""
        process = self.begin()
        try:
            await until_open(self.port, PATIENCE)
            await _until_answering(self.port)
        except TimeoutError:
            process.require_running()
            raise

    def begin(self) -> Process:
        """Start it, and wait for nothing."""
        command = self.kind.command(self._directory, self.port)
        self._process = Process(command, self._directory / "log", HOST="127.0.0.1", PORT=str(self.port))
        return self._process

    async def restart(self) -> None:
        """End it in good order, and start it again over the same data."""
        self.stop()
        await self.start()

    def stop(self) -> None:
        """End it in good order."""
        assert self._process is not None
        self._process.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    async def new_documents(self, count: int) -> list[str]:
        """The ids of so many empty documents."""
        if not self.kind.has_catalogue:
            self._documents += count
            return [f"document-{number}" for number in range(self._documents - count, self._documents)]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as http:
            answers = [await http.post("/api/documents", json={"title": "Bench"}) for _ in range(count)]
        return [answer.raise_for_status().json()["id"] for answer in answers]

    async def __aenter__(self) -> "Running":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.kill()


def _manyhands(*more: str) -> Callable[[Path, int], list[str]]:
    options = [part for name, value in _LIMITS.items() for part in (f"--{name}", str(value))]

    def command(directory: Path, port: int) -> list[str]:
        place = ("--port", str(port), "--data-dir", str(directory))
        return [str(OUR_PYTHON), "-m", "server", "serve", *place, *options, *more]

    return command


def _manyhands_as_installed(directory: Path, port: int) -> list[str]:
    place = ("--port", str(port), "--data-dir", str(directory))
    return [str(OUR_PYTHON), "-m", "server", "serve", *place, "--log-level", "error"]


def _hocuspocus(*options: str) -> Callable[[Path, int], list[str]]:
    def command(directory: Path, port: int) -> list[str]:
        given = [option.replace("{directory}", str(directory)) for option in options]
        return [_node(), str(PEERS / "hocuspocus.mjs"), str(port), *given]

    return command


def _y_websocket(_directory: Path, _port: int) -> list[str]:
    return [_node(), str(PEERS / "node_modules/@y/websocket-server/src/server.js")]


def _y_socket_io(_directory: Path, port: int) -> list[str]:
    return [_node(), str(PEERS / "ysocketio.mjs"), str(port)]


def _broadcast(_directory: Path, port: int) -> list[str]:
    return [sys.executable, str(PEERS / "broadcast.py"), str(port)]


def _pycrdt(*store: str) -> Callable[[Path, int], list[str]]:
    def command(directory: Path, port: int) -> list[str]:
        return [
            str(PEERS_PYTHON),
            str(PEERS / "pycrdt_server.py"),
            str(port),
            *(str(directory / name) for name in store),
        ]

    return command


def _node() -> str:
    node = shutil.which("node")
    assert node is not None, "the peers need Node.js"
    return node


OURS = Kind("manyhands", Native, _manyhands(), has_catalogue=True)
OURS_OF_OLD = Kind("manyhands: protocol 1", NativeOfOld, _manyhands(), has_catalogue=True)
OURS_AS_INSTALLED = Kind("manyhands", Native, _manyhands_as_installed, has_catalogue=True)
"""With default settings, limits included."""

AT_Y_WEBSOCKET = Kind("manyhands: y-websocket", OurYWebsocket, _manyhands())
AT_HOCUSPOCUS = Kind("manyhands: hocuspocus", OurHocuspocus, _manyhands())
AT_Y_SOCKET_IO = Kind("manyhands: y-socket.io", YSocketIo, _manyhands())
"""Its doors for the clients of other servers."""

HOCUSPOCUS = Kind("hocuspocus", Hocuspocus, _hocuspocus())
HOCUSPOCUS_20 = Kind("hocuspocus flushDelay 20", Hocuspocus, _hocuspocus("--flush-delay", "20"))
HOCUSPOCUS_50 = Kind("hocuspocus flushDelay 50", Hocuspocus, _hocuspocus("--flush-delay", "50"))
HOCUSPOCUS_SQLITE = Kind("hocuspocus + sqlite", Hocuspocus, _hocuspocus("--sqlite", "{directory}/hocuspocus.db"))
Y_WEBSOCKET = Kind("y-websocket", YWebsocket, _y_websocket)
Y_SOCKET_IO = Kind("y-socket.io", YSocketIo, _y_socket_io)
BROADCAST = Kind("socketio broadcast", Broadcast, _broadcast)
PYCRDT = Kind("pycrdt-websocket", YWebsocket, _pycrdt())
PYCRDT_SQLITE = Kind("pycrdt-websocket + sqlite", YWebsocket, _pycrdt("pycrdt.db"))

# Nodes of a cluster: {redis} is a port, {database} a URL.
REDIS = ("--redis", "{redis}")
OUR_NODE = Kind(
    "manyhands",
    Native,
    _manyhands("--database-url", "{database}", "--redis-url", "redis://127.0.0.1:{redis}/0"),
    has_catalogue=True,
)
HOCUSPOCUS_NODE = Kind("hocuspocus + redis", Hocuspocus, _hocuspocus(*REDIS))
HOCUSPOCUS_NODE_20 = Kind("hocuspocus + redis, flushDelay 20", Hocuspocus, _hocuspocus(*REDIS, "--flush-delay", "20"))
