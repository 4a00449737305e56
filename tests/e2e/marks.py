"""What every browser test is marked with: slow, on one event loop. One worker of pytest runs all of them (tests/conftest.py)."""

import pytest

BROWSER = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="session"),
]
