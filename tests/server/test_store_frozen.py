"""A database that doesn't answer, frozen or cut off: people are told long before anything fails, and are let in where that can be told."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from crdt.errors import Unavailable
from crdt.ids import DocumentId, Epoch, Seq
from crdt.permissions import Role
from crdt.protocol.messages import Acknowledged
from server.bus.memory import MemoryBus
from server.people.sharing import LinkChange
from server.store.sql import SqlStore
from tests.harness.live_server import until
from tests.harness.node import Node, running_node
from tests.harness.postgres import PostgresServer

pytestmark = pytest.mark.slow

DOCUMENT = DocumentId("a-document")
NEVER = 3600.0
"""Seconds: whoever waits for this deadline waits longer than the test."""


@pytest.fixture
async def node(postgres: PostgresServer) -> AsyncIterator[Node]:
    """A node that never gives up an append by itself."""
    async with SqlStore(await postgres.new_schema(), deadline=NEVER) as store:
        await store.catalogue.create(
            DOCUMENT, "Story", Epoch(1), datetime.now(UTC), owner="owner", link_role=Role.EDITOR
        )
        async with running_node(store, MemoryBus(), append_deadline=NEVER) as node:
            yield node


@contextlib.asynccontextmanager
async def frozen(postgres: PostgresServer) -> AsyncIterator[None]:
    postgres.pause()
    try:
        yield
    finally:
        postgres.resume()


async def test_people_are_told_that_nothing_is_being_saved_while_the_same_append_goes_on(
    node: Node, postgres: PostgresServer
) -> None:
    alice, bob = node.person("alice"), node.person("bob")
    for person in (alice, bob):
        await person.joins(DOCUMENT)
    assert isinstance(await alice.types("before "), Acknowledged)
    async with frozen(postgres):
        alice.sends("meanwhile")
        await until(lambda: alice.durability == bob.durability == "waiting")
    assert await alice.hears_back() == Acknowledged(Seq(2))
    await until(lambda: alice.durability == bob.durability == "ok")
    await bob.reads("before meanwhile")


async def test_an_open_document_is_joined_as_before_while_the_database_does_not_answer(
    node: Node, postgres: PostgresServer
) -> None:
    alice = node.person("alice")
    await alice.joins(DOCUMENT)
    assert isinstance(await alice.types("hello"), Acknowledged)
    async with frozen(postgres):
        again, newcomer = node.person("alice"), node.person("newcomer")
        async with asyncio.TaskGroup() as joining:
            joining.create_task(again.joins(DOCUMENT))
            joining.create_task(newcomer.joins(DOCUMENT))
        assert (again.role, newcomer.role) == (Role.EDITOR, Role.EDITOR)
        assert newcomer.text == "hello"


async def test_who_cannot_be_judged_from_memory_is_told_to_come_later(node: Node, postgres: PostgresServer) -> None:
    owner = node.person("owner")
    await owner.joins(DOCUMENT)
    await node.desk.set_link(owner.identity, DOCUMENT, LinkChange("viewer"))
    async with frozen(postgres):
        with pytest.raises(Unavailable):
            await node.person("somebody").joins(DOCUMENT)
