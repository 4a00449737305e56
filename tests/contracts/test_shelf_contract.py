"""Stars, openings and labels. For every backend."""

import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from server.store import shelf
from server.store.base import Choice, Whose
from server.store.deeds_base import Kind
from server.store.shelf_base import Placed
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, OTHER


async def make(store: SqlStore, *document_ids: DocumentId) -> None:
    for document_id in document_ids:
        await store.catalogue.create(document_id, document_id, EPOCH, NOON, owner="anna")


async def chosen(store: SqlStore, choice: Choice, whose: Whose | None = None) -> list[str]:
    page = await store.catalogue.find(choice, limit=9, cursor=None, whose=whose)
    return [entry.document_id for entry in page.entries]


async def test_a_star_is_one_person_s_own_and_can_be_taken_away(store: SqlStore) -> None:
    await make(store, DOCUMENT, OTHER)
    await store.shelf.star(DOCUMENT, "bert", starred=True)
    assert await store.shelf.placed([DOCUMENT, OTHER], "bert") == {DOCUMENT: Placed(starred=True), OTHER: Placed()}
    assert await store.shelf.placed([DOCUMENT, OTHER], "anna") == {DOCUMENT: Placed(), OTHER: Placed()}
    assert await chosen(store, Choice(reader="bert", starred=True)) == [DOCUMENT]
    assert await chosen(store, Choice(reader="anna", starred=True)) == []
    await store.shelf.star(DOCUMENT, "bert", starred=False)
    assert await chosen(store, Choice(reader="bert", starred=True)) == []


async def test_an_opening_leaves_the_star_and_a_star_the_opening(store: SqlStore) -> None:
    await make(store, DOCUMENT)
    await store.shelf.star(DOCUMENT, "bert", starred=True)
    await store.shelf.note_opened(DOCUMENT, "bert")
    await store.shelf.star(DOCUMENT, "bert", starred=True)
    placed = (await store.shelf.placed([DOCUMENT], "bert"))[DOCUMENT]
    assert placed.starred
    assert placed.opened_at is not None


async def test_who_has_opened_a_document_is_known_and_a_star_alone_says_nothing(store: SqlStore) -> None:
    await make(store, DOCUMENT, OTHER)
    await store.shelf.note_opened(DOCUMENT, "bert")
    await store.shelf.star(DOCUMENT, "carl", starred=True)
    asked = [(DOCUMENT, "bert"), (OTHER, "bert"), (DOCUMENT, "carl"), (NOWHERE, "bert")]
    assert [await store.shelf.has_opened(*each) for each in asked] == [True, False, False, False]


async def test_labels_are_everybody_s_and_a_deed_without_their_text(store: SqlStore) -> None:
    await make(store, DOCUMENT, OTHER)
    done = await store.shelf.set_labels(DOCUMENT, ["Travel", "Autumn"], by="anna")
    assert done is not None
    assert done.deed is not None
    assert (done.deed.kind, done.deed.by, done.deed.details) == (Kind.LABELS, "anna", {})
    same = await store.shelf.set_labels(DOCUMENT, ["Autumn", "Travel"])
    assert same is not None
    assert same.deed is None
    assert await store.shelf.placed([DOCUMENT], "bert") == {DOCUMENT: Placed(labels=("Autumn", "Travel"))}
    assert await chosen(store, Choice(label="Travel")) == [DOCUMENT]
    assert await chosen(store, Choice(label="travel")) == []
    await store.shelf.set_labels(DOCUMENT, [])
    assert await chosen(store, Choice(label="Travel")) == []


async def test_labels_of_a_list_are_those_of_its_documents(store: SqlStore) -> None:
    await make(store, DOCUMENT, OTHER)
    await store.shelf.set_labels(DOCUMENT, ["Ours", "Plan"])
    await store.shelf.set_labels(OTHER, ["Plan"])
    await store.sharing.grant(OTHER, "bert", Role.VIEWER)
    assert await store.shelf.labels(None) == ["Ours", "Plan"]
    assert await store.shelf.labels(Whose("bert")) == ["Plan"]
    await store.catalogue.set_trashed(OTHER, NOON)
    assert await store.shelf.labels(Whose("bert")) == []


async def test_nothing_happens_to_what_does_not_exist(store: SqlStore) -> None:
    await store.shelf.star(NOWHERE, "bert", starred=True)
    await store.shelf.note_opened(NOWHERE, "bert")
    assert await store.shelf.set_labels(NOWHERE, ["Plan"]) is None
    assert await store.shelf.placed([NOWHERE], "bert") == {NOWHERE: Placed()}
    assert await store.shelf.placed([], "bert") == {}


async def test_all_of_it_goes_with_the_document(store: SqlStore) -> None:
    await make(store, DOCUMENT)
    await store.shelf.star(DOCUMENT, "bert", starred=True)
    await store.shelf.set_labels(DOCUMENT, ["Plan"])
    await store.catalogue.delete(DOCUMENT)
    await make(store, DOCUMENT)
    assert await store.shelf.placed([DOCUMENT], "bert") == {DOCUMENT: Placed()}


async def test_who_opened_a_document_longest_ago_is_forgotten_first(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "MAX_READERS", 2)
    await make(store, DOCUMENT)
    for reader in ("a", "b", "a", "c"):
        await store.shelf.note_opened(DOCUMENT, reader)
    kept = {reader for reader in "abc" if (await store.shelf.placed([DOCUMENT], reader))[DOCUMENT].opened_at}
    assert kept == {"a", "c"}
