"""A plugin of pytest: a test that hangs says what everybody waits for, and leaves nothing behind.

1. When its time is over, a test is ended as by Ctrl-C. So an asynchronous one is cancelled where it
   waits, and closes what it has opened. The report tells where each task of the loop waited.
2. A test that does not end by that has `LAST_SECONDS` more, and is left where it is.
3. What such a test did not close is collected in silence. Otherwise a later test would be blamed.
4. A test that has failed has the same time again for its end, which pytest-timeout does not watch.
"""

import asyncio
import gc
import signal
import sys
import threading
import warnings
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest
from pytest_timeout import is_debugging

LAST_SECONDS = 30.0
"""Seconds for the end of a test whose time is over: servers and browsers take a few to stop."""


class Watch:
    """The time of one test. `hangs`: what it waited for, each time that the time was over."""

    def __init__(self, seconds: float) -> None:
        self.hangs: list[str] = []
        self._seconds = seconds
        self._interrupted = False

    def begin(self) -> None:
        self._interrupted = False
        signal.signal(signal.SIGALRM, self._is_over)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def end(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _is_over(self, _number: int, frame: FrameType | None) -> None:
        __tracebackhide__ = True
        if is_debugging():
            return
        if not self._interrupted:
            self._interrupted = True
            self.hangs.append(f"This hung for {self._seconds:g} seconds.{_where_all_wait()}")
            signal.setitimer(signal.ITIMER_REAL, min(self._seconds, LAST_SECONDS))
            interrupt = signal.getsignal(signal.SIGINT)  # asyncio's own cancels the task that runs the test
            if callable(interrupt):
                interrupt(signal.SIGINT, frame)
                return
        pytest.fail(self.hangs[-1])


_watch = pytest.StashKey[Watch]()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    """Watch in place of pytest-timeout, where signals can do it."""
    if settings.method != "signal" or threading.current_thread() is not threading.main_thread():
        return None
    watch = item.stash[_watch] = Watch(settings.timeout)
    item.cancel_timeout = watch.end  # type: ignore[attr-defined]  # pytest-timeout calls it
    watch.begin()
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    yield from _told(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    yield from _told(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    watch = item.stash.get(_watch, None)
    if watch is not None and not signal.getitimer(signal.ITIMER_REAL)[0]:  # a failure has ended it
        watch.begin()
    yield from _told(item)


def _told(item: pytest.Item) -> Generator[None]:
    """Let a phase that has hung fail by that, whatever came of the interruption."""
    watch = item.stash.get(_watch, None)
    if watch is None:
        yield
        return
    known = len(watch.hangs)
    try:
        yield
    except BaseException as outcome:
        if len(watch.hangs) > known:
            raise pytest.fail.Exception(watch.hangs[-1]) from outcome
        raise
    if len(watch.hangs) > known:
        pytest.fail(watch.hangs[-1])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool, bool]:
    try:
        return (yield)
    finally:
        if _watch in item.stash and item.stash[_watch].hangs:
            _collect_in_silence()


def _collect_in_silence() -> None:
    sys.last_type = sys.last_value = sys.last_traceback = None
    if hasattr(sys, "last_exc"):
        del sys.last_exc
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


# Where tasks wait.


def _where_all_wait() -> str:
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:
        return ""  # no loop runs
    return "".join(f"\n{task.get_name()} waited:{_where(task.get_coro())}" for task in sorted(tasks, key=_age))


def _age(task: "asyncio.Task[Any]") -> tuple[int, str]:
    name = task.get_name()
    return len(name), name


def _where(at: Any) -> str:
    """Return the places of a coroutine and of all that it awaits, outermost first."""
    lines = []
    while at is not None:
        kind = next((each for each in ("cr", "gi", "ag") if hasattr(at, f"{each}_frame")), None)
        if kind is None:
            # What drives an asynchronous generator does not tell which, but the collector knows.
            at = next((each for each in gc.get_referents(at) if hasattr(each, "ag_frame")), None)
            continue
        frame = getattr(at, f"{kind}_frame")
        if frame is not None:
            lines.append(f"\n    {at.__qualname__}, {frame.f_code.co_filename}:{frame.f_lineno}")
        at = getattr(at, f"{kind}_await" if kind != "gi" else "gi_yieldfrom")
    return "".join(lines) or " nowhere"
