"""What every test stands on: a quiet log; and, for those who ask for it, one PostgreSQL for all."""

from collections.abc import Iterator

import pytest
import structlog

from tests.harness.postgres import PostgresServer


@pytest.fixture(autouse=True, scope="session")
def quiet_log() -> None:
    """Tests that read the log configure their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session, or for each of its workers; a test makes a schema of its own in it."""
    server = PostgresServer()
    yield server
    server.stop()


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
