"""The ways to PostgreSQL that operators have: TLS, a user with few rights, PgBouncer. By each, the store works or says at once why not."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from crdt.errors import Unavailable
from crdt.ids import Seq
from server.store.base import Appended
from server.store.postgres.place import Place
from server.store.postgres.server import connect, dial
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, append, fill, join
from tests.harness.bell import PATIENCE
from tests.harness.certificates import Authority
from tests.harness.pgbouncer import PgBouncer, pgbouncer
from tests.harness.postgres import PASSWORD, PostgresServer

pytestmark = pytest.mark.slow

README = Path(__file__).parents[2] / "deploy" / "README.md"
SECRET = "opensesame"
_numbers = itertools.count(1)


async def works(store: SqlStore) -> None:
    """Do what rooms do: append, load, fold, ask."""
    await fill(store, "a", "b", "c")
    assert await store.log.compact(DOCUMENT, join)
    assert await store.log.append([append("d")]) == [Appended(Seq(4))]
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert (loaded.snapshot, [row.batch for row in loaded.rows]) == (b"a+b+c", [b"d"])
    await store.check()


async def refusal(url: str) -> str:
    """What opening a store is refused with."""
    with pytest.raises(Unavailable) as refused:
        async with SqlStore(url):
            pass
    assert PASSWORD not in str(refused.value)
    assert SECRET not in str(refused.value)
    return refused.value.message


async def tenant(postgres: PostgresServer) -> str:
    """Make a user as the README says; its name."""
    name = f"tenant_{next(_numbers)}"
    statements = re.findall(r"^ +(CREATE (?:ROLE|SCHEMA) .*);$", README.read_text(), re.MULTILINE)
    assert len(statements) == 2
    for statement in statements:
        await postgres.execute(statement.replace("'PASSWORD'", f"'{SECRET}'").replace("manyhands", name))
    return name


def url_of(user: str, port: int, query: str = "") -> str:
    return f"postgresql://{user}:{SECRET}@127.0.0.1:{port}/postgres{query}"


# Users.


async def test_a_user_who_owns_a_schema_and_nothing_else(postgres: PostgresServer) -> None:
    user = await tenant(postgres)
    url = url_of(user, postgres.port)
    for _ in range(2):  # made, and found again
        async with SqlStore(url) as store:
            await store.check()
    async with SqlStore(url) as store:
        await works(store)
    owned = "SELECT array_agg(DISTINCT schemaname::text) FROM pg_tables WHERE tableowner = current_user"
    assert await postgres.ask(owned, url) == [user]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await postgres.execute("CREATE TABLE public.mine (x int)", url=url)


# TLS.


@pytest.fixture
async def authority(tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[Authority]:
    """Who has signed the certificate that the server shows; it is for 127.0.0.1 alone."""
    made = Authority(tmp_path)
    async with postgres.speaking_tls(*made.sign("IP:127.0.0.1")):
        yield made


async def test_tls_is_verified(postgres: PostgresServer, authority: Authority) -> None:
    user = await tenant(postgres)
    url = url_of(user, postgres.port, f"?sslmode=verify-full&sslrootcert={authority.certificate}")
    async with SqlStore(url) as store:
        await works(store)
        encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = "
        assert await postgres.ask(encrypted + f"'{user}'") is True


async def test_a_server_whose_certificate_is_not_to_be_trusted_is_refused(
    tmp_path: Path, postgres: PostgresServer, authority: Authority
) -> None:
    another = Authority(tmp_path, "another")
    for query, host in (
        (f"sslmode=verify-full&sslrootcert={another.certificate}", "127.0.0.1"),
        (f"sslmode=verify-ca&sslrootcert={another.certificate}", "127.0.0.1"),
        (f"sslmode=verify-full&sslrootcert={authority.certificate}", "localhost"),
    ):
        url = postgres.url().partition("?")[0].replace("127.0.0.1", host)
        assert "shows a certificate that is not to be trusted" in await refusal(f"{url}?{query}")


async def test_a_server_without_tls_is_refused_where_tls_is_asked_for(postgres: PostgresServer) -> None:
    assert "rejected SSL upgrade" in await refusal(postgres.url(sslmode="require"))


async def test_a_file_of_authorities_that_is_not_there_is_named(postgres: PostgresServer) -> None:
    message = await refusal(postgres.url(sslmode="verify-full", sslrootcert="/absent.pem"))
    assert "names the file /absent.pem, which is not there" in message


# PgBouncer.


@asynccontextmanager
async def pooled(postgres: PostgresServer, pool_mode: str, *further: str) -> AsyncIterator[tuple[PgBouncer, str]]:
    """A pooler before the server, and the URL of a database behind it."""
    user = await tenant(postgres)
    async with pgbouncer(postgres.port, pool_mode, {user: SECRET}, *further) as bouncer:
        yield bouncer, url_of(user, bouncer.port)


async def test_session_pooling_needs_no_settings(postgres: PostgresServer) -> None:
    async with pooled(postgres, "session") as (_, url), SqlStore(url) as one, SqlStore(url) as two:
        await works(one)
        assert await two.log.append([append("e")]) == [Appended(Seq(5))]


async def test_what_is_acknowledged_through_a_pooler_is_on_disk_whatever_the_server_s_default(
    postgres: PostgresServer,
) -> None:
    async with pooled(postgres, "session", "ignore_startup_parameters = synchronous_commit") as (_, url):
        name = url.split("/")[2].split(":")[0]
        await postgres.execute(f"ALTER ROLE {name} SET synchronous_commit = off")
        session = await connect(Place.of(url), statement_seconds=5)
        settings = ("synchronous_commit", "statement_timeout", "idle_in_transaction_session_timeout")
        assert [await session.fetchval(f"SHOW {setting}") for setting in settings] == ["on", "5s", "3s"]
        await session.close()


@pytest.mark.parametrize("further", [(), ("server_round_robin = 1", "min_pool_size = 4"), ("default_pool_size = 1",)])
async def test_transaction_pooling_is_refused_at_the_start(postgres: PostgresServer, further: tuple[str, ...]) -> None:
    async with pooled(postgres, "transaction", *further) as (_, url):
        assert "gives each transaction another session" in await refusal(url)
        user = url.split("/")[2].split(":")[0]
        assert await postgres.ask(f"SELECT count(*) FROM pg_tables WHERE schemaname = '{user}'") == 0


async def test_two_sessions_of_a_pooler_that_take_turns_are_told_from_two_of_ours(postgres: PostgresServer) -> None:
    further = ("server_round_robin = 1", "min_pool_size = 2", "default_pool_size = 2")
    async with pooled(postgres, "transaction", *further) as (_, url):
        user = url.split("/")[2].split(":")[0]
        sessions = f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{user}'"
        somebody = await dial(Place.of(url), statement_cache_size=0)
        async with asyncio.timeout(PATIENCE):
            while await postgres.ask(sessions) != 2:  # noqa: ASYNC110 - another process has no event to wait for
                await asyncio.sleep(0.05)
        assert "gives each transaction another session" in await refusal(url)
        await somebody.close()


async def test_statement_pooling_is_refused_at_the_start(postgres: PostgresServer) -> None:
    async with pooled(postgres, "statement") as (_, url):
        assert "not allowed in statement pooling mode" in await refusal(url)


async def test_a_setting_that_a_pooler_does_not_let_through_is_named(postgres: PostgresServer) -> None:
    async with pooled(postgres, "session") as (_, url):
        message = await refusal(f"{url}?search_path=elsewhere")
        assert "does not let through what is needed" in message
        assert "search_path" in message


async def test_a_restarted_pooler_is_found_again(postgres: PostgresServer) -> None:
    async with pooled(postgres, "session") as (bouncer, url), SqlStore(url) as store:
        await fill(store, "a")
        await bouncer.stop()
        with pytest.raises(Unavailable, match="does not answer"):
            await store.log.append([append("b")])
        await bouncer.start()
        assert await insist(store, "b") == Appended(Seq(2))
        await asyncio.gather(*(store.log.load(DOCUMENT) for _ in range(8)))


async def insist(store: SqlStore, update_id: str) -> object:
    """Append as a room does: the same batch again until it is durable."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(Unavailable):
                return (await store.log.append([append(update_id)]))[0]
