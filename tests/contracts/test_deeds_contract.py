"""Deeds: whatever happens to a document is written down with the change, numbered in the order of commits, and bounded."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from crdt.errors import InvariantError
from crdt.ids import DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.messages import Format
from crdt.protocol.row import Found, SetAside
from server.store.deeds_base import ABOUT_DISCUSSION, OPERATOR, Deed, Done, Kind
from server.store.set_aside_base import State
from server.store.sharing_base import INVITED, Link
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, OTHER, Storage, fill

HASH = b"h" * 32
UNWRITABLE = "\ud800"
"""Half a character, which no database takes."""


def told(deeds: Sequence[Deed]) -> list[tuple[str, str, dict[str, str]]]:
    return [(deed.kind, deed.by, dict(deed.details)) for deed in deeds]


def deed_of(done: Done | None) -> Deed:
    assert done is not None
    assert done.deed is not None
    return done.deed


async def test_every_change_of_a_document_is_written_down(store: SqlStore) -> None:
    catalogue, sharing = store.catalogue, store.sharing
    await catalogue.create(DOCUMENT, "Title", EPOCH, NOON, by="anna")
    await sharing.grant(DOCUMENT, "anna", Role.OWNER, by="anna")
    await sharing.grant(DOCUMENT, INVITED + "bert@example.com", Role.VIEWER, by="anna")
    await sharing.redeem(INVITED + "bert@example.com", "bert")
    await sharing.set_link(DOCUMENT, Link(Role.EDITOR), by="anna")
    await sharing.set_link(DOCUMENT, Link(None, HASH, 1), by="anna")
    await sharing.grant(DOCUMENT, "bert", Role.OWNER, by="anna")
    await sharing.revoke(DOCUMENT, "anna", by="bert")
    await store.access_requests.ask(DOCUMENT, "eve")
    await store.access_requests.refuse(DOCUMENT, "eve", by="bert")
    await catalogue.rename(DOCUMENT, "Another title", NOON, by="bert")
    await store.shelf.set_labels(DOCUMENT, ["Plan"], by="bert")
    await catalogue.declare_format(DOCUMENT, Format("stock", 2), by="carl")
    await catalogue.allow_any_format(DOCUMENT, allowed=True, by="bert")
    await catalogue.allow_any_format(DOCUMENT, allowed=False, by="bert")
    await catalogue.set_trashed(DOCUMENT, NOON, by="bert")
    await catalogue.set_trashed(DOCUMENT, None, by="bert")
    await fill(store, "a")
    await store.set_aside.keep(DOCUMENT, EPOCH, [Found(Seq(1), SetAside(0, b"\1x", "bad"), b"raw")])
    await store.set_aside.settle(DOCUMENT, Seq(1), 0, State.DROPPED)
    await catalogue.delete(DOCUMENT, by="carl")
    deeds = await store.deeds.list(DOCUMENT)
    assert told(deeds)[::-1] == [
        ("create", "anna", {}),
        ("adopt", "anna", {"user_id": "anna"}),
        ("grant", "anna", {"user_id": "email:bert@example.com", "role": "viewer"}),
        ("accept_invitation", "bert", {}),
        ("link", "anna", {"role": "editor"}),
        ("link", "anna", {"role": "none", "renewed": "yes"}),
        ("transfer", "anna", {"user_id": "bert", "role": "owner"}),
        ("revoke", "bert", {"user_id": "anna"}),
        ("ask", "eve", {}),
        ("refuse", "bert", {"user_id": "eve"}),
        ("rename", "bert", {}),
        ("labels", "bert", {}),
        ("format", "carl", {"name": "stock", "version": "2"}),
        ("any_format", "bert", {"allowed": "yes"}),
        ("any_format", "bert", {"allowed": "no"}),
        ("trash", "bert", {}),
        ("restore", "bert", {}),
        ("dropped", OPERATOR, {"place": "1.0"}),
        ("delete", "carl", {}),
    ]
    moments = [deed.at for deed in reversed(deeds)]
    assert moments == sorted(moments)
    assert moments[0] > NOON
    # Those of the discussion are in test_threads_contract.py.
    assert {deed.kind for deed in deeds} == set(Kind) - ABOUT_DISCUSSION - {Kind.DISCUSSION_RULE, Kind.PUT_BACK}


async def test_a_change_answers_with_its_deed_and_with_what_the_document_is_since(store: SqlStore) -> None:
    await fill(store)
    renamed = await store.catalogue.rename(DOCUMENT, "New", NOON, by="anna")
    assert deed_of(renamed) == (await store.deeds.list(DOCUMENT))[0]
    assert renamed is not None
    assert (renamed.entry, renamed.access_version) == (await store.catalogue.get(DOCUMENT), 0)
    granted = await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    assert granted is not None
    assert (granted.entry, granted.access_version) == (await store.catalogue.get(DOCUMENT), 1)
    deleted = await store.catalogue.delete(DOCUMENT)
    assert deleted is not None
    assert deleted.entry is None


async def test_what_changes_nothing_is_no_deed(store: SqlStore) -> None:
    await fill(store)
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, HASH, 2))
    before = await store.deeds.after(0)
    await store.catalogue.create(DOCUMENT, "Another", Epoch(2), NOON)
    await store.catalogue.rename(NOWHERE, "Title", NOON)
    await store.catalogue.delete(NOWHERE)
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, HASH, 1))
    await store.sharing.visit(DOCUMENT, "bert")
    assert await store.deeds.after(0) == before


async def test_a_change_whose_deed_cannot_be_written_does_not_happen(store: SqlStore) -> None:
    await fill(store)
    before = await store.catalogue.get(DOCUMENT), await store.sharing.access([DOCUMENT], ["bert"])
    for change in (
        store.catalogue.rename(DOCUMENT, "New", NOON, by=UNWRITABLE),
        store.catalogue.set_trashed(DOCUMENT, NOON, by=UNWRITABLE),
        store.catalogue.delete(DOCUMENT, by=UNWRITABLE),
        store.sharing.grant(DOCUMENT, "bert", Role.EDITOR, by=UNWRITABLE),
        store.sharing.set_link(DOCUMENT, Link(None), by=UNWRITABLE),
    ):
        with pytest.raises((InvariantError, UnicodeError)):
            await change
    assert (await store.catalogue.get(DOCUMENT), await store.sharing.access([DOCUMENT], ["bert"])) == before


async def test_the_record_outlives_the_document_and_the_store(storage: Storage) -> None:
    async with storage.store() as store:
        await fill(store)
        await fill(store, document_id=OTHER)
        await store.catalogue.delete(DOCUMENT, by="anna")
    async with storage.store() as store:
        assert told(await store.deeds.list(DOCUMENT)) == [("delete", "anna", {}), ("create", OPERATOR, {})]
        assert told(await store.deeds.list(DOCUMENT, limit=1)) == [("delete", "anna", {})]


async def test_a_reader_goes_on_behind_the_last_deed_that_it_has_seen(store: SqlStore) -> None:
    await fill(store)
    first = await store.deeds.after(0)
    assert [deed.kind for deed in first] == ["create"]
    await store.catalogue.rename(DOCUMENT, "One", NOON)
    await fill(store, document_id=OTHER)
    await store.catalogue.rename(DOCUMENT, "Two", NOON)
    rest = await store.deeds.after(first[-1].seq)
    assert [(deed.document_id, deed.kind) for deed in rest] == [
        (DOCUMENT, "rename"),
        (OTHER, "create"),
        (DOCUMENT, "rename"),
    ]
    assert await store.deeds.after(first[-1].seq, limit=2) == rest[:2]
    assert await store.deeds.after(rest[-1].seq) == []


async def test_no_deed_comes_late_for_a_reader_who_follows(store: SqlStore) -> None:
    ids = [DocumentId(f"document-{number}") for number in range(6)]
    for document_id in ids:
        await fill(store, document_id=document_id)
    writing, seen = True, [deed.seq for deed in await store.deeds.after(0)]

    async def write(document_id: DocumentId) -> None:
        for number in range(15):
            await store.catalogue.rename(document_id, f"Title {number}", NOON)

    async def follow() -> None:
        while writing:
            seen.extend(deed.seq for deed in await store.deeds.after(seen[-1]))

    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(follow())
        async with asyncio.TaskGroup() as writers:
            for document_id in ids:
                writers.create_task(write(document_id))
        writing = False
        await following
    seen.extend(deed.seq for deed in await store.deeds.after(seen[-1]))
    assert seen == [deed.seq for deed in await store.deeds.after(0)]
    assert len(seen) == 6 + 6 * 15


async def test_of_each_document_the_last_deeds_are_kept(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.catalogue.DEEDS_KEPT", 3)
    monkeypatch.setattr("server.store.catalogue.RENAMES_KEPT", 2)
    monkeypatch.setattr("server.store.catalogue.ASKS_KEPT", 1)
    await fill(store, document_id=OTHER)
    await fill(store)
    for number in range(5):
        await store.catalogue.rename(DOCUMENT, f"{number}", NOON + timedelta(hours=number), by=f"renamer-{number}")
        await store.sharing.grant(DOCUMENT, f"user-{number}", Role.VIEWER, by="anna")
        await store.access_requests.ask(DOCUMENT, f"stranger-{number}")
    for number in range(5):
        await store.catalogue.declare_format(DOCUMENT, Format("stock", 1 + number), by=f"raiser-{number}")
    deeds = await store.deeds.list(DOCUMENT)
    granted = [deed.details["user_id"] for deed in deeds if deed.kind == Kind.GRANT]
    assert granted == ["user-4", "user-3", "user-2"]
    assert [deed.by for deed in deeds if deed.kind == Kind.ASK] == ["stranger-4"], "everybody may ask"
    others = [deed.by for deed in deeds if deed.kind not in (Kind.GRANT, Kind.ASK)]
    assert others == ["raiser-4", "raiser-3"], "renames and formats are written by everybody who may write"
    assert len(deeds) == 6
    assert told(await store.deeds.list(OTHER)) == [("create", OPERATOR, {})]
