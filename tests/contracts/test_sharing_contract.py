"""Who has access: grants, links, visits, known people, secrets and the record of changes. For every backend."""

import asyncio

import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store import catalogue, sharing
from server.store.base import Choice, Whose
from server.store.deeds_base import Done
from server.store.sharing_base import INVITED, KnownUser, Link, Person, Standing
from server.store.sql import SqlStore
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE, OTHER, Storage

ANNA, BERT = User("anna", "Anna", "#112233"), User("bert", "Bert", "#445566")
HASH, NEW_HASH = b"h" * 32, b"n" * 32


async def make(
    store: SqlStore, document_id: DocumentId = DOCUMENT, *, owner: str | None = "anna", link_role: Role | None = None
) -> None:
    await store.catalogue.create(document_id, str(document_id), EPOCH, NOON, owner=owner, link_role=link_role)


async def standing(store: SqlStore, *user_ids: str) -> Standing:
    return (await store.sharing.access([DOCUMENT], user_ids))[DOCUMENT]


async def listed(store: SqlStore, whose: Whose | None, *, trashed: bool = False) -> list[str]:
    page = await store.catalogue.find(Choice(trashed=trashed), limit=100, cursor=None, whose=whose)
    return sorted(entry.title for entry in page.entries)


def version_of(done: Done | None) -> int:
    assert done is not None
    return done.access_version


async def version(store: SqlStore) -> int:
    return (await store.log.heads([DOCUMENT]))[DOCUMENT].access_version


async def test_everybodys_documents_are_counted(store: SqlStore) -> None:
    await make(store)
    await make(store, OTHER)
    await store.sharing.grant(OTHER, "bert", Role.EDITOR)
    assert [await store.users.owned(name) for name in ("anna", "bert")] == [2, 0]
    await store.sharing.grant(OTHER, "bert", Role.OWNER)
    await store.catalogue.set_trashed(OTHER, NOON)
    assert [await store.users.owned(name) for name in ("anna", "bert")] == [1, 1]
    await store.catalogue.delete(OTHER)
    assert [await store.users.owned(name) for name in ("anna", "bert")] == [1, 0]


async def test_who_makes_a_document_owns_it(storage: Storage) -> None:
    async with storage.store() as store:
        await store.users.remember(KnownUser(ANNA, "guest"))
        await make(store)
    async with storage.store() as store:
        assert await standing(store, "anna", "bert") == Standing(0, Link(), ANNA, {"anna": Role.OWNER}, frozenset())


async def test_documents_are_open_by_their_address_unless_told_otherwise(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "A document", EPOCH, NOON)
    assert await standing(store, "anna") == Standing(0, Link(Role.EDITOR), None, {}, frozenset())


async def test_making_a_document_twice_makes_nobody_else_its_owner(store: SqlStore) -> None:
    await make(store, owner="anna", link_role=Role.VIEWER)
    await make(store, owner="bert", link_role=Role.EDITOR)
    found = await standing(store, "anna", "bert")
    assert (found.grants, found.link) == ({"anna": Role.OWNER}, Link(Role.VIEWER))


async def test_what_does_not_exist_has_no_access(store: SqlStore) -> None:
    assert await store.sharing.access([NOWHERE], ["anna"]) == {}
    assert await store.sharing.people(NOWHERE) == []
    assert await store.sharing.grant(NOWHERE, "anna", Role.OWNER) is None
    assert await store.sharing.revoke(NOWHERE, "anna") is None
    assert await store.sharing.set_link(NOWHERE, Link(Role.EDITOR)) is None
    await store.sharing.visit(NOWHERE, "anna")
    assert await store.sharing.redeem("email:x", "anna") == []


async def test_every_change_is_counted_and_visits_are_not(store: SqlStore) -> None:
    await make(store)
    assert await version(store) == 0
    assert version_of(await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)) == 1
    assert version_of(await store.sharing.set_link(DOCUMENT, Link(Role.VIEWER))) == 2
    await store.sharing.visit(DOCUMENT, "carl")
    assert version_of(await store.sharing.revoke(DOCUMENT, "bert")) == 3
    assert await version(store) == 3
    assert (await standing(store)).version == 3


async def test_of_many_changes_at_once_each_is_counted(store: SqlStore) -> None:
    await make(store)
    changes = (store.sharing.grant(DOCUMENT, f"user-{number}", Role.VIEWER) for number in range(8))
    assert sorted(map(version_of, await asyncio.gather(*changes))) == list(range(1, 9))


async def test_grants_replace_each_other_and_end(store: SqlStore) -> None:
    await make(store)
    await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    await store.sharing.grant(DOCUMENT, "bert", Role.EDITOR)
    assert (await standing(store, "bert", "carl")).grants == {"bert": Role.EDITOR}
    await store.sharing.revoke(DOCUMENT, "bert")
    assert (await standing(store, "bert")).grants == {}


async def test_ownership_passes_on_and_leaves_an_editor(store: SqlStore) -> None:
    await make(store)
    await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    await store.sharing.grant(DOCUMENT, "bert", Role.OWNER)
    assert (await standing(store, "anna", "bert")).grants == {"anna": Role.EDITOR, "bert": Role.OWNER}


async def test_nothing_leaves_a_document_without_its_owner(store: SqlStore) -> None:
    await make(store)
    for done in (
        await store.sharing.grant(DOCUMENT, "anna", Role.EDITOR),
        await store.sharing.revoke(DOCUMENT, "anna"),
        await store.sharing.adopt(DOCUMENT, "bert"),
    ):
        assert done is not None
        assert (done.deed, done.access_version) == (None, 0)
    assert (await standing(store, "anna", "bert")).grants == {"anna": Role.OWNER}


async def test_of_many_who_adopt_a_document_the_first_owns_it(store: SqlStore) -> None:
    await make(store, owner=None)
    takers = [f"user-{number}" for number in range(6)]
    done = await asyncio.gather(*(store.sharing.adopt(DOCUMENT, taker) for taker in takers))
    (owner,) = [taker for taker, each in zip(takers, done, strict=True) if each is not None and each.deed is not None]
    assert (await standing(store, *takers)).grants == {owner: Role.OWNER}
    assert await store.sharing.adopt(NOWHERE, "anna") is None


async def test_of_many_who_take_a_document_one_owns_it(store: SqlStore) -> None:
    await make(store)
    takers = [f"user-{number}" for number in range(6)]
    await asyncio.gather(*(store.sharing.grant(DOCUMENT, taker, Role.OWNER) for taker in takers))
    roles = [role for role in (await standing(store, "anna", *takers)).grants.values() if role is Role.OWNER]
    assert roles == [Role.OWNER]


async def test_a_visit_has_force_as_long_as_its_link(store: SqlStore) -> None:
    await make(store)
    await store.sharing.visit(DOCUMENT, "bert")
    assert (await standing(store, "bert")).visitors == frozenset()
    await store.sharing.set_link(DOCUMENT, Link(Role.VIEWER, HASH))
    await store.sharing.visit(DOCUMENT, "bert")
    assert (await standing(store, "bert", "carl")).visitors == {"bert"}
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, HASH))
    assert (await standing(store, "bert")).visitors == {"bert"}
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, NEW_HASH, 1))
    assert (await standing(store, "bert")).visitors == frozenset()
    await store.sharing.visit(DOCUMENT, "bert")
    await store.sharing.set_link(DOCUMENT, Link(None, NEW_HASH, 1))
    assert (await standing(store, "bert")).visitors == frozenset()


async def test_a_visit_by_the_address_alone_has_force_while_that_is_enough(store: SqlStore) -> None:
    await make(store, link_role=Role.EDITOR)
    await store.sharing.visit(DOCUMENT, "bert")
    assert (await standing(store, "bert")).visitors == {"bert"}
    await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, HASH))
    assert (await standing(store, "bert")).visitors == frozenset()


async def test_an_older_generation_of_the_link_does_not_come_back(store: SqlStore) -> None:
    await make(store)
    assert version_of(await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, NEW_HASH, 2))) == 1
    nothing = await store.sharing.set_link(DOCUMENT, Link(Role.EDITOR, HASH, 1))
    assert nothing is not None
    assert (nothing.deed, nothing.access_version) == (None, 1)
    assert (await standing(store)).link == Link(Role.EDITOR, NEW_HASH, 2)


async def test_the_first_visitors_are_forgotten_first(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "MAX_VISITS", 2)
    await make(store, link_role=Role.VIEWER)
    for visitor in ("a", "b", "a", "c"):
        await store.sharing.visit(DOCUMENT, visitor)
    assert (await standing(store, "a", "b", "c")).visitors == {"a", "c"}


async def test_people_are_told_by_what_they_have_access(store: SqlStore) -> None:
    await make(store, link_role=Role.COMMENTER)
    await store.users.remember(KnownUser(BERT, "oidc", "bert@example.com"))
    for user_id, role in (("bert", Role.VIEWER), ("email:carl@example.com", Role.EDITOR)):
        await store.sharing.grant(DOCUMENT, user_id, role)
    for visitor in ("dora", "bert", "emil"):
        await store.sharing.visit(DOCUMENT, visitor)
    people = await store.sharing.people(DOCUMENT)
    assert [(person.user.user_id, person.user.name, person.role, person.via) for person in people] == [
        ("anna", "anna", Role.OWNER, "grant"),
        ("bert", "Bert", Role.VIEWER, "grant"),
        ("email:carl@example.com", "carl@example.com", Role.EDITOR, "grant"),
        ("emil", "emil", Role.COMMENTER, "link"),
        ("dora", "dora", Role.COMMENTER, "link"),
    ]
    assert people[1] == Person(BERT, "bert@example.com", Role.VIEWER, "grant")


async def test_the_owner_comes_first_whenever_they_became_it(store: SqlStore) -> None:
    await make(store)
    await store.sharing.grant(DOCUMENT, "bert", Role.OWNER)
    assert [person.user.user_id for person in await store.sharing.people(DOCUMENT)] == ["bert", "anna"]


async def test_an_invitation_becomes_the_grant_of_whoever_signs_in(store: SqlStore) -> None:
    await make(store)
    await make(store, OTHER)
    invited = INVITED + "bert@example.com"
    await store.sharing.grant(DOCUMENT, invited, Role.EDITOR)
    await store.sharing.grant(OTHER, invited, Role.VIEWER)
    await store.sharing.grant(OTHER, "bert", Role.COMMENTER)
    redeemed = await store.sharing.redeem(invited, "bert")
    assert {done.deed and done.deed.document_id: done.access_version for done in redeemed} == {DOCUMENT: 2, OTHER: 3}
    found = await store.sharing.access([DOCUMENT, OTHER], ["bert", invited])
    assert {document_id: each.grants for document_id, each in found.items()} == {
        DOCUMENT: {"bert": Role.EDITOR},
        OTHER: {"bert": Role.COMMENTER},
    }
    assert await store.sharing.redeem(invited, "bert") == []


async def test_a_list_holds_what_is_ones_own_what_was_given_and_what_was_visited(store: SqlStore) -> None:
    for name, owner, link in [("mine-1234", "bert", None), ("given-1234", "anna", None), ("secret-123", "anna", None)]:
        await make(store, DocumentId(name), owner=owner, link_role=link)
    await make(store, DocumentId("visited-1"), link_role=Role.VIEWER)
    await make(store, DocumentId("ownerless"), owner=None, link_role=Role.EDITOR)
    await store.sharing.grant(DocumentId("given-1234"), "bert", Role.VIEWER)
    await store.sharing.visit(DocumentId("visited-1"), "bert")
    assert await listed(store, Whose("bert")) == ["given-1234", "mine-1234", "visited-1"]
    assert await listed(store, Whose("bert", shared=True)) == ["given-1234", "visited-1"]
    assert await listed(store, Whose("bert", shared=False)) == ["mine-1234"]
    assert await listed(store, Whose("bert", with_ownerless=True)) == [
        "given-1234",
        "mine-1234",
        "ownerless",
        "visited-1",
    ]
    assert await listed(store, Whose("nobody")) == []
    assert len(await listed(store, None)) == 5
    await store.sharing.set_link(DocumentId("visited-1"), Link(Role.VIEWER, HASH))
    await store.sharing.revoke(DocumentId("given-1234"), "bert")
    assert await listed(store, Whose("bert")) == ["mine-1234"]


async def test_of_what_nobody_owns_the_newest_are_in_everybodys_list_and_the_visited_ones_stay(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "LISTED_OWNERLESS", 2)
    ids = [DocumentId(f"document-{number}") for number in range(5)]
    for document_id in ids:
        await store.catalogue.create(document_id, document_id, EPOCH, NOON)
    await store.sharing.visit(ids[0], "anna")
    assert await listed(store, Whose("anna", with_ownerless=True)) == [ids[0], ids[3], ids[4]]
    assert await listed(store, Whose("bert", with_ownerless=True)) == [ids[3], ids[4]]
    await store.sharing.grant(ids[4], "anna", Role.EDITOR)
    assert await listed(store, Whose("bert", with_ownerless=True)) == [ids[3], ids[4]]
    await store.sharing.revoke(ids[4], "anna")
    assert await listed(store, Whose("bert", with_ownerless=True)) == [ids[3], ids[4]]
    await store.sharing.grant(ids[4], "anna", Role.OWNER)
    assert await listed(store, Whose("bert", with_ownerless=True)) == [ids[2], ids[3]]


async def test_the_trash_lists_ones_own(store: SqlStore) -> None:
    await make(store)
    await store.sharing.grant(DOCUMENT, "bert", Role.EDITOR)
    await store.catalogue.set_trashed(DOCUMENT, NOON)
    assert await listed(store, Whose("anna"), trashed=True) == [DOCUMENT]
    assert await listed(store, Whose("bert"), trashed=True) == []


async def test_access_goes_with_its_document(store: SqlStore) -> None:
    await make(store)
    await store.sharing.grant(DOCUMENT, "bert", Role.EDITOR)
    await store.catalogue.delete(DOCUMENT)
    await make(store, owner="carl")
    assert (await standing(store, "anna", "bert", "carl")).grants == {"carl": Role.OWNER}


async def test_people_are_known_as_they_were_seen_last(storage: Storage) -> None:
    async with storage.store() as store:
        await store.users.remember(KnownUser(ANNA, "guest"))
        await store.users.remember(KnownUser(User("anna", "Anne", "#000000"), "oidc", "anna@example.com"))
    async with storage.store() as store:
        anne = KnownUser(User("anna", "Anne", "#000000"), "oidc", "anna@example.com")
        assert await store.users.known(["anna", "bert"]) == {"anna": anne}
        assert await store.users.by_email("anna@example.com") == anne
        assert await store.users.by_email("bert@example.com") is None
        await store.users.remember(KnownUser(BERT, "oidc", "anna@example.com"))
        found = await store.users.by_email("anna@example.com")
        assert found is not None
        assert found.user == BERT


async def test_of_many_who_make_a_secret_one_wins_and_it_lasts(storage: Storage) -> None:
    async with storage.store() as store:
        made = await asyncio.gather(*(store.secrets.get_or_make("key", bytes([number])) for number in range(6)))
        assert len(set(made)) == 1
        assert await store.secrets.get_or_make("other", b"else") == b"else"
    async with storage.store() as store:
        assert await store.secrets.get_or_make("key", b"late") == made[0]
