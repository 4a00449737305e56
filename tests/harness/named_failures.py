"""A plugin of pytest: every failure is reported by its name, whatever goes wrong in the report.

1. A failure whose traceback cannot be shown is shown without the traceback. Python 3.11 fails in
   this way when garbage is collected while pytest parses a source file. An error in a finaliser is
   formatted, which parses as well, and `ast` loses count (github.com/python/cpython/issues/106905:
   "AST constructor recursion depth mismatch"). So no garbage is collected meanwhile.
2. A worker of pytest-xdist dies if pytest itself fails in it. The test that it ran is reported, and
   another worker goes on. Otherwise the worker would say "finished", and the whole run would end
   with an assertion of xdist's.
3. Problems after the last test are errors of "the whole run": exceptions that nobody could catch,
   fixtures that do not end, and processes that were left behind.
4. SIGTERM ends a run as Ctrl-C does. So does SIGINT if the run's parent ignores signals.
"""

import gc
import os
import signal
import sys
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Literal

import pytest

from tests.harness.processes import ADIEU, adopt_orphans, end_what_is_left

_FOUND = "manyhands_found_after_the_last_test"
_ENDS_THE_RUN = (KeyboardInterrupt, SystemExit, pytest.exit.Exception)


@contextmanager
def _no_garbage_collected() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    try:
        with _no_garbage_collected():
            return (yield)
    except _ENDS_THE_RUN:
        raise
    except BaseException as trouble:  # noqa: BLE001 - a panic or pytest-timeout's is no Exception, and the name is told whatever it is
        return _bare_report(item, call, trouble)


def _bare_report(item: pytest.Item, call: pytest.CallInfo[None], trouble: BaseException) -> pytest.TestReport:
    """Report a failure without pytest's own formatting."""
    what = "".join(traceback.format_exception(call.excinfo.value, limit=-10)) if call.excinfo else ""
    why = "".join(traceback.format_exception_only(trouble))
    text = f"{what}\n(pytest could not show this itself: {why.strip()})"
    keywords: dict[str, Literal[1]] = dict.fromkeys(item.keywords, 1)
    assert call.when != "collect"
    return pytest.TestReport(item.nodeid, item.location, keywords, "failed", text, call.when, duration=call.duration)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    with _no_garbage_collected():
        return (yield)


def pytest_configure(config: pytest.Config) -> None:
    adopt_orphans()
    _heed_signals()
    if _is_worker(config):
        config.pluginmanager.register(_DyingWorker(config))
    else:
        signal.signal(signal.SIGTERM, _as_ctrl_c)


def _heed_signals() -> None:
    """Handle signals that this process may have been started to ignore.

    A process in a shell's background, or under nohup, ignores some signals, and so do its children.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else signal.SIG_DFL)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not _is_worker(config):
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _as_ctrl_c(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


class _DyingWorker:
    """A worker of pytest-xdist that dies when pytest itself fails in it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._has_begun = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self) -> None:
        self._has_begun = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        if self._has_begun:
            self._config.pluginmanager.getplugin("capturemanager").suspend_global_capture(in_=True)
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\n{excrepr}\n".encode())
            os._exit(3)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, Any, Any]:
    """Report what is found after the fixtures' end, before the run is summed up."""
    found = []
    try:
        return (yield)
    except _ENDS_THE_RUN:
        raise
    except BaseException as trouble:  # noqa: BLE001 - as above
        found.append("".join(traceback.format_exception(trouble)))
    finally:
        found += _uncaught(session.config)
        interrupted = exitstatus == pytest.ExitCode.INTERRUPTED  # then nobody is to blame
        left = end_what_is_left(0 if interrupted else ADIEU)
        found += [f"This process was left behind, and has been killed: {line}" for line in left if not interrupted]
        if _is_worker(session.config):
            session.config.workeroutput[_FOUND] = found  # type: ignore[attr-defined]
        elif found:
            _report(session.config, found)
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over the findings of a worker of pytest-xdist, unless it has died."""
    if found := getattr(node, "workeroutput", {}).get(_FOUND):
        _report(node.config, found)


def _uncaught(config: pytest.Config) -> list[str]:
    """Return the exceptions in finalisers and threads that pytest would report too late."""
    gc.collect()
    found = []
    for plugin, collect in (
        ("unraisableexception", "collect_unraisable"),
        ("threadexception", "collect_thread_exception"),
    ):
        try:
            getattr(config.pluginmanager.get_plugin(plugin), collect)(config)
        except Exception as uncaught:  # noqa: BLE001 - a warning, an error, or a group of them, as the filters say
            found.append("".join(traceback.format_exception(uncaught)))
    return found


def _report(config: pytest.Config, found: list[str]) -> None:
    name = "the whole run"
    report = pytest.TestReport(name, (name, None, name), {}, "failed", "\n".join(found), "teardown")
    config.hook.pytest_runtest_logreport(report=report)
