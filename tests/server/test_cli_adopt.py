"""Documents that nobody owns get an owner from the command line."""

import pytest

from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from server.cli import CannotDo
from server.cli.adopt import adopt
from server.store.deeds_base import OPERATOR
from server.store.sql import SqlStore
from tests.contracts.storages import NOON
from tests.harness.memory_store import memory_store


async def filled() -> SqlStore:
    """Many documents of nobody's, one of them in the trash, and one of Anna's."""
    store = memory_store()
    for number in range(450):
        await store.catalogue.create(DocumentId(f"ownerless-{number}"), "Old", Epoch(1), NOON)
    await store.catalogue.set_trashed(DocumentId("ownerless-7"), NOON)
    await store.catalogue.create(DocumentId("annas-own"), "Anna's", Epoch(1), NOON, owner="anna")
    return store


async def owner(store: SqlStore, document_id: str) -> str | None:
    standing = (await store.sharing.access([DocumentId(document_id)], []))[DocumentId(document_id)]
    return None if standing.owner is None else standing.owner.user_id


async def test_all_that_nobody_owns_is_adopted_and_nothing_else() -> None:
    store = await filled()
    assert await adopt(store, None, "bert") == 450
    assert {await owner(store, f"ownerless-{number}") for number in range(450)} == {"bert"}
    assert await owner(store, "annas-own") == "anna"
    assert await adopt(store, None, "carl") == 0


async def test_one_document_is_adopted_and_the_record_says_by_whom() -> None:
    store = await filled()
    assert await adopt(store, "ownerless-7", "bert") == 1
    assert (await store.sharing.access([DocumentId("ownerless-7")], ["bert"]))[DocumentId("ownerless-7")].grants == {
        "bert": Role.OWNER
    }
    assert await owner(store, "ownerless-8") is None
    deed, *_ = await store.deeds.list(DocumentId("ownerless-7"))
    assert (deed.by, deed.kind, deed.details) == (OPERATOR, "adopt", {"user_id": "bert"})


async def test_a_document_is_taken_from_an_owner_who_cannot_come_back() -> None:
    store = await filled()
    assert await adopt(store, "annas-own", "bert", take=True) == 1
    assert await owner(store, "annas-own") == "bert"
    standing = (await store.sharing.access([DocumentId("annas-own")], ["anna"]))[DocumentId("annas-own")]
    assert standing.grants == {"anna": Role.EDITOR}


@pytest.mark.parametrize(
    ("document_id", "user_id", "sentence"),
    [
        ("annas-own", "bert", "has an owner: anna"),
        ("no-such-document", "bert", "There is no document"),
        ("x", "bert", "There is no document"),
        ("ownerless-1", "", "A user id is"),
        ("ownerless-1", "a\nb", "A user id is"),
    ],
)
async def test_what_cannot_be_adopted_is_refused_and_left_as_it_is(
    document_id: str, user_id: str, sentence: str
) -> None:
    store = await filled()
    with pytest.raises(CannotDo, match=sentence):
        await adopt(store, document_id, user_id)
    assert await owner(store, "annas-own") == "anna"
    assert await owner(store, "ownerless-1") is None
