"""Runs of pytest with this repository's configuration over a few tests that go wrong: each is named, and nothing lives on."""

import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.harness.bell import PATIENCE
from tests.harness.processes import mortal

pytestmark = pytest.mark.slow

HOUSE = Path(__file__).parents[1]
OUR_CONFTEST = 'pytest_plugins = ["tests.conftest"]\n'
WORKERS = ("-n", "2", "--dist", "loadgroup")
ONE_WORKER = ("-n", "1")
ONE_PROCESS = ("-p", "no:xdist")

SLEEPER = 'import signal; signal.pause()  # "nobody ends me"'
"""The program of a process that stays until it is ended."""

UNTELLABLE = """
import gc


class Loud:
    def __init__(self):
        self.itself = self  # only the garbage collector ends it

    def __del__(self):
        known = {"here": 1}
        known["there"] + known["nowhere"] * 2  # what fails is underlined in a traceback: for that, Python parses it


def test_fails_before_garbage_is_collected():
    gc.collect()
    gc.set_threshold(5000, 10, 10)  # in the middle of parsing this file
    Loud()
    raise KeyError("found nothing")


def test_fails_in_what_shows_it():
    __tracebackhide__ = lambda _: 1 / 0
    raise KeyError("found nothing either")


""" + "\n".join(f"ROW_{number} = [{'0, ' * 50}]" for number in range(200))

UNLUCKY = """
import asyncio, gc, signal, socket, threading, warnings
from contextlib import asynccontextmanager
import pytest
from hypothesis import given, settings, strategies


@pytest.fixture
def unending():
    yield
    raise RuntimeError("the fixture does not end")


def test_has_a_fixture_that_fails_at_its_end(unending):
    pass


def test_warns():
    warnings.warn("do not use this any more", DeprecationWarning)


@pytest.mark.timeout(3)
def test_hangs():
    threading.Event().wait()


def time_is_over():
    # The others hang from the moment that they say, however slow the machine.
    asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGALRM)


@asynccontextmanager
async def resource(name):
    try:
        yield
    finally:
        print("closed:", name)


@pytest.mark.timeout(5)
async def test_hangs_in_the_loop():
    async with resource("in the loop"):
        time_is_over()
        await asyncio.create_task(asyncio.Event().wait(), name="the one who waits")


@pytest.mark.timeout(5)
async def test_hangs_at_its_end_as_well():
    ours, theirs = socket.socketpair()
    _, writer = await asyncio.open_connection(sock=ours)
    time_is_over()
    try:
        await asyncio.Event().wait()
    finally:
        time_is_over()
        await asyncio.Event().wait()


def test_is_not_blamed_for_what_another_did_not_close():
    gc.collect()


def test_is_given_up_by_a_thread():
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()


@given(strategies.integers())
def test_holds_for_some_numbers_only(number):
    assert number > 7


def test_has_fresh_examples_and_time_for_them():
    assert (settings().derandomize, settings().deadline) == (False, None)


def test_goes_well():
    pass
"""

FATAL = """
import os, signal


def test_ends_its_process():
    os.kill(os.getpid(), signal.SIGSEGV)


def test_cannot_be_reported(record_property):
    record_property("no message can hold", object())


def test_goes_well_in_another_process():
    pass


def test_goes_well_as_well():
    pass
"""

LEAVING = """
import gc, os, subprocess, sys


class Loud:
    def __del__(self):
        raise KeyError("too late for every test")


def test_leaves_an_orphan_and_garbage_behind():
    program = "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', os.environ['SLEEPER']])"
    subprocess.run([sys.executable, "-c", program], check=True)
    gc.disable()  # no later test shall hear of it
    loud = Loud()
    loud.itself = loud
"""

STARTING = """
import os, subprocess, sys, threading
from tests.harness.processes import mortal


def test_starts_two_and_is_interrupted():
    sleeper = (sys.executable, "-c", os.environ["SLEEPER"])
    tied = subprocess.Popen(mortal(*sleeper))
    loose = subprocess.Popen(sleeper, start_new_session=True)
    with open(os.environ["TOLD"], "w") as pipe:
        pipe.write(f"{os.getpid()} {tied.pid} {loose.pid}")
    threading.Event().wait()
"""


@dataclass(frozen=True)
class Run:
    """What a run said, and its exit code."""

    said: str
    code: int

    @property
    def failed(self) -> set[str]:
        """The names in its short summary."""
        return set(re.findall(r"^(?:FAILED|ERROR) (?:\S+::)?([\w. ]+?)(?: - .*)?$", self.said, re.MULTILINE))

    @property
    def closing_line(self) -> str:
        return self.said.rstrip().rpartition("\n")[2].strip("= ")


def prepare(directory: Path, **files: str) -> None:
    (directory / "conftest.py").write_text(OUR_CONFTEST)
    for name, text in files.items():
        (directory / f"test_{name}.py").write_text(text)


def begin(directory: Path, how: Sequence[str], **variables: str) -> subprocess.Popen[str]:
    config = ("-c", str(HOUSE / "pyproject.toml"), "--rootdir", str(directory), "-p", "no:cacheprovider")
    return subprocess.Popen(
        mortal(sys.executable, "-m", "pytest", *config, *how, directory),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(HOUSE), "CI": "true", "SLEEPER": SLEEPER, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(directory: Path, how: Sequence[str], **files: str) -> Run:
    prepare(directory, **files)
    process = begin(directory, how)
    said, _ = process.communicate()
    return Run(said, process.returncode)


def has_ended(pid: int) -> bool:
    """Wait for the end of a process that may be nobody's child."""
    try:
        end = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    ended, _, _ = select.select([end], [], [], PATIENCE)
    os.close(end)
    return bool(ended)


GONE_WRONG = {
    "test_fails_before_garbage_is_collected",
    "test_fails_in_what_shows_it",
    "test_has_a_fixture_that_fails_at_its_end",
    "test_warns",
    "test_hangs",
    "test_hangs_in_the_loop",
    "test_hangs_at_its_end_as_well",
    "test_is_given_up_by_a_thread",
    "test_holds_for_some_numbers_only",
    "test_unreadable.py",
    "the whole run",
}
GOES_WRONG = {
    "untellable": UNTELLABLE,
    "unlucky": UNLUCKY,
    "unreadable": "import nothing_of_this_name\n",
    "zealously_leaving": LEAVING,  # the last in the alphabet
}


def tells_everything(ran: Run) -> None:
    """What is left after the last test is an error of the whole run, and is no more."""
    assert ran.code == 1, ran.said
    assert "too late for every test" in ran.said
    assert "@reproduce_failure(" in ran.said
    assert "the one who waits waited:" in ran.said
    assert "closed: in the loop" in ran.said
    (pid,) = set(re.findall(r"left behind, and has been killed: (\d+): .*nobody ends me", ran.said))
    assert has_ended(int(pid))


def test_every_failure_is_named(tmp_path: Path) -> None:
    ran = run(tmp_path, ONE_PROCESS, **GOES_WRONG)
    tells_everything(ran)
    assert ran.failed == GONE_WRONG, ran.said
    assert re.fullmatch(r"8 failed, 5 passed, 1 warning, 3 errors in .*", ran.closing_line), ran.said


def test_every_failure_in_a_worker_is_named_and_a_test_that_ends_it_ends_no_other(tmp_path: Path) -> None:
    ran = run(tmp_path, WORKERS, **GOES_WRONG, fatal=FATAL)
    tells_everything(ran)
    assert ran.failed == GONE_WRONG | {"test_ends_its_process", "test_cannot_be_reported"}, ran.said
    assert re.match(r"10 failed, 7 passed, ", ran.closing_line), ran.said


ENDS = [(signal.SIGINT, ONE_PROCESS), (signal.SIGTERM, ONE_WORKER), (signal.SIGKILL, ONE_WORKER)]


@pytest.mark.parametrize(("number", "how"), ENDS, ids=["interrupt", "term", "kill"])
def test_no_process_outlives_a_run_that_is_ended(tmp_path: Path, number: signal.Signals, how: Sequence[str]) -> None:
    process, (tester, tied, loose) = begun(tmp_path, how)
    process.send_signal(number)
    said, _ = process.communicate()
    for pid in (tester, tied, loose):
        assert has_ended(pid), said


def test_no_process_outlives_a_worker_that_is_killed(tmp_path: Path) -> None:
    process, (tester, tied, loose) = begun(tmp_path, ONE_WORKER)
    os.kill(tester, signal.SIGKILL)
    said, _ = process.communicate()
    assert Run(said, process.returncode).failed == {"test_starts_two_and_is_interrupted", "the whole run"}, said
    for pid in (tied, loose):
        assert has_ended(pid)


def begun(directory: Path, how: Sequence[str]) -> tuple[subprocess.Popen[str], list[int]]:
    """A run in the middle of its only test; with the numbers of its process, and of two that it has started."""
    prepare(directory, starting=STARTING)
    pipe = directory / "told"
    os.mkfifo(pipe)
    process = begin(directory, how, TOLD=str(pipe))
    return process, [int(pid) for pid in pipe.read_text().split()]
