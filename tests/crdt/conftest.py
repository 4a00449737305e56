"""Fixtures of several tests of the gate."""

from collections.abc import Iterator

import pytest

from tests.harness.yjs_oracle import YjsOracle


@pytest.fixture(scope="module")
def yjs() -> Iterator[YjsOracle]:
    """Real Yjs in a Node process."""
    with YjsOracle() as oracle:
        yield oracle
