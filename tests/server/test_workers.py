"""A server of several workers as an operator has it: one address, whole processes, PostgreSQL and Redis behind them."""

import asyncio
import contextlib
import json
import os
import re
import select
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from server.cli.address import bind
from server.config import Config, Cores, Logs, Places
from server.workers.parent import Parent
from tests.harness.bell import PATIENCE
from tests.harness.live_server import until
from tests.harness.log_lines import log_lines
from tests.harness.person import PatientClient
from tests.harness.postgres import PostgresServer
from tests.harness.processes import mortal
from tests.harness.redis_server import redis_server
from tests.harness.typist import Typist, all_agree, typists
from tests.server.server_process import ServerProcess, new_document, run, server_process

pytestmark = pytest.mark.slow

BROWSER = Path(__file__).with_name("socketio_client.mjs")
CLIENT_WEB = BROWSER.parents[2] / "client_web"
HANDSHAKE = "/socket.io/?EIO=4&transport=polling"


@asynccontextmanager
async def workers(postgres: PostgresServer, data_dir: Path, *options: str) -> AsyncIterator[ServerProcess]:
    """Run three of them, over a database and a Redis of their own."""
    places = ("--database-url", await postgres.new_schema())
    async with (
        redis_server() as redis,
        server_process(
            data_dir, "--workers", "3", "--log-format", "json", "--redis-url", redis.url, *places, *options
        ) as server,
    ):
        yield server


@pytest.fixture
async def server(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    async with workers(postgres, tmp_path) as server:
        yield server


def lines(server: ServerProcess, event: str) -> list[dict[str, object]]:
    """What the workers have logged under this name."""
    found = [json.loads(line) for line in server.log if line.startswith("{")]
    return [line for line in found if line["event"] == event and ("worker" in line)]


def children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def until_gone(pid: int) -> None:
    """Wait for the end of a process that is not ours."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended, _, _ = await asyncio.to_thread(select.select, [end], [], [], PATIENCE)
    os.close(end)
    assert ended


def worker_of(person: Typist) -> int:
    """Whose number the connection bears."""
    return int(person.socket.eio.sid.partition(".")[0])


def page(server: ServerProcess, document_id: str) -> str:
    return f"{server.url}?document={document_id}"


async def worker_for(server: ServerProcess, document_id: str, transport: str) -> int:
    """Where somebody who comes for a document gets to."""
    socket = PatientClient()
    await socket.connect(page(server, document_id), transports=[transport])
    number = int(socket.eio.sid.partition(".")[0])
    await socket.disconnect()
    return number


async def is_home_again(server: ServerProcess, document_id: str, home: int) -> None:
    """Come and go until a document's people get there: a worker says in the log that it has started, and to its parent a moment later."""
    async with asyncio.timeout(PATIENCE):
        while await worker_for(server, document_id, "websocket") != home:
            pass


async def handshake(http: httpx.AsyncClient, document_id: str) -> str:
    answer = await http.get(f"{HANDSHAKE}&document={document_id}")
    return str(json.loads(answer.text[1:])["sid"])


async def test_people_of_one_document_meet_and_documents_are_spread(server: ServerProcess) -> None:
    names = [f"document-{number}" for number in range(8)]
    by_websocket = [await worker_for(server, name, "websocket") for name in names]
    assert by_websocket == [await worker_for(server, name, "polling") for name in names]
    assert len(set(by_websocket)) > 1


async def test_the_browsers_client_is_served_by_whatever_transport(server: ServerProcess) -> None:
    """It names no document here, so two people meet different workers; and Node keeps connections alive for both of them."""
    for transports in ("websocket", "polling", "polling,websocket"):
        document_id = await new_document(server)
        node = await asyncio.create_subprocess_exec(
            *mortal("node", BROWSER, server.url, document_id, transports),
            cwd=CLIENT_WEB,
            stdout=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE):
            out, _ = await node.communicate()
        seen = json.loads(out)
        assert seen["text"] == "".join(f"{i} " for i in range(40)) + "a long end" * 100
        assert seen["name"] == "Alice"


async def test_requests_over_one_connection_each_find_their_worker(server: ServerProcess) -> None:
    names = [f"document-{number}" for number in range(8)]
    homes = [await worker_for(server, name, "polling") for name in names]
    async with httpx.AsyncClient(base_url=server.url, limits=httpx.Limits(max_connections=1)) as http:
        sids, ports = [], set()
        for name in names:
            sids.append(await handshake(http, name))
            answer = await http.get("/ready")
            assert answer.status_code == 200
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
        assert [int(sid.partition(".")[0]) for sid in sids] == homes
        for sid in sids:
            session = f"{HANDSHAKE}&sid={sid}"
            assert (await http.post(session, content="40")).text == "OK"
            assert (await http.get(session)).text.startswith("40{")
        event = "42" + json.dumps(["fly", "x" * 60_000])
        for sid in reversed(sids):
            answer = await http.post(f"{HANDSHAKE}&sid={sid}", content=event)
            assert answer.text == "OK"
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
        large = "b" + "A" * 400_000  # the worker in which the session lives takes it, and only then sees what it is
        assert (await http.post(f"{HANDSHAKE}&sid={sids[0]}", content=large)).text == "OK"
        assert len(ports) == 1


async def test_bad_and_slow_visitors_are_answered_and_hinder_nobody(server: ServerProcess) -> None:
    slow = await asyncio.open_connection("127.0.0.1", server.port)
    slow[1].write(b"GET /hea")
    bad = await asyncio.open_connection("127.0.0.1", server.port)
    bad[1].write(b"what is this\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        assert (await bad[0].readline()).startswith(b"HTTP/1.1 400 ")
        async with httpx.AsyncClient(base_url=server.url) as http:
            assert (await http.get("/ready")).json() == {"status": "ready"}
        slow[1].write(b"lth HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert (await slow[0].readline()).startswith(b"HTTP/1.1 200 ")
    for _, writer in (slow, bad):
        writer.close()


async def test_a_worker_killed_while_people_type_loses_nothing_and_comes_back(server: ServerProcess) -> None:
    document_id = await new_document(server)
    async with typists(page(server, document_id), document_id, ["ann", "bert"]) as (ann, bert):
        home = worker_of(ann)
        assert home == worker_of(bert)
        pid = next(line["pid"] for line in lines(server, "server_started") if line["worker"] == home)
        typing = asyncio.gather(*(person.keeps_typing(60, 5) for person in (ann, bert)))
        await ann.bell.until(lambda: len(ann.saved) >= 10)
        assert isinstance(pid, int)
        os.kill(pid, signal.SIGKILL)
        await typing
        await all_agree([ann, bert])
        assert min(ann.times_joined, bert.times_joined) >= 2
        await until(lambda: len(lines(server, "server_started")) == 4, PATIENCE)
        (ended,) = lines(server, "worker_ended")
        assert (ended["worker"], ended["pid"], ended["code"]) == (home, pid, -signal.SIGKILL)
        await is_home_again(server, document_id, home)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_all_workers_drain_and_leave(server: ServerProcess, number: signal.Signals) -> None:
    """A supervisor may signal the whole group: a worker that hears of it twice is not hurried."""
    document_id = await new_document(server)
    pids = children(server.pid)
    draining = asyncio.Event()
    socket = PatientClient()
    socket.on("draining", lambda _: draining.set())
    await socket.connect(page(server, document_id), transports=["websocket"])
    server.signal(number)
    async with asyncio.timeout(PATIENCE):
        await draining.wait()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    assert await server.end() == 0
    assert "server_stop_cut_short" not in "".join(server.log)
    await socket.disconnect()
    assert len(pids) == 3
    for pid in pids:
        await until_gone(pid)
    assert len(lines(server, "server_stopped")) == 3
    assert not lines(server, "worker_ended")


async def test_a_second_signal_cuts_a_stop_short(postgres: PostgresServer, tmp_path: Path) -> None:
    async with workers(postgres, tmp_path, "--shutdown-seconds", "600") as server:
        document_id = await new_document(server)
        async with typists(page(server, document_id), document_id, ["ann"]) as (ann,):
            postgres.pause()
            try:
                await ann.types()
                draining = asyncio.Event()
                ann.socket.on("draining", lambda _: draining.set())
                await ann.socket.call("presence", (document_id, {"state": None}))  # the edit has been heard
                server.signal(signal.SIGTERM)
                await asyncio.wait_for(draining.wait(), PATIENCE)
                server.signal(signal.SIGTERM)
                assert await server.end() == 0
            finally:
                postgres.resume()
        assert not ann.saved


async def test_workers_whose_parent_died_leave(server: ServerProcess) -> None:
    pids = children(server.pid)
    assert len(pids) == 3
    server.signal(signal.SIGKILL)
    for pid in pids:
        await until_gone(pid)
    assert len(lines(server, "server_stopped")) == 3


async def test_a_start_that_fails_is_refused_once() -> None:
    places = {
        "MANYHANDS_DATABASE_URL": "postgresql://nobody:x@127.0.0.1:1/none",
        "MANYHANDS_REDIS_URL": "redis://127.0.0.1:1",
    }
    code, out, err = await run("serve", "--workers", "3", "--port", "0", **places)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"manyhands: .*postgresql://127\.0\.0\.1:1/none.*\n", err), err


async def test_a_worker_that_hangs_is_replaced(postgres: PostgresServer) -> None:
    async with redis_server() as redis, httpx.AsyncClient() as http:
        places = Places(database_url=await postgres.new_schema(), redis_url=redis.url)
        config = Config(places=places, cores=Cores(2), logs=Logs(log_level="error"))
        with contextlib.closing(bind("127.0.0.1", 0)) as listener, log_lines() as said:
            parent = Parent(config, listener, silence=6)
            ready = asyncio.Event()
            serving = asyncio.create_task(parent.serve(ready.set))
            await asyncio.wait_for(ready.wait(), PATIENCE)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            document_id = (await http.post(f"{url}/api/documents", json={"title": "Story"})).json()["id"]
            async with typists(f"{url}?document={document_id}", document_id, ["ann"]) as (ann,):
                pid = parent.pid(worker_of(ann))
                assert pid is not None
                os.kill(pid, signal.SIGSTOP)
                await ann.types()
                await ann.all_saved()
                assert ann.times_joined == 2
            parent.stop()
            assert await serving
        (ended,) = [line for line in said if line["event"] == "worker_ended"]
        assert (ended["pid"], ended["reason"]) == (pid, "It said nothing for 6 s.")
