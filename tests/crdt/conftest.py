"""What several tests of the gate are given."""

from collections.abc import Iterator

import pytest

from tests.harness.yjs_oracle import YjsOracle


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsOracle]:
    """Real Yjs, to be asked."""
    with YjsOracle() as oracle:
        yield oracle
