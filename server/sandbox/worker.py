"""The worker process: it limits itself, and then reads jobs and answers them until its input ends.

Run as `python -m server.sandbox.worker <memory bytes> <processor seconds per job>`, with pipes for
input and output.
"""

import gc
import os
import pickle
import resource
import signal
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

from msgspec.structs import replace

from crdt.errors import Code, ProtocolError
from server.sandbox import jobs
from server.sandbox.messages import HEAD, OUT_OF_MEMORY, Answer, SandboxRejected, write

JOBS_PER_PROCESS = 1000
RETIRING_SHARE = 4
"""A process that holds more than 1 / RETIRING_SHARE of its memory limit after a job is replaced.

Heaps seldom shrink.
"""

_LEAST_JOB = 16 * 2**20
"""Bytes of memory without which no job is worth starting."""

_TOO_LARGE = "The content needs more memory than the sandbox has."
_DAMAGED = "The content is damaged: the document engine cannot work with it."


def main() -> None:
    """Serve until the other side closes the pipe."""
    memory_bytes, job_seconds = int(sys.argv[1]), float(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # The collector would walk through everything that a job holds, over and over. Garbage ends with
    # the process.
    gc.disable()
    bytearray(_LEAST_JOB)  # too little memory ends the process here, before it reports ready
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output that a library prints must not get between the answers
    _send(answers, Answer())
    for served in count(1):
        try:
            job = _receive(requests)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        if job is None:
            return
        answer = _answer(*job, job_seconds)
        stays = may_stay(served, _resident_bytes(), memory_bytes)
        _send(answers, replace(answer, stays=stays))


def _answer(job: str, given: Sequence[Any], job_seconds: float) -> Answer:
    # ITIMER_PROF counts the processor time of this job in microseconds. Its signal ends the
    # process, even inside of native code. RLIMIT_CPU counts whole seconds over the process's life.
    signal.setitimer(signal.ITIMER_PROF, job_seconds)
    try:
        return Answer(write(jobs.run(job, given)))
    except ProtocolError as error:
        message = error.message.encode("utf-8", "replace").decode()
        return Answer(refusal=(error.code, message), rejected=isinstance(error, SandboxRejected))
    except MemoryError:
        # The whole document needs the memory, and no single update is to blame.
        why = Code.TOO_COSTLY if job in ("trial", "content", "edit") else Code.BAD_UPDATE
        return Answer(refusal=(why, _TOO_LARGE), rejected=True)
    except BaseException:  # noqa: BLE001 - pycrdt's panics derive from BaseException
        return Answer(refusal=(Code.BAD_UPDATE, _DAMAGED), rejected=True)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _receive(requests: BinaryIO) -> tuple[str, Sequence[Any]] | None:
    """Read one job. Return None if the pipe is closed, also in the middle of a job."""
    head = requests.read(HEAD.size)
    length = HEAD.unpack(head)[0] if len(head) == HEAD.size else 0
    message = requests.read(length)
    return pickle.loads(message) if message and len(message) == length else None


def _send(answers: BinaryIO, answer: Answer) -> None:
    message = write(answer)
    answers.write(HEAD.pack(len(message)))
    answers.write(message)
    answers.flush()


def may_stay(served: int, resident_bytes: int, memory_bytes: int) -> bool:
    """Whether a process that has served so many jobs may take another one."""
    return served < JOBS_PER_PROCESS and resident_bytes < memory_bytes // RETIRING_SHARE


def _resident_bytes() -> int:
    """Return the bytes of memory in use now.

    ru_maxrss does not serve, because Linux lets a child inherit its parent's peak.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
