"""What all tests of a whole cluster have in common."""

import pytest

CLUSTER = [
    pytest.mark.slow,
    pytest.mark.cluster,
    pytest.mark.xdist_group("cluster"),  # one cluster is enough for two cores
    pytest.mark.asyncio(loop_scope="session"),
]
