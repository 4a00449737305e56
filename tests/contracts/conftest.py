"""The backends under contract, as fixtures."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.contracts.storages import Storage
from tests.harness.postgres import PostgresServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with all tables. Making them takes three quarters of opening a store."""
    data_dir = tmp_path_factory.mktemp("empty_database")
    async with SqlStore(sqlite_url(data_dir)):
        return data_dir


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
async def storage(request: pytest.FixtureRequest, tmp_path: Path, empty_database: Path) -> Storage:
    match request.param:
        case "sqlite":
            shutil.copytree(empty_database, tmp_path, dirs_exist_ok=True)
            return Storage(sqlite_url(tmp_path))
        case _:
            server: PostgresServer = request.getfixturevalue("postgres")
            return Storage(await server.cleared_schema())


@pytest.fixture
async def store(storage: Storage) -> AsyncIterator[SqlStore]:
    async with storage.store() as opened:
        yield opened
