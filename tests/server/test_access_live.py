"""Access changes while people are in the document: roles and doors follow at once, on the node of the change and on every other.

No node here ever looks into the log by itself, so what another node finds out it has found out from
the hint.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import cast

import pytest

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol.messages import Acknowledged, Refused, User
from server.auth.base import Identity
from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.people.sharing import GivenRole, LinkChange
from server.store.base import Choice, Whose
from server.store.sql import SqlStore
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store
from tests.harness.node import Node, Person, running_node

DOCUMENT = DocumentId("a-document")
OWNER = Identity(User("owner", "Owner", "#112233"), "guest")


class Cluster:
    """Two nodes, and the owner, who changes access at the first one."""

    def __init__(self, store: SqlStore, first: Node, second: Node) -> None:
        self.store = store
        self.first = first
        self.second = second

    async def grant(self, person: Person, role: Role) -> None:
        await self.first.desk.grant(OWNER, DOCUMENT, person.user.user_id, role)

    async def revoke(self, person: Person) -> None:
        await self.first.desk.revoke(OWNER, DOCUMENT, person.user.user_id)

    async def link(self, role: Role | None, *, renew: bool = False, address_alone: bool = False) -> str | None:
        """Change the link; the token that comes with the address now."""
        view = await self.first.desk.set_link(
            OWNER, DOCUMENT, LinkChange(cast(GivenRole | None, role), renew, address_alone)
        )
        return None if view.url is None else view.url.partition("#link=")[2] or None


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    network = MemoryBusNetwork()
    async with memory_store() as store, AsyncExitStack() as stack:
        await store.catalogue.create(DOCUMENT, "Story", Epoch(1), datetime.now(UTC), owner="owner", link_role=None)
        nodes = [await stack.enter_async_context(running_node(store, MemoryBus(network))) for _ in range(2)]
        yield Cluster(store, *nodes)


@pytest.fixture(params=["the same node", "another node"])
def place(cluster: Cluster, request: pytest.FixtureRequest) -> Node:
    """Where people are while the owner changes something at the first node."""
    return cluster.first if request.param == "the same node" else cluster.second


async def granted(cluster: Cluster, place: Node, name: str, role: Role) -> Person:
    """Somebody with a role of their own, in the document."""
    person = place.person(name)
    await cluster.grant(person, role)
    await person.joins(DOCUMENT)
    return person


async def is_shut_out(person: Person, link: str | None = None) -> None:
    """Wait until somebody was told to go, and see that nothing lets them back in."""
    await until(lambda: person.closed is not None)
    assert person.closed is not None
    assert person.closed.code is Code.FORBIDDEN
    with pytest.raises(ProtocolError) as refused:
        await person.joins(DOCUMENT, link)
    assert refused.value.code is Code.NOT_FOUND


async def refused_code(person: Person, words: str) -> Code | None:
    answer = await person.types(words)
    return answer.code if isinstance(answer, Refused) else None


async def test_who_becomes_a_viewer_is_told_and_can_write_no_more(cluster: Cluster, place: Node) -> None:
    alice = await granted(cluster, cluster.first, "alice", Role.EDITOR)
    bob = await granted(cluster, place, "bob", Role.EDITOR)
    assert isinstance(await bob.types("taken"), Acknowledged)
    await cluster.grant(bob, Role.VIEWER)
    await until(lambda: bob.role is Role.VIEWER)
    assert await refused_code(bob, "refused") is Code.FORBIDDEN
    await alice.reads("taken")
    assert alice.text == "taken"


async def test_who_becomes_an_editor_is_told_and_can_write(cluster: Cluster, place: Node) -> None:
    alice = await granted(cluster, cluster.first, "alice", Role.VIEWER)
    bob = await granted(cluster, place, "bob", Role.COMMENTER)
    await cluster.grant(bob, Role.EDITOR)
    await until(lambda: bob.role is Role.EDITOR)
    assert isinstance(await bob.types("welcome"), Acknowledged)
    await alice.reads("welcome")


async def test_who_is_removed_is_shut_out_and_others_see_them_go(cluster: Cluster, place: Node) -> None:
    alice = await granted(cluster, cluster.first, "alice", Role.VIEWER)
    bob = await granted(cluster, place, "bob", Role.EDITOR)
    bob.points(3)
    await alice.meets("bob")
    await cluster.revoke(bob)
    await is_shut_out(bob)
    await alice.meets()
    assert alice.closed is None


async def test_making_the_link_anew_shuts_out_who_came_by_it_and_nobody_else(cluster: Cluster, place: Node) -> None:
    token = await cluster.link(Role.EDITOR)
    visitor, friend = place.person("visitor"), await granted(cluster, place, "friend", Role.VIEWER)
    await visitor.joins(DOCUMENT, token)
    assert visitor.role is Role.EDITOR
    renewed = await cluster.link(Role.EDITOR, renew=True)
    await is_shut_out(visitor, token)
    assert (friend.closed, friend.role) == (None, Role.VIEWER)
    await visitor.joins(DOCUMENT, renewed)


async def test_closing_the_link_shuts_out_who_only_knew_the_address(cluster: Cluster, place: Node) -> None:
    await cluster.link(Role.COMMENTER, address_alone=True)
    visitor = place.person("visitor")
    await visitor.joins(DOCUMENT)
    assert visitor.role is Role.COMMENTER
    await cluster.link(None)
    await is_shut_out(visitor)


async def test_what_the_link_lets_do_changes_for_who_is_there(cluster: Cluster, place: Node) -> None:
    await cluster.link(Role.EDITOR, address_alone=True)
    visitor = place.person("visitor")
    await visitor.joins(DOCUMENT)
    await cluster.link(Role.VIEWER, address_alone=True)
    await until(lambda: visitor.role is Role.VIEWER)
    assert await refused_code(visitor, "too late") is Code.FORBIDDEN


async def test_of_two_roles_the_stronger_one_counts(cluster: Cluster, place: Node) -> None:
    bob = await granted(cluster, place, "bob", Role.VIEWER)
    await cluster.link(Role.EDITOR, address_alone=True)
    await until(lambda: bob.role is Role.EDITOR)
    await cluster.revoke(bob)
    await cluster.link(Role.COMMENTER, address_alone=True)
    await until(lambda: bob.role is Role.COMMENTER)


async def test_a_new_owner_and_the_former_one_are_told(cluster: Cluster, place: Node) -> None:
    bob = await granted(cluster, place, "bob", Role.EDITOR)
    await cluster.grant(bob, Role.OWNER)
    await until(lambda: bob.role is Role.OWNER)
    with pytest.raises(ProtocolError) as refused:
        await cluster.link(Role.EDITOR)
    assert refused.value.code is Code.FORBIDDEN
    view = await cluster.second.desk.view(OWNER, DOCUMENT)
    assert [(person.user.user_id, person.role) for person in view.people] == [
        ("bob", Role.OWNER),
        ("owner", Role.EDITOR),
    ]


async def test_who_came_by_the_link_comes_back_without_it_while_it_has_force(cluster: Cluster, place: Node) -> None:
    token = await cluster.link(Role.VIEWER)
    visitor = place.person("visitor")
    await visitor.joins(DOCUMENT, token)
    visitor.leaves()
    await visitor.joins(DOCUMENT)
    page = await cluster.store.catalogue.find(Choice(), limit=9, cursor=None, whose=Whose("visitor"))
    assert [entry.document_id for entry in page.entries] == [DOCUMENT]
    await cluster.link(Role.VIEWER, renew=True)
    await is_shut_out(visitor)


async def test_a_wrong_token_opens_nothing(cluster: Cluster, place: Node) -> None:
    token = await cluster.link(Role.EDITOR)
    assert token is not None
    for wrong in (None, "", token[:-1], token + "A", token.swapcase(), "\ud800"):
        with pytest.raises(ProtocolError) as refused:
            await place.person("stranger").joins(DOCUMENT, wrong)
        assert refused.value.code is Code.NOT_FOUND


async def test_an_invited_address_is_let_in_when_it_signs_in(cluster: Cluster, place: Node) -> None:
    await cluster.first.desk.invite(OWNER, DOCUMENT, "Bob@Example.com", Role.COMMENTER)
    bob = place.person("bob")
    with pytest.raises(ProtocolError):
        await bob.joins(DOCUMENT)
    bob.email = "bob@example.com"
    await bob.joins(DOCUMENT)
    assert bob.role is Role.COMMENTER
    view = await cluster.first.desk.view(OWNER, DOCUMENT)
    assert [(person.user, person.email) for person in view.people[1:]] == [(bob.user, "bob@example.com")]


async def test_everybody_keeps_what_a_document_without_an_owner_lets_them_until_somebody_shares_it(
    cluster: Cluster, place: Node
) -> None:
    old = DocumentId("from-before")
    await cluster.store.catalogue.create(old, "Old", Epoch(1), datetime.now(UTC))
    alice, bob = cluster.first.person("alice"), place.person("bob")
    for person in (alice, bob):
        await person.joins(old)
        assert person.role is Role.OWNER
    await cluster.first.desk.set_link(alice.identity, old, LinkChange("viewer"))
    await until(lambda: bob.role is Role.VIEWER or bob.closed is not None)
    assert alice.role is Role.OWNER
    assert [deed.kind for deed in await cluster.first.desk.deeds(alice.identity, old, 200)] == [
        "link",
        "adopt",
        "create",
    ]


async def test_the_owner_hears_at_once_that_somebody_asks_and_others_do_not(cluster: Cluster, place: Node) -> None:
    owner = place.person("owner")
    await owner.joins(DOCUMENT)
    reader = await granted(cluster, place, "reader", Role.EDITOR)
    await until(lambda: owner.access_changes == 1)
    stranger = Identity(User("stranger", "Stranger", "#112233"), "guest")
    await cluster.first.desk.ask(stranger, DOCUMENT)
    await until(lambda: owner.access_changes == 2)
    assert [each.user.user_id for each in await place.desk.requests(OWNER, DOCUMENT)] == ["stranger"]
    await cluster.first.desk.ask(stranger, DOCUMENT)
    await cluster.first.desk.refuse(OWNER, DOCUMENT, "stranger")
    await until(lambda: owner.access_changes == 3)
    assert reader.access_changes == 0
