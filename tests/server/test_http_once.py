"""Requests that are repeated with the same Idempotency-Key: carried out once, also after a crash."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import pytest_asyncio

from server.http.once import BUSY
from server.store.answers_base import Answers
from tests.harness.memory_store import memory_store
from tests.harness.whole_server import Clock, WholeServer, whole_server

APPEND = {"edits": [{"do": "append", "content": "Tea"}]}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[WholeServer]:
    clock = Clock()
    async with whole_server(store=memory_store(clock), clock=clock) as server:
        yield server


@pytest_asyncio.fixture
async def client(server: WholeServer) -> AsyncIterator[httpx.AsyncClient]:
    async with server.browser() as client:
        await client.get("/api/me")
        yield client


async def new_document(client: httpx.AsyncClient) -> str:
    made = await client.post("/api/documents", json={})
    return f"/api/documents/{made.json()['id']}"


async def says(client: httpx.AsyncClient, path: str) -> str:
    return (await client.get(f"{path}/content?as=text")).text


async def send(client: httpx.AsyncClient, path: str, key: str, body: Any = APPEND) -> httpx.Response:
    return await client.post(f"{path}/edits", json=body, headers={"Idempotency-Key": key})


async def test_a_repetition_gets_the_first_answer_and_does_nothing(client: httpx.AsyncClient) -> None:
    path = await new_document(client)
    first = await send(client, path, "one")
    await send(client, path, "two")
    again = await send(client, path, "one")
    assert (again.status_code, again.json()) == (200, first.json())
    assert await says(client, path) == "Tea\nTea\n"
    put = [
        await client.put(
            f"{path}/content",
            content=b"Cake",
            headers={"Idempotency-Key": "three", "If-Match": "*", "Content-Type": "text/markdown"},
        )
        for _ in range(2)
    ]
    assert put[0].json() == put[1].json()


async def test_a_document_is_made_once(client: httpx.AsyncClient) -> None:
    body, headers = {"title": "Plan", "content": "Tea"}, {"Idempotency-Key": "make"}
    first, again = [await client.post("/api/documents", json=body, headers=headers) for _ in range(2)]
    assert (again.status_code, again.json(), again.headers["location"]) == (
        201,
        first.json(),
        first.headers["location"],
    )
    assert await says(client, first.headers["location"]) == "Tea\n"
    assert len((await client.get("/api/documents")).json()["documents"]) == 1


async def test_a_key_is_one_request_s_and_one_person_s(server: WholeServer, client: httpx.AsyncClient) -> None:
    path = await new_document(client)
    await send(client, path, "one")
    other = await send(client, path, "one", {"edits": [{"do": "append", "content": "Cake"}]})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "malformed")
    async with server.browser() as somebody:
        await somebody.get("/api/me")
        assert (await send(somebody, path, "one")).status_code == 200
    assert await says(client, path) == "Tea\nTea\n"
    for bad in ("", "x" * 201, "a b"):
        assert (await send(client, path, bad)).status_code == 400


async def test_a_refusal_is_not_kept(client: httpx.AsyncClient) -> None:
    path = await new_document(client)
    assert (
        await send(client, path, "one", {"edits": [{"do": "append", "content": [], "as": "html"}]})
    ).status_code == 400
    assert (await send(client, path, "one")).status_code == 200


async def test_the_same_request_twice_at_once_is_carried_out_once(client: httpx.AsyncClient) -> None:
    path = await new_document(client)
    answers = await asyncio.gather(*(send(client, path, "one") for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert await says(client, path) == "Tea\n"


class Dying:
    """Answers of a node that dies at this step."""

    def __init__(self, answers: Answers, at: str) -> None:
        self.begin, self.begin_anew, self.forget = answers.begin, answers.begin_anew, answers.forget
        self.promise, self.finish = answers.promise, answers.finish
        setattr(self, at, self.die)

    async def die(self, *given: object) -> None:
        raise SystemError


@asynccontextmanager
async def after_a_death(at: str) -> AsyncIterator[tuple[WholeServer, httpx.AsyncClient, str]]:
    """Another node, a document, and the one whose edit the first node had on its hands."""
    clock = Clock()
    store = memory_store(clock)
    answers = store.answers
    store.answers = Dying(answers, at)  # type: ignore[assignment]
    async with whole_server(store=store, clock=clock) as server, server.browser() as client:
        await client.get("/api/me")
        path, cookies = await new_document(client), client.cookies
        assert (await send(client, path, "one")).status_code == 500
    store.answers = answers
    async with whole_server(store=store, clock=clock) as server, server.browser() as client:
        client.cookies = cookies
        yield server, client, path


@pytest.mark.slow
async def test_an_edit_that_was_written_before_a_death_is_found_again() -> None:
    async with after_a_death("finish") as (_, client, path):
        assert await says(client, path) == "Tea\n"
        answer = await send(client, path, "one")
        read = (await client.get(f"{path}/content?as=json")).json()
        assert (answer.status_code, answer.json()) == (
            200,
            {"revision": read["revision"], "blocks": read["blocks"], "lost": []},
        )
        assert (await send(client, path, "one")).json() == answer.json()
        assert await says(client, path) == "Tea\n"


@pytest.mark.slow
async def test_an_edit_that_was_not_written_before_a_death_is_made_when_that_is_sure() -> None:
    async with after_a_death("promise") as (server, client, path):
        early = await send(client, path, "one")
        assert (early.status_code, early.json()["error"]["code"]) == (503, "unavailable")
        server.clock.seconds += BUSY.total_seconds()
        assert (await send(client, path, "one")).status_code == 200
        assert await says(client, path) == "Tea\n"
