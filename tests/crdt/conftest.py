"""Fixtures of several tests of the gate."""

from collections.abc import Iterator

import pytest

from tests.harness.pycrdt_process import PycrdtProcess
from tests.harness.yjs_oracle import YjsOracle


@pytest.fixture(scope="session")
def yjs() -> Iterator[YjsOracle]:
    """Real Yjs in a Node process, which keeps nothing from one question to the next."""
    with YjsOracle() as oracle:
        yield oracle


@pytest.fixture(scope="session")
def pycrdt() -> Iterator[PycrdtProcess]:
    """The document engine in a process, which is replaced when it dies."""
    with PycrdtProcess() as process:
        yield process
