"""People move in from other servers: documents are imported, one URL changes, and people write on.

Their providers and their copies stay as they are, with the client ids of the old server and with
words that no server has seen.
"""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.doors.stock import SCRIPT, Stock, stock_clients
from tests.harness.bell import PATIENCE
from tests.harness.live_server import until
from tests.harness.neighbours import hocuspocus_sqlite, pycrdt_sqlite
from tests.harness.ports import quiet_port
from tests.harness.processes import mortal
from tests.server.server_process import HOUSE, command, server_process

pytestmark = pytest.mark.slow
NODE_MODULES = SCRIPT.with_name("node_modules")


@asynccontextmanager
async def y_websocket_server(database: Path) -> AsyncIterator[str]:
    """Run y-websocket's own server over y-leveldb, and stop it at the end."""
    port = quiet_port()
    server = await asyncio.create_subprocess_exec(
        *mortal("node", NODE_MODULES / "y-websocket-1" / "bin" / "server.js"),
        env={"HOST": "127.0.0.1", "PORT": str(port), "YPERSISTENCE": str(database)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while b"running" not in await server.stdout.readline():
                pass
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        await server.communicate()


def holds(database: Path, *words: str) -> bool:
    """Whether LevelDB's log has these words, which stand there as they are."""
    log = b"".join(path.read_bytes() for path in database.glob("*.log"))
    return all(each.encode() in log for each in words)


async def export(database: Path, directory: Path) -> str:
    """Run the example program that writes y-leveldb's documents into files."""
    program = HOUSE / "examples" / "export-y-leveldb.mjs"
    node = await asyncio.create_subprocess_exec(
        *mortal("node", program, database, directory), cwd=SCRIPT.parent, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        out, _ = await node.communicate()
    assert node.returncode == 0
    return out.decode()


async def imported(data: Path, source: Path, *options: str) -> str:
    """Run the import, and return its last line."""
    code, out, err = await command("import", str(source), *options, MANYHANDS_DATA_DIR=str(data))
    assert (code, err) == (0, ""), out
    return out.splitlines()[-1]


async def go_on(stock: Stock, room: str, version: int | str, *people: str) -> None:
    """Let people come with their old copies, and each write; all must read the same at the end."""
    for who in people:
        await stock.open(who, room, version)
    for who in people:
        await stock.types(who, f"{who} goes on. ")
    texts = [
        (await stock.sees(who, lambda seen: all(f"{each} goes on" in seen["text"] for each in people)))["text"]
        for who in people
    ]
    assert len(set(texts)) == 1


async def test_people_move_in_from_y_websocket_s_own_server_and_y_leveldb(tmp_path: Path) -> None:
    data, database = tmp_path / "data", tmp_path / "leveldb"
    async with stock_clients("") as stock:
        async with y_websocket_server(database) as url:
            stock.url = url
            for who in ("anna", "bert"):
                await stock.open(who, "our room", 2)
                await stock.types(who, f"{who} was here. ")
            for who in ("anna", "bert"):
                await stock.sees(who, lambda seen: seen["text"].count("was here") == 2)
                await stock.do("destroy", who)
            await stock.types("anna", "anna, offline. ")
            # That server writes a little later, and what it has not written ends with it.
            await until(lambda: holds(database, "anna was here. ", "bert was here. "))
        assert "1 documents" in await export(database, tmp_path / "files")
        assert "1 imported" in await imported(data, tmp_path / "files", "--drop-prefix", "y/")
        assert "1 unchanged" in await imported(data, tmp_path / "files", "--drop-prefix", "y/")
        async with server_process(data) as server:
            stock.url = server.url
            await stock.open("newcomer", "our room")
            seen = await stock.sees("newcomer", lambda seen: seen["text"].count("was here") == 2)
            assert "offline" not in seen["text"]
            await go_on(stock, "our room", 3, "anna", "bert")
            await stock.sees("newcomer", lambda seen: "anna, offline" in seen["text"])
            (tmp_path / "late").mkdir()
            late = b64decode(await stock.do("begin", "late", words="What was still on the old server. "))
            (tmp_path / "late" / "our%20room.bin").write_bytes(late)
            assert "1 changed" in await imported(data, tmp_path / "late", "--to", server.url)
            await stock.sees("newcomer", lambda seen: "What was still on the old server. " in seen["text"])


async def test_people_move_in_with_files_of_hocuspocus_and_pycrdt(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with stock_clients("") as stock:
        people = ("anna", "bert", "carl", "dora")
        states = {who: b64decode(await stock.do("begin", who, words=f"{who} was here. ")) for who in people}
        old = hocuspocus_sqlite(tmp_path / "hocuspocus.db", {"our room": states["anna"]})
        assert "1 imported" in await imported(data, old)
        old = pycrdt_sqlite(tmp_path / "pycrdt.db", {"/their room": [states["carl"], states["dora"]]})
        assert "1 imported" in await imported(data, old)
        await stock.do("begin", "anna", words="anna, offline. ")
        await stock.do("begin", "carl", words="carl, offline. ")
        async with server_process(data) as server:
            stock.url = server.url
            await stock.open("reader", "our room", "hocuspocus-4")
            assert (await stock.do("look", "reader"))["text"] == "anna was here. "
            await go_on(stock, "our room", "hocuspocus-4", "anna", "bert")
            seen = await stock.sees("reader", lambda seen: "anna, offline" in seen["text"])
            assert [seen["text"].count(f"{who} was here") for who in people] == [1, 1, 0, 0]
            await stock.open("other reader", "their room")
            seen = await stock.do("look", "other reader")
            assert ("carl was" in seen["text"], "dora was" in seen["text"], len(seen["text"])) == (True, True, 30)
            await go_on(stock, "their room", 3, "carl", "dora")
            seen = await stock.sees("other reader", lambda seen: "carl, offline" in seen["text"])
            assert [seen["text"].count(f"{who} was here") for who in people] == [0, 0, 1, 1]
