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
