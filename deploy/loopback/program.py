"""Program that is started, listened to, and ended by its process id, with all of its children."""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Hear = Callable[[str, str], None]
"""Called with the program's name and the line, for each line that a program writes."""


class CannotStart(Exception):
    """A program cannot start. The text is a sentence for the person who started the set-up."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line and its surroundings. `user` is another user to run it as, if we are root."""

    argv: Sequence[str]
    directory: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    last_words: signal.Signals = signal.SIGTERM
    """The signal that ends the program in good order."""


class Program:
    """One process at a time under one name.

    The process has a session of its own, so a Ctrl-C in the terminal does not reach it.
    """

    def __init__(self, name: str, command: Command, hear: Hear) -> None:
        self.name = name
        self.command = command
        self._hear = hear
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the program was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the program. Raises CannotStart if there is no such program or user."""
        command = self.command
        if shutil.which(command.argv[0]) is None:
            raise CannotStart(f"{self.name} does not start: there is no {command.argv[0]}.")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *mortal(*command.argv, by=command.last_words),
                cwd=command.directory,
                env={**inherited(), **command.environ},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
                **identity(command.user),
            )
        except (OSError, ValueError) as error:
            raise CannotStart(f"{self.name} does not start: {error}.") from error
        assert self._process.stdout is not None
        self._listening = asyncio.create_task(self._listen(self._process.stdout))

    async def _listen(self, lines: asyncio.StreamReader) -> None:
        while line := await _line(lines):
            self._hear(self.name, line.decode(errors="replace").rstrip())

    def signal(self, number: signal.Signals, *, whole_family: bool = False) -> None:
        """Send a signal to the process, and to all of its children if `whole_family` is set.

        Nothing happens if the process has ended.
        """
        if self.running:
            assert self._process is not None
            for pid in _family(self._process.pid) if whole_family else [self._process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)

    async def ended(self) -> int:
        """Wait for the process to end and for its last lines. Return its exit code."""
        assert self._process is not None
        code = await self._process.wait()
        if self._listening is not None:
            # A grandchild that was not ended may hold the pipe open. Its lines are not needed.
            await asyncio.wait({self._listening}, timeout=1)
            self._listening.cancel()
        return code

    async def stop(self, seconds: float = 15.0) -> None:
        """End the process in good order, or by SIGKILL after so many seconds."""
        self.signal(self.command.last_words)
        if self.running:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.ended()
        await self.kill()

    async def kill(self) -> None:
        """Send SIGKILL to the process and its children, and wait until the process is gone."""
        self.signal(signal.SIGKILL, whole_family=True)
        if self._process is not None:
            await self.ended()


def mortal(*argv: str | os.PathLike[str], by: signal.Signals = signal.SIGKILL) -> list[str]:
    """Return a command whose process gets a signal if its parent dies, in whatever way.

    This works on Linux with `setpriv`. Elsewhere the command is returned as it is.
    """
    tie = shutil.which("setpriv")
    return [*([tie, "--pdeathsig", by.name.removeprefix("SIG")] if tie else []), *(os.fspath(each) for each in argv)]


def inherited() -> dict[str, str]:
    """Return this process's environment without the settings of Manyhands and PostgreSQL."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MANYHANDS_", "PG"))}


def identity(user: str | None) -> dict[str, Any]:
    """Return the arguments that run a subprocess as another user. None keeps our own user."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def _family(pid: int) -> list[int]:
    """Return the ids of a process and its descendants. Without Linux's /proc, only its own."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(each for child in children for each in _family(int(child)))]


async def _line(lines: asyncio.StreamReader) -> bytes:
    try:
        return await lines.readline()
    except ValueError:
        return b"(a line too long to show)\n"
