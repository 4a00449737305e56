"""The serving process's side of one worker process: start, jobs one at a time, end, replacement."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path

from msgspec.msgpack import Decoder

import server
from crdt.errors import Code, InvariantError, Unavailable
from server.sandbox.judging import MOST_KEPT
from server.sandbox.messages import HEAD, OUT_OF_MEMORY, WANT_OF_MEMORY, Answer, SandboxRejected, read

START_SECONDS = 30.0
"""Most seconds until a worker is ready. It takes 0.2 s on a healthy machine."""

PATIENCE = 4.0
"""A job may take its processor time, times this number, by the clock.

A job that takes longer shows that the machine is too busy, not that the bytes are bad.
"""

DYING_SECONDS = 5.0
"""A process that has closed its pipe is killed if it has not ended within this time."""

_ROOT = Path(server.__file__).parent.parent
# The collector is off before the imports: it would take a fifth of the start.
_PROGRAM = "import gc; gc.disable(); from server.sandbox.worker import main; main()"
_READ_LIMIT = 2**20
_NOT_OUR_DOING = {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_DEATHS = {
    signal.SIGPROF: "The content takes too long to work with.",
    signal.SIGABRT: WANT_OF_MEMORY,
    signal.SIGSEGV: "The content is damaged, or nested too deeply to work with.",
}
_CLOSED = "The sandbox is closed."
_read_answer = Decoder(Answer).decode


class Worker:
    """One worker process at a time, replaced when it ends. Two tasks must not use it at once."""

    def __init__(self, memory_bytes: int, job_seconds: float) -> None:
        self._memory_bytes = memory_bytes
        self._job_seconds = job_seconds
        self._process: Process | None = None
        self._dying: Process | None = None
        self._closed = False
        self.judges: OrderedDict[str, None] = OrderedDict()
        """The documents whose judges the process has lately been asked for."""

    def keeps(self, document: str) -> None:
        """Take note that the process gets a judge for a document."""
        self.judges[document] = None
        self.judges.move_to_end(document)
        if len(self.judges) > MOST_KEPT:
            self.judges.popitem(last=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    async def start(self) -> Process:
        """Return a process that is ready for a job. Raises Unavailable if none can be started."""
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._kill()
        await self.wait()
        self._check_open()
        self.judges.clear()
        arguments = [str(self._memory_bytes), str(self._job_seconds)]
        try:
            # The process runs in the directory that holds the package, so that Python finds the
            # package only there.
            self._process = process = await asyncio.create_subprocess_exec(
                sys.executable, "-E", "-s", "-c", _PROGRAM, *arguments,
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=_ROOT, env={}, start_new_session=True, limit=_READ_LIMIT,
            )  # fmt: skip
        except OSError as error:
            raise Unavailable(f"The sandbox process cannot be started: {error.strerror}.") from error
        try:
            self._check_open()  # while the process was made, `close` did not know it yet
            async with asyncio.timeout(START_SECONDS):
                await self._receive(process)
        except (TimeoutError, asyncio.IncompleteReadError, InvariantError) as error:
            self._kill()
            code = await _gone(process)
            raise Unavailable(
                _CLOSED if self._closed else f"The sandbox process failed at its start ({code})."
            ) from error
        except BaseException:
            self._kill()
            raise
        return process

    async def ask(self, job: bytes) -> Answer:
        """Give the process a job, and return its answer. After any error, the process is replaced.

        Raises SandboxRejected if the bytes are at fault, or Unavailable.
        """
        process = await self.start()
        try:
            async with asyncio.timeout(PATIENCE * self._job_seconds):
                return await self._exchange(process, job)
        except TimeoutError as error:
            self._kill()
            raise Unavailable("The sandbox did not finish in time: the machine is too busy.") from error
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            raise self._obituary(await self._last_words(process)) from error
        except BaseException:
            self._kill()
            raise

    def end(self) -> None:
        """End the process. The next job starts another one."""
        self._kill()

    def close(self) -> None:
        """End the process and take no more jobs."""
        self._closed = True
        self._kill()

    def _check_open(self) -> None:
        if self._closed:
            raise Unavailable(_CLOSED)

    async def wait(self) -> None:
        """Wait until the process that was ended or died is gone."""
        if self._dying is not None:
            await _gone(self._dying)

    async def _exchange(self, process: Process, job: bytes) -> Answer:
        assert process.stdin is not None
        process.stdin.write(HEAD.pack(len(job)))
        process.stdin.write(job)
        await process.stdin.drain()
        answer = await self._receive(process)
        if not answer.stays:
            self._kill()  # the process has grown or served enough; only its end frees its memory
        return answer

    async def _receive(self, process: Process) -> Answer:
        assert process.stdout is not None
        (length,) = HEAD.unpack(await process.stdout.readexactly(HEAD.size))
        if length > self._memory_bytes:
            raise InvariantError("The sandbox's answer is too large.")
        return read(await process.stdout.readexactly(length), _read_answer)

    def _kill(self) -> None:
        """End the process. It takes a moment to be gone, but gets no more jobs."""
        if self._process is None:
            return
        self._dying, self._process = self._process, None
        assert self._dying.stdin is not None
        self._dying.stdin.close()
        with suppress(ProcessLookupError):
            self._dying.kill()

    async def _last_words(self, process: Process) -> int:
        """Wait for the exit code of a process that has closed its pipe, without a signal to it.

        Sending a signal first reads the exit code. asyncio would then not get the code, and would
        report 255.
        """
        if self._process is process:
            self._dying, self._process = process, None
        try:
            async with asyncio.timeout(DYING_SECONDS):
                return await _gone(process)
        except TimeoutError:
            with suppress(ProcessLookupError):  # it may have ended in this very turn
                process.kill()
            return await _gone(process)

    def _obituary(self, code: int) -> Exception:
        """Return the error for a process that ended during a job, judging by its exit code."""
        if self._closed:
            return Unavailable(_CLOSED)
        if code == OUT_OF_MEMORY:
            return SandboxRejected(WANT_OF_MEMORY, died=True)
        if code >= 0 or -code in _NOT_OUR_DOING:
            return Unavailable(f"The sandbox process was ended from outside ({code}).")
        why = Code.TOO_COSTLY if -code == signal.SIGPROF else Code.BAD_UPDATE
        return SandboxRejected(_DEATHS.get(signal.Signals(-code), "The content is damaged."), why, died=True)


async def _gone(process: Process) -> int:
    """Wait until a process is gone, and return its exit code.

    asyncio tells the code only when the pipe has been read to its end. An answer that nobody wants
    any more may be in the pipe, and asyncio does not read on by itself.
    """
    assert process.stdout is not None
    while await process.stdout.read(_READ_LIMIT):
        pass
    return await process.wait()
