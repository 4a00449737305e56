"""What every test stands on: failures with names, fresh examples, a quiet log, servers as users have them, one PostgreSQL for all."""

import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from zlib import adler32

import httpx
import httpx2
import pytest
import structlog
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.harness.bell import PATIENCE
from tests.harness.forks import FORKS
from tests.harness.postgres import PostgresServer

pytest_plugins = ["tests.harness.named_failures", "tests.harness.hangs"]

# Fresh examples in every run, in CI as well, where Hypothesis would try the same ones for ever; a
# failure prints how to see it again, and MANYHANDS_EXAMPLES=1000 tries more. Nothing here depends on
# how busy the machine is.
settings.register_profile(
    "manyhands",
    derandomize=False,
    deadline=None,
    max_examples=int(os.environ.get("MANYHANDS_EXAMPLES", "60")),
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("manyhands")

AS_INSTALLED = Path(__file__).parent / "harness" / "as_installed"


@pytest.fixture(autouse=True, scope="session")
def quiet_log() -> None:
    """Tests that read the log configure their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


@pytest.fixture(autouse=True, scope="session")
def servers_as_installed() -> Iterator[None]:
    """For every process that a test starts, and not for the test itself."""
    path = os.pathsep.join(filter(None, [str(AS_INSTALLED), os.environ.get("PYTHONPATH")]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # they find themselves compiled
        yield


@pytest.fixture(autouse=True, scope="session")
def patient_visitors() -> Iterator[None]:
    """A test asks servers that may be slow: httpx by itself gives them five seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (httpx.AsyncClient, httpx.Client):
            patch.setitem(kind.__init__.__kwdefaults__ or {}, "timeout", httpx.Timeout(PATIENCE))
        yield


@pytest.fixture(autouse=True, scope="session")
def certificates_read_once() -> Iterator[None]:
    """A client by itself reads the world's certificates anew, which takes longer than most tests."""
    with pytest.MonkeyPatch.context() as patch:
        certificates = httpx.create_ssl_context()
        for kind in (httpx.AsyncClient, httpx.Client, httpx2.AsyncClient):
            patch.setitem(kind.__init__.__kwdefaults__ or {}, "verify", certificates)
        yield


@pytest.fixture(autouse=True, scope="session")
def forked_servers(servers_as_installed: None) -> Iterator[None]:
    """See tests/harness/forks.py."""
    with FORKS.opened():
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session, or for each of its workers; a test makes a schema of its own in it."""
    server = PostgresServer()
    yield server
    server.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker is at work alone in the end. Groups stay as they are."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("slow") is None and not item.nodeid.startswith(("tests/e2e/", "tests/cluster/"))
        )
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let the garbage collector leave alone what all tests share: it looked through a million objects again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


class InGroups(LoadScopeScheduling):  # type: ignore[misc]
    """Gives browser tests to two workers, by file, and all of the cluster to one, these first; every other test is for whoever is free.

    One worker with all browser tests is at work when all others have long finished; three browsers
    fight for the cores, and one cluster is enough for two of them.
    pytest-xdist's own groups are told by a mark which it writes into a test's id; with pytest 9.2
    that is lost, without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith("tests/e2e/"):
            # By a number of the file's name of which either half has half of the work.
            return f"tests/e2e/ {adler32(nodeid.split('::')[0].encode()) >> 16 & 1}"
        return "tests/cluster/" if nodeid.startswith("tests/cluster/") else nodeid

    def remove_node(self, node: WorkerController) -> str | None:
        """What a worker that died was running has failed, and the rest of its work comes next. xdist's own tries that test for ever."""
        work: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        unfinished = ((group, test) for group, tests in work.items() for test, done in tests.items() if not done)
        group, crashed = next(unfinished, ("", None))
        if crashed is None:
            return None
        work[group][crashed] = True
        for group, tests in reversed(work.items()):
            if not all(tests.values()):
                self.workqueue[group] = tests
                self.workqueue.move_to_end(group, last=False)
        for other in self.assigned_work:
            self._reschedule(other)
        return crashed

    def _reschedule(self, node: WorkerController) -> None:
        """Give work to a worker that knows all tests: one that has just taken a dead one's place asks for it when it does."""
        if node in self.registered_collections:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InGroups | None:
    """For `--dist loadgroup`."""
    return InGroups(config, log) if config.getvalue("dist") == "loadgroup" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what tests of whole clusters have measured: here, for the process that shows it may run none of them itself."""
    measured = [
        f"{name}: {value:.3f}"
        for report in terminalreporter.getreports("passed")
        if "tests/cluster/" in report.nodeid
        for name, value in report.user_properties
    ]
    if measured:
        terminalreporter.section("measured in the cluster")
        for line in measured:
            terminalreporter.write_line(line)
