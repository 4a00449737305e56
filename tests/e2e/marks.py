"""What every browser test is marked with: slow, in one group so that two browsers don't fight for the cores, on one event loop."""

import pytest

BROWSER = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.xdist_group("browser"),
    pytest.mark.asyncio(loop_scope="session"),
]
