"""What somebody may do, by everything that may say so: grants, the link, an invitation, their own token."""

from datetime import UTC, datetime

import pytest

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Action, Role
from crdt.protocol.messages import User
from server.auth.base import EVERY_DOCUMENT, Identity
from server.people.access import Access, hash_token, opens
from server.people.sharing import derive_token
from server.store.base import Whose
from server.store.sharing import SqlSharing
from server.store.sharing_base import INVITED, Link
from server.store.sql import SqlStore
from tests.contracts.storages import Clock
from tests.harness.memory_store import memory_store

DOCUMENT, OTHER = DocumentId("a-document"), DocumentId("another-document")
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
TOKEN = "the-token-of-the-link1"


def somebody(name: str = "bert", email: str | None = None, lasting: bool = True, **roles: Role) -> Identity:
    """Somebody with an account; `roles` is what their token says, by document id."""
    user = User(name, name.title(), "#112233")
    said = {EVERY_DOCUMENT if key == "everywhere" else key: role for key, role in roles.items()}
    return Identity(user, "jwt", email, None, said, lasting)


async def made(link: Link, *, owner: str | None = "anna") -> tuple[SqlStore, Access]:
    """A document with this link, on a server where people need an account."""
    store = memory_store()
    await store.catalogue.create(DOCUMENT, "Story", Epoch(1), NOON, owner=owner, link_role=None)
    await store.sharing.set_link(DOCUMENT, link)
    return store, Access(store, guests=False)


async def role(access: Access, identity: Identity, link: str | None = None) -> Role | None:
    try:
        return (await access.ruling(identity, DOCUMENT, link)).role
    except ProtocolError as refusal:
        if refusal.code is not Code.NOT_FOUND:
            raise
        return None


async def test_without_anything_a_document_is_not_there() -> None:
    _, access = await made(Link())
    assert await role(access, somebody()) is None
    assert await role(access, somebody(), TOKEN) is None


async def test_a_token_speaks_of_its_documents_and_of_no_others() -> None:
    _, access = await made(Link())
    assert await role(
        access, Identity(User("bert", "Bert", "#112233"), "jwt", None, None, {DOCUMENT: Role.VIEWER})
    ) is (Role.VIEWER)
    assert await role(access, Identity(User("bert", "Bert", "#112233"), "jwt", None, None, {OTHER: Role.OWNER})) is None
    assert await role(access, somebody(everywhere=Role.EDITOR)) is Role.EDITOR


async def test_a_token_for_every_document_makes_none_exist() -> None:
    _, access = await made(Link())
    with pytest.raises(ProtocolError) as refused:
        await access.require(somebody(everywhere=Role.OWNER), OTHER, Action.READ)
    assert refused.value.code is Code.NOT_FOUND


async def test_the_strongest_role_counts() -> None:
    store, access = await made(Link(Role.COMMENTER))
    await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER)
    assert await role(access, somebody()) is Role.COMMENTER
    assert await role(access, somebody(everywhere=Role.EDITOR)) is Role.EDITOR


async def test_an_address_counts_only_when_it_is_verified() -> None:
    store, access = await made(Link())
    await store.sharing.grant(DOCUMENT, INVITED + "bert@example.com", Role.EDITOR)
    assert await role(access, somebody()) is None
    assert await role(access, somebody("eve", email="eve@example.com")) is None
    assert await role(access, somebody(email="bert@example.com")) is Role.EDITOR
    # From now on it is theirs, whatever becomes of the address.
    assert await role(access, somebody()) is Role.EDITOR
    deed, *_ = await store.deeds.list(DOCUMENT)
    assert (deed.kind, deed.by) == ("accept_invitation", "bert")


async def test_nobody_can_be_the_user_that_an_invitation_stands_for() -> None:
    """Another program's tokens may have any subject, `email:…` as well."""
    store, access = await made(Link())
    await store.sharing.grant(DOCUMENT, INVITED + "bert@example.com", Role.EDITOR)
    assert await role(access, somebody(INVITED + "bert@example.com")) is None


async def test_who_will_not_be_known_again_leaves_no_trace() -> None:
    store, access = await made(Link(Role.EDITOR))
    assert await role(access, somebody(lasting=False)) is Role.EDITOR
    assert await store.users.known(["bert"]) == {}
    assert [person.user.user_id for person in await store.sharing.people(DOCUMENT)] == ["anna"]


async def test_a_visit_and_a_name_are_written_once() -> None:
    store, access = await made(Link(Role.EDITOR, hash_token(TOKEN)))

    class Counting(SqlSharing):
        visits = 0

        async def visit(self, document_id: DocumentId, user_id: str) -> None:
            Counting.visits += 1
            await super().visit(document_id, user_id)

    store.sharing = Counting(store.database, Clock())
    access = Access(store, guests=False)
    for _ in range(3):
        assert await role(access, somebody(), TOKEN) is Role.EDITOR
    assert Counting.visits == 1
    assert set(await store.users.known(["bert"])) == {"bert"}


async def test_where_accounts_are_needed_what_nobody_owns_belongs_to_nobody() -> None:
    store, access = await made(Link(Role.EDITOR), owner=None)
    assert await role(access, somebody()) is Role.EDITOR
    assert access.list_of(somebody(), shared=None) == Whose("bert")
    assert Access(store, guests=True).list_of(somebody(), shared=None) == Whose("bert", with_ownerless=True)
    assert access.list_of(somebody(everywhere=Role.VIEWER), shared=None) is None


def test_a_link_s_token_is_its_document_s_and_its_generation_s_own() -> None:
    tokens = {
        derive_token(key, document_id, generation)
        for key in (b"one", b"two")
        for document_id in (DOCUMENT, OTHER)
        for generation in (0, 1, 11)
    }
    assert len(tokens) == 12
    assert all(len(token) == 22 for token in tokens)


def test_a_link_opens_for_its_token_alone() -> None:
    link = Link(Role.VIEWER, hash_token(TOKEN))
    assert opens(link, TOKEN)
    assert not any(
        opens(link, wrong) for wrong in (None, "", TOKEN[:-1], TOKEN + "1", hash_token(TOKEN).hex(), "\udcff")
    )
    assert opens(Link(Role.VIEWER), None)
    assert not opens(Link(None, hash_token(TOKEN)), TOKEN)
