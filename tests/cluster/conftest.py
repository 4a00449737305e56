"""One cluster for all of these tests; each test has a document of its own and leaves every part running."""

import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.cluster.breakable import BreakableCluster, breakable_cluster


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test here. `make test-fast` leaves the folder out, because its imports alone take time."""
    item.add_marker("slow")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def the_cluster() -> AsyncIterator[BreakableCluster]:
    async with breakable_cluster() as cluster:
        yield cluster


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(the_cluster: BreakableCluster) -> AsyncIterator[BreakableCluster]:
    """The cluster, whole at the beginning of each test. What its programs wrote is shown with a test that fails."""
    await the_cluster.heal()
    the_cluster.lines.clear()
    yield the_cluster
    sys.stdout.write("\n".join(the_cluster.lines))
