"""What every browser test is marked with, beside `e2e` and `slow` (tests/e2e/conftest.py): one event loop."""

import pytest

BROWSER = [pytest.mark.asyncio(loop_scope="session")]

SEATED = [*BROWSER, pytest.mark.seated]
"""For stories whose people may have told others before, in the same browser."""
