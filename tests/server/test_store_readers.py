"""Threads that keep their connections to SQLite: an error costs one question, not the thread."""

from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection

from crdt.errors import ManyhandsError
from server.store.sqlite import sqlite_url
from server.store.sqlite.database import READERS, SqliteDatabase


def broken_off(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.close()
    connection.exec_driver_sql("SELECT 1")


def answer(connection: Connection) -> int:
    return cast(int, connection.exec_driver_sql("SELECT 1").scalar())


async def test_every_thread_answers_again_after_its_connection_broke(tmp_path: Path) -> None:
    database = SqliteDatabase(sqlite_url(tmp_path), max_bytes=None)
    await database.open()
    try:
        for _ in range(READERS):
            with pytest.raises(ManyhandsError):
                await database.read(broken_off)
        assert [await database.read(answer) for _ in range(2 * READERS)] == [1] * 2 * READERS
    finally:
        await database.close()
