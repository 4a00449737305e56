"""A server as an operator has it: a process of its own, watched by what it prints and how it ends."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from click.testing import CliRunner

from server.__main__ import main
from tests.harness.bell import PATIENCE
from tests.harness.forks import FORKS, Forked
from tests.harness.processes import mortal

HOUSE = Path(__file__).parents[2]
FROM_SOURCE = (sys.executable, "-m", "server")


class ServerProcess:
    """A running `manyhands serve`, past its first line."""

    def __init__(self, process: asyncio.subprocess.Process | Forked, url: str, log: list[str]) -> None:
        self._process = process
        self.url = url
        self.log = log
        """What it has written to standard error so far."""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def end(self) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(PATIENCE):
            return await self._process.wait()


@asynccontextmanager
async def server_process(
    data_dir: Path, *options: str, program: Sequence[str] = FROM_SOURCE, directory: Path = HOUSE
) -> AsyncIterator[ServerProcess]:
    """Start a server on a free port, in a directory; kill it at the end if it still runs."""
    process = await _start(program, directory, ("serve", "--port", "0", "--data-dir", str(data_dir), *options))
    assert process.stdout is not None
    assert process.stderr is not None
    log: list[str] = []
    listening = asyncio.create_task(_listen(process.stderr, log))  # a pipe that nobody reads stops whoever writes
    try:
        async with asyncio.timeout(PATIENCE):
            line = (await process.stdout.readline()).decode()
        assert " is at http://" in line, line or log
        yield ServerProcess(process, line.split()[-1], log)
    finally:
        if process.returncode is None:
            process.kill()
        await listening
        await process.communicate()


async def _listen(stream: asyncio.StreamReader, log: list[str]) -> None:
    while line := await stream.readline():
        log.append(line.decode())


async def new_document(server: ServerProcess) -> str:
    """Make a document by the REST API; its id."""
    async with httpx.AsyncClient(base_url=server.url) as http:
        return str((await http.post("/api/documents", json={"title": "Story"})).json()["id"])


async def run(*arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run `manyhands` to its end: exit code, standard output, standard error."""
    process = await _start(FROM_SOURCE, HOUSE, arguments, **variables)
    try:
        async with asyncio.timeout(PATIENCE):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def command(*arguments: str, given: str = "", **variables: str) -> tuple[int, str, str]:
    """Do what `run` does in a thread of this process, with `given` on standard input.

    Not for `serve`, which takes the process over.
    """
    others = {name: None for name in os.environ if name.startswith("MANYHANDS_")}
    return await asyncio.to_thread(_invoke, arguments, given, {**others, **variables})


def _invoke(arguments: Sequence[str], given: str, variables: Mapping[str, str | None]) -> tuple[int, str, str]:
    thresholds = gc.get_threshold()
    try:
        result = CliRunner().invoke(main, arguments, given, variables, prog_name="manyhands")
    finally:
        gc.set_threshold(*thresholds)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


async def _start(
    program: Sequence[str], directory: Path, arguments: Sequence[str], **variables: str
) -> asyncio.subprocess.Process | Forked:
    """Start a program. The one from source is forked, which spares its imports (tests/harness/forks.py)."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MANYHANDS_")}
    environ = {**inherited, **variables}
    if program is FROM_SOURCE and FORKS.are_open:
        return await FORKS.start(directory, arguments, environ)
    return await asyncio.create_subprocess_exec(
        *mortal(*program, *arguments),
        cwd=directory,
        env=environ,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
