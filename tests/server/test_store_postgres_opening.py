"""Opening a PostgreSQL database that cannot be opened: each time a sentence for the operator without the password, nothing touched."""

import re
from datetime import timedelta

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, func, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from crdt.errors import Unavailable
from crdt.ids import ClientId
from crdt.permissions import Role
from server.store.migrate import upgrade
from server.store.schema import metadata
from server.store.sharing_base import Link, Standing
from server.store.sql import SqlStore, place_of
from tests.contracts.storages import DOCUMENT, OTHER, append, fill
from tests.harness.ports import quiet_port
from tests.harness.postgres import PASSWORD, PASSWORD_IN_URLS, PostgresServer

pytestmark = pytest.mark.slow

EVERYTHING = """
    SELECT table_name, column_name, data_type, (xpath('/row/c/text()', query_to_xml(
        format('SELECT count(*) AS c FROM %I', table_name), false, true, '')))[1]::text AS rows
    FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY 1, 2
"""

TABLES = """
    SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable,
                     replace(column_default, current_schema() || '.', ''))
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL
    SELECT replace(indexdef, current_schema() || '.', '') FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    ORDER BY 1
"""
"""All columns, indexes and constraints: columns in any order, for a migration can only add one at the end."""

OLD_CONTENTS = (
    f"INSERT INTO documents VALUES (1, '{DOCUMENT}', 'Title', 'title', 1, 1, NULL, 1, 0, 0, 0)",
    "INSERT INTO author_keys VALUES (1, 7, 'kkkkkkkkkkkkkkkk'::bytea)",
    "INSERT INTO open_marks VALUES (1, 'elsewhere')",
)
"""What the first version of the tables may hold."""


def engine_of(url: str) -> AsyncEngine:
    """A way to the schema that a store's URL names, past the store."""
    return create_async_engine(
        make_url(url.partition("?")[0]).set(drivername="postgresql+asyncpg"),
        connect_args={"server_settings": {"search_path": url.partition("search_path=")[2]}},
    )


async def refusal(url: str) -> str:
    """What opening a store is refused with."""
    with pytest.raises(Unavailable) as refused:
        async with SqlStore(url):
            pass
    assert PASSWORD not in str(refused.value)
    assert PASSWORD_IN_URLS not in str(refused.value)
    return refused.value.message


async def contents(url: str) -> list[asyncpg.Record]:
    """The columns of every table, and how many rows each has."""
    connection = await asyncpg.connect(url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(EVERYTHING)
        return found
    finally:
        await connection.close()


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    return await postgres.new_schema()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_a_url_may_name_the_driver(url: str, scheme: str) -> None:
    async with SqlStore(url.replace("postgresql", scheme, 1)) as store:
        await store.check()


async def test_the_migrations_make_the_tables_that_the_code_speaks_of(url: str, postgres: PostgresServer) -> None:
    async with SqlStore(url):
        pass

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    new, upgraded = engine_of(url), engine_of(await postgres.new_schema())
    async with upgraded.begin() as connection:
        await connection.run_sync(upgrade)
    tables = []
    for engine in (new, upgraded):
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
            assert await connection.scalar(func.current_schema()) != "public"
            tables.append((await connection.exec_driver_sql(TABLES)).scalars().all())
        await engine.dispose()
    assert tables[0] == tables[1]
    assert len(tables[0]) > 80


async def test_an_older_version_s_tables_are_brought_up_to_date_with_all_they_hold(url: str) -> None:
    engine = engine_of(url)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0001")
        for statement in OLD_CONTENTS:
            await connection.exec_driver_sql(statement)
    await engine.dispose()
    async with SqlStore(url) as store:
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert loaded.author_keys == {ClientId(7): b"k" * 16}
        await store.open_marks.forget_others("here", timedelta(days=1))
        assert await store.open_marks.marked("elsewhere") == {DOCUMENT}
        # Whoever knows its address writes in it as before.
        assert await store.sharing.access([DOCUMENT], []) == {
            DOCUMENT: Standing(0, Link(Role.EDITOR), None, {}, frozenset())
        }


async def test_a_wrong_password_is_refused_without_being_told(postgres: PostgresServer) -> None:
    wrong = postgres.url().replace(PASSWORD_IN_URLS, "hunter2")
    message = await refusal(wrong)
    assert "refuses the user name or the password" in message
    assert "hunter2" not in message


async def test_a_missing_database_is_named(postgres: PostgresServer) -> None:
    assert "There is no database postgresql://127.0.0.1:" in await refusal(
        postgres.url().replace("/postgres?", "/absent?")
    )


async def test_a_missing_schema_is_named(postgres: PostgresServer) -> None:
    assert "has no schema that its search_path names" in await refusal(postgres.url(search_path="absent"))


async def test_a_server_that_is_not_there_is_named() -> None:
    place = f"127.0.0.1:{quiet_port()}/documents"
    assert f"The database postgresql://{place} does not answer" in await refusal(f"postgresql://me:hunter2@{place}")


async def test_a_host_that_is_not_there_is_named() -> None:
    assert "The database postgresql://absent.invalid/documents" in await refusal(
        "postgresql://me:hunter2@absent.invalid/documents"
    )


async def test_a_server_that_is_stopping_is_named(postgres: PostgresServer, url: str) -> None:
    postgres.shut_down()
    try:
        assert "does not answer" in await refusal(url)
    finally:
        postgres.start()


async def test_a_standby_is_refused(postgres: PostgresServer, url: str) -> None:
    assert "can only be read" in await refusal(f"{url}&default_transaction_read_only=on")


async def test_a_database_that_cannot_hold_every_language_is_refused(postgres: PostgresServer) -> None:
    await postgres.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    assert "cannot hold every language" in await refusal(postgres.url().replace("/postgres?", "/latin?"))


async def test_another_program_s_database_is_left_alone(postgres: PostgresServer, url: str) -> None:
    await postgres.execute("CREATE TABLE bookmarks (url TEXT)", url=url)
    before = await contents(url)
    assert "database of another program. Nothing was changed." in await refusal(url)
    assert await contents(url) == before


async def test_a_newer_version_s_database_is_left_alone(postgres: PostgresServer, url: str) -> None:
    async with SqlStore(url) as store:
        await fill(store, "a")
    newer = ("UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE documents ADD COLUMN colour TEXT")
    await postgres.execute(*newer, url=url)
    before = await contents(url)
    assert "was written by a newer version of Manyhands. Nothing was changed." in await refusal(url)
    assert await contents(url) == before


async def test_a_user_who_may_not_make_tables_is_told(postgres: PostgresServer, url: str) -> None:
    await postgres.execute(
        "CREATE USER guest PASSWORD 'hunter2'", f"GRANT USAGE ON SCHEMA {url.rpartition('=')[2]} TO guest"
    )
    message = await refusal(url.replace(f"manyhands:{PASSWORD_IN_URLS}", "guest:hunter2"))
    assert "may not do what is needed" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgresql://host",
        "postgresql://me:hunter2@host/",
        "postgresql://me:hun/ter2@host/name",
        "postgresql://me:hun?ter2@host/name",
        "postgresql://me:hun#ter2@host/name",
        "postgresql://me:hunter2@[::1/name",
        "postgresql://me:hunter2@host:port/name",
        "postgresql://me:hunter2@host/name?sslmode=hunter2",
    ],
)
async def test_a_url_that_cannot_be_read_is_refused_without_being_quoted(url: str) -> None:
    message = await refusal(url)
    assert re.search(r"database URL", message)
    assert "hun" not in message
    assert "ter2" not in message


def test_the_database_is_shown_to_people_without_user_and_password() -> None:
    assert place_of("postgresql://me:hunter2@db.example.com:5433/docs?sslmode=require") == (
        "postgresql://db.example.com:5433/docs"
    )


async def test_a_closed_store_is_unavailable_and_opens_again(url: str) -> None:
    store = SqlStore(url)
    with pytest.raises(Unavailable):
        await store.check()
    for _ in range(2):
        async with store:
            await store.check()
    with pytest.raises(Unavailable):
        await store.log.load(DOCUMENT)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE log_rows SET batch = '\\x62ff' WHERE seq = 2",
        "UPDATE log_rows SET checksum = checksum + 1 WHERE seq = 2",
        "DELETE FROM log_rows WHERE seq = 2",
    ],
)
async def test_a_damaged_row_is_marked_and_all_others_are_read(postgres: PostgresServer, url: str, damage: str) -> None:
    async with SqlStore(url) as store:
        await fill(store, "a", "b", "c")
        await postgres.execute(damage, url=url)
        loaded = await store.log.load(DOCUMENT)
        assert loaded is not None
        assert [(row.seq, row.damaged) for row in loaded.rows] == [(1, False), (2, True), (3, False)]
        await fill(store, "x", document_id=OTHER)
        assert await store.log.append([append("d")])
        assert await store.log.load(OTHER) is not None
