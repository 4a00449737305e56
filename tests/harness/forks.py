"""Servers that are forks of one process with all imports, which are most of a server's start.

Such a server is a process as any other. It runs the same `main` with its own arguments, environment
and folder, it is a child of the process that runs the test, and dies with it.

1. `python -m tests.harness.forks` is the fork server. It imports, and does nothing but fork.
2. For each request it forks a child, which forks the server and ends. The kernel then gives the
   server to the nearest process that adopts orphans (tests/harness/processes.py), which is the
   test's. So the test waits for the server as for one that it has started itself.
3. No test's state is in the fork server: it runs no event loop, no thread, and opens no file.
"""

import asyncio
import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.harness.processes import mortal

HOUSE = Path(__file__).parents[2]

_IMPORTED = ("server.__main__", "server.cli.serve", "server.store.sqlite.database", "server.store.migrate")
"""Modules that import all that every server needs."""

_PR_SET_PDEATHSIG = 1
_REQUEST_BYTES = 2**20
_PID_BYTES = 16


class Forked:
    """A server that was forked. It has of an asyncio process what tests use."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader, stderr: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr
        self.returncode: int | None = None
        self._pidfd = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        os.close(self._pidfd)
        self._ended.set()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the server has ended."""
        if self.returncode is None:
            signal.pidfd_send_signal(self._pidfd, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Return the exit code, when the server has ended."""
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """Return what nobody has read yet, when the server has ended."""
        written = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return written


class Forks:
    """The fork server. It is started for the first server, and ends at the end of `opened`."""

    def __init__(self) -> None:
        self.are_open = False
        self._server: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._turn = threading.Lock()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Fork servers for a while. This process has to be one that adopts orphans."""
        self.are_open = True
        try:
            yield
        finally:
            self.are_open = False
            if self._line is not None and self._server is not None:
                self._line.close()
                self._server.wait()
            self._line = self._server = None

    async def start(self, directory: Path, arguments: Sequence[str], environ: Mapping[str, str]) -> Forked:
        """Start `manyhands` in a folder, with nothing to read from standard input."""
        line = self._line or self._begin()
        (out, childs_out), (err, childs_err) = os.pipe(), os.pipe()
        given = (os.open(os.devnull, os.O_RDONLY), childs_out, childs_err)
        request = json.dumps([str(directory), [*arguments], {**environ}]).encode()
        answer = await asyncio.to_thread(self._ask, line, request, given)
        for each in given:
            os.close(each)
        return Forked(int(answer), await _reader(out), await _reader(err))

    def _begin(self) -> socket.socket:
        """Start the fork server. Not in another thread, because it would die with the thread."""
        self._line, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self._server = subprocess.Popen(mortal(sys.executable, "-m", __name__), cwd=HOUSE, stdin=far.fileno())
        return self._line

    def _ask(self, line: socket.socket, request: bytes, fds: Sequence[int]) -> bytes:
        with self._turn:
            socket.send_fds(line, [request], fds)
            answer = line.recv(_PID_BYTES)
        assert answer, "The fork server has ended. What it wrote last is above."
        return answer


FORKS = Forks()
"""The servers of this process."""


async def _reader(fd: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    return reader


def _serve_forks() -> None:
    """Fork a server for each request, until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C in the terminal is for the tests
    line = socket.socket(fileno=0)
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector would write to all pages, and each server would have to copy them
    while True:
        request, fds, _, _ = socket.recv_fds(line, _REQUEST_BYTES, 3)
        if not request:
            return
        waits, goes_on = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork():
                os._exit(0)
            os.close(goes_on)
            _wait_for_adoption(waits, line)
            _be_a_server(fds, *json.loads(request))
        os.waitpid(child, 0)
        for each in (waits, goes_on, *fds):
            os.close(each)


def _wait_for_adoption(waits: int, line: socket.socket) -> None:
    """Return when the parent between has ended: the test's process is the parent now."""
    os.read(waits, 1)
    os.close(waits)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    line.send(str(os.getpid()).encode())
    line.detach()


def _be_a_server(fds: Sequence[int], directory: str, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Do what `python -m server` does, and exit."""
    for number, each in enumerate(fds):
        os.dup2(each, number)
        os.close(each)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv[1:] = arguments
    main: Callable[..., None] = importlib.import_module("server.__main__").main
    main(prog_name="manyhands")


if __name__ == "__main__":
    _serve_forks()
