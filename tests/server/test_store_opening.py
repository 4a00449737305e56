"""Opening a database that cannot be opened: each time a sentence for the operator, and nothing touched."""

import asyncio
import hashlib
import os
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine

from crdt.errors import Unavailable
from crdt.ids import ClientId
from crdt.permissions import Role
from server.store.migrate import known_revisions, migrate, upgrade
from server.store.schema import metadata
from server.store.sharing_base import Link, Standing
from server.store.sql import SqlStore
from server.store.sqlite import LOCK_NAME, sqlite_url
from tests.contracts.storages import DOCUMENT, fill

NOBODY = 65534
OLD_CONTENTS = (
    f"INSERT INTO documents VALUES (1, '{DOCUMENT}', 'Title', 'title', 1, 1, NULL, 1, 0, 0, 0)",
    "INSERT INTO author_keys VALUES (1, 7, CAST('kkkkkkkkkkkkkkkk' AS BLOB))",
    "INSERT INTO open_marks VALUES (1, 'elsewhere')",
)
"""What the first version of the tables may hold."""


async def refusal(directory: Path) -> str:
    """What opening the store in a directory is refused with."""
    with pytest.raises(Unavailable) as refused:
        async with SqlStore(sqlite_url(directory)):
            pass
    return refused.value.message


def contents(directory: Path) -> dict[str, str]:
    """The fingerprint of every file that holds data: not the lock, not the shared memory beside a WAL."""
    names = {path.name: path for path in directory.iterdir() if path.name not in (LOCK_NAME, "manyhands.db-shm")}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in names.items()}


async def make_database(directory: Path) -> Path:
    async with SqlStore(sqlite_url(directory)) as store:
        await fill(store, "a")
    return directory / "manyhands.db"


def modes(directory: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in directory.iterdir()}


async def test_nobody_else_may_read_the_files_in_any_directory(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        async with SqlStore(sqlite_url(tmp_path)) as store:
            await fill(store, "a")
            found = modes(tmp_path)
    finally:
        os.umask(former)
    assert {"manyhands.db", "manyhands.db-wal", LOCK_NAME} <= found.keys()
    assert set(found.values()) == {0o600}


async def test_the_mode_of_a_file_that_is_there_stays(tmp_path: Path) -> None:
    os.chmod(await make_database(tmp_path), 0o640)  # noqa: PTH101 - what pathlib has would block, says the linter
    async with SqlStore(sqlite_url(tmp_path)):
        assert modes(tmp_path)["manyhands.db"] == 0o640


async def test_a_closed_store_is_one_file(tmp_path: Path) -> None:
    await make_database(tmp_path)
    assert (tmp_path / LOCK_NAME).exists()
    assert set(contents(tmp_path)) == {"manyhands.db"}


async def test_a_path_may_hold_any_characters(tmp_path: Path) -> None:
    directory = tmp_path / "Zoë's 100% data? #1 \U0001f375 & more"
    directory.mkdir()
    await make_database(directory)
    async with SqlStore(sqlite_url(directory)) as store:
        assert await store.log.load(DOCUMENT) is not None


def tables_of(connection: Connection) -> dict[str, object]:
    """All that SQLite knows of each table: columns in any order, for a migration can only add one at the end."""
    about = ("table_xinfo", "index_list", "foreign_key_list")
    tables = connection.exec_driver_sql("PRAGMA table_list").mappings().all()
    return {
        table["name"]: (
            (table["wr"], table["strict"], "AUTOINCREMENT" in _sql_of(connection, table["name"])),
            [sorted(_facts(connection, pragma, table["name"])) for pragma in about],
            sorted(filter(None, connection.exec_driver_sql(_INDEXES, (table["name"],)).scalars())),
        )
        for table in tables
        if not table["name"].startswith("sqlite_")
    }


_INDEXES = "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"


def _sql_of(connection: Connection, table: str) -> str:
    return str(connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).scalar())


def _facts(connection: Connection, pragma: str, table: str) -> list[str]:
    rows = connection.exec_driver_sql(f"PRAGMA {pragma}({table})").mappings()
    return [str({name: fact for name, fact in row.items() if name not in ("cid", "seq", "id")}) for row in rows]


@pytest.mark.slow
async def test_the_migrations_make_the_tables_that_the_code_speaks_of(tmp_path: Path) -> None:
    new, upgraded = create_engine(f"sqlite:///{await make_database(tmp_path)}"), create_engine("sqlite://")
    with new.connect() as ours, upgraded.begin() as theirs:
        upgrade(theirs)
        assert compare_metadata(MigrationContext.configure(theirs), metadata) == []
        assert tables_of(ours) == tables_of(theirs)
        for connection in (ours, theirs):
            heads = MigrationContext.configure(connection).get_current_heads()
            assert list(heads) == known_revisions()[-1:]
            migrate(connection)  # there is nothing to do
    new.dispose()
    upgraded.dispose()


async def test_the_file_is_set_up_for_durability_and_for_shrinking(tmp_path: Path) -> None:
    with closing(sqlite3.connect(await make_database(tmp_path))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


async def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "manyhands.db").touch()
    await make_database(tmp_path)


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "absent") in await refusal(tmp_path / "absent")


async def test_a_file_in_the_directory_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a directory")
    assert str(tmp_path / "data") in await refusal(tmp_path / "data")


async def test_a_directory_in_the_file_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "manyhands.db").mkdir()
    assert f"{tmp_path / 'manyhands.db'} is a directory" in await refusal(tmp_path)


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A directory that this process may not write to, whoever runs it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o555)
        if as_root := os.geteuid() == 0:
            os.seteuid(NOBODY)
        yield directory
        if as_root:
            os.seteuid(0)
        directory.chmod(0o755)


async def test_a_read_only_directory_is_named(read_only: Path) -> None:
    assert f"The data directory {read_only} cannot be written" in await refusal(read_only)
    assert contents(read_only) == {}


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manyhands.db").write_bytes(b"Dear diary, " * 1000)
    before = contents(tmp_path)
    assert "manyhands.db is not a database. Nothing was changed." in await refusal(tmp_path)
    assert contents(tmp_path) == before


async def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "manyhands.db")) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = contents(tmp_path)
    assert "database of another program" in await refusal(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("damage", [0, 18, 100], ids=["magic", "version", "first page"])
async def test_a_damaged_file_is_left_alone(tmp_path: Path, damage: int) -> None:
    path = await make_database(tmp_path)
    with path.open("r+b") as file:
        file.seek(damage)
        file.write(b"\xee" * 60)
    before = contents(tmp_path)
    assert "Nothing was changed." in await refusal(tmp_path)
    assert contents(tmp_path) == before


async def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = await make_database(tmp_path)
    os.truncate(path, 5000)
    before = contents(tmp_path)
    assert "is damaged" in await refusal(tmp_path)
    assert contents(tmp_path) == before


@pytest.mark.parametrize("killed", [False, True], ids=["closed", "killed"])
async def test_a_newer_version_s_database_is_left_alone(tmp_path: Path, killed: bool) -> None:
    path = await make_database(tmp_path)
    end = "os._exit(0)" if killed else "connection.close()"
    newer = f"""if True:
        import os, sqlite3
        connection = sqlite3.connect({str(path)!r}, isolation_level=None)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        {end}
    """
    await (await asyncio.create_subprocess_exec(sys.executable, "-c", newer)).wait()
    before = contents(tmp_path)
    assert ("manyhands.db-wal" in before) is killed
    assert "was written by a newer version of Manyhands. Nothing was changed." in await refusal(tmp_path)
    assert contents(tmp_path) == before


async def test_an_older_version_s_database_is_brought_up_to_date_with_all_it_holds(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'manyhands.db'}")
    with engine.begin() as connection:
        upgrade(connection, "0001")
        for statement in OLD_CONTENTS:
            connection.exec_driver_sql(statement)
    engine.dispose()
    async with SqlStore(sqlite_url(tmp_path)) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.author_keys == {ClientId(7): b"k" * 16}
        assert loaded.head == 0
        await store.open_marks.forget_others("here", timedelta(days=1))
        assert await store.open_marks.marked("elsewhere") == {DOCUMENT}
        # Whoever knows its address writes in it as before.
        assert await store.sharing.access([DOCUMENT], []) == {
            DOCUMENT: Standing(0, Link(Role.EDITOR), None, {}, frozenset())
        }


async def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    async with SqlStore(sqlite_url(tmp_path)) as store:
        assert "Another Manyhands server is using" in await refusal(tmp_path)
        await store.check()
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await store.check()


async def test_a_refused_opening_lets_go_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / "manyhands.db").write_bytes(b"Dear diary, " * 1000)
    await refusal(tmp_path)
    (tmp_path / "manyhands.db").unlink()
    await make_database(tmp_path)


@pytest.mark.parametrize("url", ["", "no url", "sqlite://", "sqlite:///:memory:", "postgresql://host", "mysql://x"])
async def test_a_url_that_names_no_database_file_is_refused(url: str) -> None:
    with pytest.raises(Unavailable, match=re.compile("database|Databases")):
        async with SqlStore(url):
            pass


async def test_a_closed_store_is_unavailable_and_opens_again(tmp_path: Path) -> None:
    store = SqlStore(sqlite_url(tmp_path))
    with pytest.raises(Unavailable):
        await store.check()
    for _ in range(2):
        async with store:
            await store.check()
    with pytest.raises(Unavailable):
        await store.log.load(DOCUMENT)
