"""Service tokens: what a program may do with one, how it is named, and when it ends."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from crdt.ids import DocumentId
from server.cli import CannotDo
from server.cli.history import history_of
from server.cli.service_tokens import create, lines
from server.config.people import PeopleSettings
from tests.harness.memory_store import memory_store
from tests.harness.tokens import SECRET
from tests.harness.whole_server import Clock, WholeServer, whole_server

EDIT = {"edits": [{"do": "append", "content": "by a program"}]}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WholeServer]:
    clock = Clock()
    async with whole_server(
        PeopleSettings(auth="jwt", jwt_secret=SECRET), store=memory_store(clock), clock=clock
    ) as server:
        yield server


async def token_for(
    server: WholeServer, days: float | None = None, roles: dict[str, str] | None = None
) -> dict[str, str]:
    made = await create(server.store, "Notes", "anna", roles or {"*": "editor"}, server.clock(), days)
    return {"Authorization": f"Bearer {made}"}


async def test_a_program_makes_and_edits_documents_and_the_log_says_for_whom(server: WholeServer) -> None:
    headers = await token_for(server)
    async with server.browser() as client:
        assert (await client.post("/api/documents", json={})).status_code == 401
        made = await client.post("/api/documents", json={"content": "Tea"}, headers=headers)
        assert made.status_code == 201
        document_id = DocumentId(made.json()["id"])
        edited = await client.post(f"/api/documents/{document_id}/edits", json=EDIT, headers=headers)
        assert edited.status_code == 200
        me = (await client.get("/api/me", headers=headers)).json()
        assert (me["kind"], me["user"]["name"]) == ("service", "Notes")
    line, *_ = await history_of(server.store, document_id, 10) or []
    (by,) = json.loads(line)["by"]
    assert (by["user_id"], by["kind"], by["on_behalf_of"]) == (me["user"]["id"], "agent", "anna")


async def test_a_token_opens_the_documents_that_it_names_and_no_others(server: WholeServer) -> None:
    everything = await token_for(server)
    async with server.browser() as client:
        ids = [(await client.post("/api/documents", json={}, headers=everything)).json()["id"] for _ in range(2)]
        narrow = await token_for(server, roles={ids[0]: "viewer"})
        assert (await client.get(f"/api/documents/{ids[0]}/content", headers=narrow)).status_code == 200
        assert (await client.post(f"/api/documents/{ids[0]}/edits", json=EDIT, headers=narrow)).status_code == 403
        assert (await client.get(f"/api/documents/{ids[1]}/content", headers=narrow)).status_code == 404
        assert (await client.post("/api/documents", json={}, headers=narrow)).status_code == 403


async def test_a_token_ends_when_it_is_revoked_or_its_time_is_over(server: WholeServer) -> None:
    lasting, short = await token_for(server), await token_for(server, days=1)
    async with server.browser() as client:
        assert (await client.get("/api/documents", headers=lasting)).status_code == 200
        assert (await client.get("/api/documents", headers=short)).status_code == 200
        token_id = lasting["Authorization"].split("_")[1]
        assert await server.store.service_tokens.revoke(token_id)
        assert (await client.get("/api/documents", headers=lasting)).status_code == 401
        server.clock.seconds += timedelta(days=1).total_seconds()
        assert (await client.get("/api/documents", headers=short)).status_code == 401
        altered = {"Authorization": short["Authorization"][:-1] + "!"}
        for headers in (
            altered,
            {"Authorization": "Bearer mh_"},
            {"Authorization": "Bearer mh_" + "0" * 12 + "_" + "x" * 43},
        ):
            assert (await client.get("/api/documents", headers=headers)).status_code == 401


async def test_the_operator_sees_tokens_without_their_secrets(server: WholeServer) -> None:
    headers = await token_for(server, days=9)
    async with server.browser() as client:
        await client.get("/api/documents", headers=headers)
    (line,) = await lines(server.store)
    assert line.split("\t")[1:] == [
        "Notes",
        "*=editor",
        "made 2030-03-17",
        "for anna",
        "until 2030-03-26",
        "used 2030-03-17",
    ]
    assert headers["Authorization"].split("_", 2)[2] not in line
    stored = (await server.store.service_tokens.list())[0]
    assert headers["Authorization"].split()[1].encode() not in stored.token_hash


@pytest.mark.parametrize(("name", "roles"), [("", {"*": "editor"}), ("x" * 61, {"*": "editor"}), ("Notes", {})])
async def test_a_token_that_makes_no_sense_is_not_made(server: WholeServer, name: str, roles: dict[str, str]) -> None:
    with pytest.raises(CannotDo):
        await create(server.store, name, "", roles, server.clock(), None)
