"""The backends under contract, as fixtures."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.contracts.storages import Storage
from tests.harness.postgres import PostgresServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    match request.param:
        case "sqlite":
            return Storage(sqlite_url(tmp_path))
        case _:
            server: PostgresServer = request.getfixturevalue("postgres")
            return Storage(await server.cleared_schema())


@pytest.fixture
async def store(storage: Storage) -> AsyncIterator[SqlStore]:
    async with storage.store() as opened:
        yield opened
