"""Lines that the server would have written to its log, for tests that read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.testing import capture_logs


@contextmanager
def log_lines() -> Iterator[list[Any]]:
    """Gather lines of every level inside of the context. Outside of it, the log is quiet."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(0))
    try:
        with capture_logs() as lines:
            yield lines
    finally:
        structlog.configure(**before)
