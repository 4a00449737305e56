"""What every test stands on: a quiet log."""

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def quiet_log() -> None:
    """Tests that read the log configure their own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
