"""One worker as the parent sees it: a process that is started, says what it is about, and ends."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from contextlib import suppress
from pathlib import Path

import server
from server.workers import words
from server.workers.channel import Channel, line
from server.workers.reception import Reception

_ROOT = str(Path(server.__file__).parent.parent)


DOUBT = 3
"""Seconds of silence after which nobody new is sent to a worker."""


class WorkerProcess:
    """A worker's one life, which ends by force after `silence` seconds without a word. `reason`: why it ended, or could not start."""

    def __init__(self, task: words.Task, reception: Reception, silence: int) -> None:
        self._task = task
        self._reception = reception
        self._process: Process | None = None
        self._channel: Channel | None = None
        self._stopping = self._leaving = False
        self._most_unanswered = silence
        self._unanswered = 0
        self._watch: asyncio.TimerHandle | None = None
        self.reason: str | None = None
        self.ready = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """The process, once there is one."""
        return None if self._process is None else self._process.pid

    async def live(self) -> int | None:
        """Start it and wait for its end: the exit code, or None when there is no starting it. When this is cancelled, it is killed."""
        try:
            ours, theirs = line()
            self._channel = Channel(ours, self._hear, self._hung_up)
            self._channel.listen()
            with theirs:
                self._process = await _start(theirs)
            if self._stopping:
                self._process.terminate()
            self._channel.send(self._task.encode())
            code = await self._process.wait()
            self._channel.hear_rest()
        except OSError as error:
            self.reason = f"A worker cannot be started: {error.strerror}."
            return None
        finally:
            self._hung_up()
            await self._bury()
        return code

    def stop(self) -> None:
        """Let it leave in good order; one that has not begun just ends."""
        self._stopping = True
        if not self.ready.is_set() and self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
        elif self._channel is not None:
            self._channel.send(words.STOP)

    def hurry(self) -> None:
        """Cut its leaving short."""
        if self._channel is not None:
            self._channel.send(words.HURRY)

    async def _bury(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def _hear(self, message: bytes, connection: socket.socket | None) -> None:
        if connection is not None:
            self._reception.take_back(message, connection)
        elif message == words.READY and self._channel is not None:
            self._reception.ready(self._task.number, self._channel)
            self.ready.set()
            self._look()
            if self._stopping:
                self._channel.send(words.STOP)
        elif message == words.PONG and self._channel is not None:
            if self._unanswered > DOUBT and not self._leaving:
                self._reception.ready(self._task.number, self._channel)
            self._unanswered = 0
        elif message == words.LEAVING:
            self._leaving = True
            self._look_away()
            self._reception.avoid(self._task.number)
        elif message.startswith(words.REFUSED):
            self.reason = message.removeprefix(words.REFUSED).decode()

    def _look(self) -> None:
        """Ask it for a sign of life, each second. It is questions that are counted: this process may have stood still itself."""
        assert self._process is not None
        assert self._channel is not None
        if self._unanswered == DOUBT:
            self._reception.avoid(self._task.number)
        if self._unanswered == self._most_unanswered:
            self.reason = f"It said nothing for {self._unanswered} s."
            with suppress(ProcessLookupError):
                self._process.kill()
            return
        self._channel.send(words.PING)
        self._unanswered += 1
        self._watch = asyncio.get_running_loop().call_later(1.0, self._look)

    def _look_away(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _hung_up(self) -> None:
        """It has closed its end, by dying or as its last act of leaving."""
        self._look_away()
        self._reception.gone(self._task.number)
        if self._channel is not None:
            self._channel.close()


async def _start(end: socket.socket) -> Process:
    # -P and the path: our package is found where it is, whatever directory this is; paths in the settings are relative to it.
    path = os.pathsep.join(filter(None, [_ROOT, os.environ.get("PYTHONPATH")]))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "server.workers.worker", str(end.fileno())),
        stdin=DEVNULL,
        pass_fds=[end.fileno()],
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,  # a Ctrl-C in the terminal is for the parent, which tells its workers
    )
