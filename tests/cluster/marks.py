"""What all tests of a whole cluster have in common."""

import pytest

CLUSTER = [
    pytest.mark.cluster,
    pytest.mark.asyncio(loop_scope="session"),
]
