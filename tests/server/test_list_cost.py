"""A list costs what is in it, not what there is: whatever strangers have made, and with whatever database."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Dialect, select
from sqlalchemy.dialects import postgresql, sqlite

from server.store.base import LISTED_OWNERLESS, Whose
from server.store.catalogue import concerns
from server.store.schema import documents
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.harness.postgres import PostgresServer

FEW, MANY = 2 * LISTED_OWNERLESS, 20 * LISTED_OWNERLESS

POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

EVERYBODY = [Whose("anna", with_ownerless=True), Whose("anna"), Whose("anna", shared=True), Whose("anna", shared=False)]


def statement(whose: Whose, dialect: Dialect) -> str:
    """A page of somebody's list, as the catalogue asks for it."""
    page = select(documents.c.document_id).where(documents.c.trashed_at.is_(None), concerns(whose))
    page = page.order_by(documents.c.updated_at.desc(), documents.c.document_id.desc()).limit(101)
    return str(page.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def documents_of(owner: str | None, first: int, number: int) -> list[str]:
    """Statements that make documents, of somebody or of nobody."""
    columns = "document_id, title, title_folded, created_at, updated_at, epoch, head, snapshot_seq, size, link_role, ownerless"
    values = f"'d' || n, 't', 't', n, n, 1, 0, 0, 0, 'editor', {int(owner is None)}"
    numbers = f"WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {first + number - 1})"
    made = [f"INSERT INTO documents ({columns}) {numbers} SELECT {values} FROM numbers"]
    if owner is not None:
        made.append(
            "INSERT INTO grants (document_key, user_id, role, created_at) "
            f"SELECT key, '{owner}', 'owner', 0 FROM documents WHERE ownerless = 0 AND created_at >= {first}"
        )
    return made


def work(database: sqlite3.Connection, query: str) -> int:
    """How many steps SQLite's machine takes for it."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    database.set_progress_handler(count, 10)
    database.execute(query).fetchall()
    database.set_progress_handler(None, 10)
    return steps


@pytest.mark.parametrize("owner", [None, "a-stranger"], ids=["nobody's", "a stranger's"])
async def test_ten_times_as_many_documents_of_others_are_no_more_work_on_sqlite(
    tmp_path: Path, owner: str | None
) -> None:
    async with SqlStore(sqlite_url(tmp_path)):
        pass
    with sqlite3.connect(tmp_path / "manyhands.db") as database:
        spent: list[list[int]] = []
        for first, last in ((1, FEW), (FEW + 1, MANY)):
            for made in documents_of(owner, first, last - first + 1):
                database.execute(made)
            spent.append([work(database, statement(whose, sqlite.dialect())) for whose in EVERYBODY])
    database.close()
    few, many = spent
    assert all(later <= 1.5 * before + 100 for before, later in zip(few, many, strict=True)), spent


@pytest.mark.slow
@pytest.mark.parametrize("owner", [None, "a-stranger"], ids=["nobody's", "a stranger's"])
async def test_lists_do_not_look_at_every_document_on_postgresql(postgres: PostgresServer, owner: str | None) -> None:
    url = await postgres.new_schema()
    async with SqlStore(url):
        pass
    await postgres.execute(*documents_of(owner, 1, MANY), "ANALYZE documents", "ANALYZE grants", url=url)
    for whose in EVERYBODY:
        plan = str(await postgres.ask(f"EXPLAIN (FORMAT JSON) {statement(whose, POSTGRESQL)}", url=url))
        read_whole = {
            node["Relation Name"] for node in nodes_of(json.loads(plan)[0]["Plan"]) if node["Node Type"] == "Seq Scan"
        }
        assert "documents" not in read_whole, plan
        assert "ix_documents_ownerless" in plan or not whose.with_ownerless


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes_of(each)
