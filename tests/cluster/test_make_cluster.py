"""`make cluster` as somebody has it who tries it out: one command, everybody's lines, and nothing left behind after Ctrl-C."""

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp

from deploy.loopback.cluster import Ports
from deploy.loopback.waiting import PATIENCE, listens, status_of
from tests.cluster.marks import CLUSTER
from tests.harness.live_server import until
from tests.harness.ports import is_quiet, quiet_port
from tests.harness.processes import mortal

pytestmark = CLUSTER

REPOSITORY = Path(__file__).parents[2]


class Command:
    """A running `make cluster`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode().rstrip())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    async def shows(self, words: str) -> None:
        """Wait for a line."""
        await until(lambda: words in self.said or self.listening.done(), 2 * PATIENCE)
        assert words in self.said, self.said

    def node(self, port: int) -> int:
        """The process id of the node at a port."""
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            if f"MANYHANDS_PORT={port}\0" in Path(f"/proc/{pid}/environ").read_text():
                return int(pid)
        raise AssertionError(port)


@contextmanager
def open_directory() -> Iterator[Path]:
    """One that PostgreSQL can reach as another user."""
    directory = Path(tempfile.mkdtemp(prefix="manyhands-make-cluster-"))
    os.chmod(directory, 0o711)  # noqa: PTH101 - it is ours
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def six_in_a_row() -> Ports:
    while True:
        ports = Ports.from_first(quiet_port())
        if all(is_quiet(port) for port in ports.all):
            return ports


@asynccontextmanager
async def make_cluster(directory: Path, ports: Ports) -> AsyncIterator[Command]:
    arguments = ("-m", "deploy.loopback", "--port", str(ports.balancer), "--dir", str(directory))
    process = await asyncio.create_subprocess_exec(
        *mortal(sys.executable, *arguments),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    command = Command(process)
    try:
        yield command
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await command.listening


async def test_one_command_runs_all_of_it_until_ctrl_c() -> None:
    ports = six_in_a_row()
    url = f"http://127.0.0.1:{ports.balancer}"
    with open_directory() as directory:
        async with make_cluster(directory, ports) as command, aiohttp.ClientSession() as http:
            await command.shows(f"Manyhands is at {url}")
            steps = re.findall(r"cluster │ (Starting .+)", command.said)
            assert steps == ["Starting Redis", "Starting PostgreSQL", "Starting 3 nodes", "Starting HAProxy"]
            assert any(line.lstrip().startswith("node-3 │ ") for line in command.lines)
            async with http.post(f"{url}/api/documents", json={"title": "Story"}) as made:
                assert made.status == 201
            os.kill(command.node(ports.nodes[0]), signal.SIGKILL)
            await command.shows("node-1 has ended (-9); it is started again.")
            async with asyncio.timeout(PATIENCE):
                while await status_of(ports.nodes[0], "/ready") != 200:  # noqa: ASYNC110 - another process has no event
                    await asyncio.sleep(0.1)
            command.process.send_signal(signal.SIGINT)
            await command.shows("Everything has stopped.")
            assert await command.process.wait() == 0
        assert not any([await listens(port) for port in ports.all])


async def test_a_port_that_is_taken_is_named_and_nothing_is_started() -> None:
    ports = six_in_a_row()
    with open_directory() as directory:
        other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", ports.redis)
        async with other, make_cluster(directory, ports) as command:
            await command.shows(f"Port {ports.redis} on 127.0.0.1 is in use")
            assert await command.process.wait() == 1
        assert not any([await listens(port) for port in ports.all])
        assert not (directory / "postgres").exists()
