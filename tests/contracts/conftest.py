"""The backends under contract, as fixtures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contracts.storages import AnyStore, MemoryStorage, SqliteStorage, Storage


@pytest.fixture(params=[MemoryStorage, SqliteStorage], ids=["memory", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    made: Storage = request.param(tmp_path)
    return made


@pytest.fixture
async def store(storage: Storage) -> AsyncIterator[AnyStore]:
    async with storage.store() as opened:
        yield opened
