"""Requests for access. For every backend."""

import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from server.store import access_requests
from server.store.deeds_base import Kind
from server.store.sharing_base import KnownUser
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, OTHER
from tests.contracts.test_sharing_contract import BERT


async def waiting(store: SqlStore) -> list[str]:
    return [each.user.user_id for each in await store.access_requests.waiting(DOCUMENT)]


async def counts(store: SqlStore, shared: list[DocumentId]) -> dict[DocumentId, int]:
    placed = await store.shelf.placed([DOCUMENT, OTHER], "owner", shared)
    return {document_id: each.requests for document_id, each in placed.items()}


async def test_who_asks_waits_once_and_is_shown_by_name(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    await store.catalogue.create(OTHER, "Title", EPOCH, NOON)
    await store.users.remember(KnownUser(BERT, "oidc", "bert@example.com"))
    for who in ("bert", "carl", "bert"):
        await store.access_requests.ask(DOCUMENT, who)
    first, second = await store.access_requests.waiting(DOCUMENT)
    assert (first.user, first.email, second.user.name) == (BERT, "bert@example.com", "carl")
    assert first.asked_at < second.asked_at
    assert await counts(store, shared=[DOCUMENT, OTHER]) == {DOCUMENT: 2, OTHER: 0}
    assert await counts(store, shared=[]) == {DOCUMENT: 0, OTHER: 0}


async def test_a_grant_answers_a_request_and_a_refusal_ends_it(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    for who in ("bert", "carl"):
        await store.access_requests.ask(DOCUMENT, who)
    await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    for _ in range(2):
        await store.access_requests.refuse(DOCUMENT, "carl", by="ann")
        await store.access_requests.ask(DOCUMENT, "carl")
    assert await waiting(store) == []
    assert (await counts(store, shared=[DOCUMENT]))[DOCUMENT] == 0
    await store.sharing.revoke(DOCUMENT, "bert")
    await store.access_requests.ask(DOCUMENT, "bert")
    assert await waiting(store) == ["bert"]


async def test_asking_and_refusing_are_deeds_unless_they_change_nothing(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    requests = store.access_requests
    done = [await requests.ask(DOCUMENT, "bert"), await requests.ask(DOCUMENT, "bert")]
    done += [await requests.refuse(DOCUMENT, "bert", by="ann"), await requests.refuse(DOCUMENT, "bert", by="ann")]
    assert [each and each.deed and (each.deed.kind, each.deed.by) for each in done] == [
        (Kind.ASK, "bert"),
        None,
        (Kind.REFUSE, "ann"),
        None,
    ]
    deeds = await store.deeds.list(DOCUMENT)
    assert [(deed.kind, dict(deed.details)) for deed in deeds[:2]] == [("refuse", {"user_id": "bert"}), ("ask", {})]
    assert await requests.ask(NOWHERE, "bert") is None
    assert await requests.refuse(NOWHERE, "bert", by="ann") is None


async def test_requests_go_with_the_document(store: SqlStore) -> None:
    await store.access_requests.ask(NOWHERE, "bert")
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    await store.access_requests.ask(DOCUMENT, "bert")
    await store.catalogue.delete(DOCUMENT)
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    assert await waiting(store) == []


async def test_the_oldest_requests_are_forgotten_first(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_requests, "MAX_REQUESTS", 2)
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON)
    for who in ("a", "b", "c"):
        await store.access_requests.ask(DOCUMENT, who)
    assert await waiting(store) == ["b", "c"]
