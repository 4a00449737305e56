"""Who lost access, or writes into the trash, has written nothing since, though nobody has told their node: the append itself finds out."""

import asyncio

from crdt.errors import Code
from crdt.permissions import Role
from crdt.protocol.hints import DocumentHint
from crdt.protocol.messages import Acknowledged, DocumentInfo, Refused
from server.store.database import utc_now
from tests.harness.access_house import comes, house, restrict, said_to
from tests.harness.house import DOCUMENT, House
from tests.simulation.virtual_loop import run_virtually


async def writes(node: House, name: str, words: str, client_id: int) -> str:
    """Somebody who is in the document types; the request, whose row is under way when this returns."""
    request = node.write(name, words, client_id)
    await asyncio.sleep(0)
    return request


def test_who_lost_access_writes_nothing_more_though_nobody_has_told_the_node() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            assert await comes(node, "o", "owner") is Role.OWNER
            assert await comes(node, "b", "bert") is Role.EDITOR
            await restrict(sharing)
            berts, owners = await writes(node, "b", "mine ", 5), await writes(node, "o", "ours", 6)
            await asyncio.sleep(2)
            assert isinstance(node.ears.answers[owners], Acknowledged)
            refused = node.ears.answers[berts]
            assert isinstance(refused, Refused)
            assert refused.code is Code.FORBIDDEN
            assert said_to(node, "b") == [Code.FORBIDDEN]
            assert await node.stored_text() == "ours"

    run_virtually(story())


def test_who_lost_access_and_has_left_has_written_nothing_either() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            await comes(node, "o", "owner")
            await comes(node, "b", "bert")
            await restrict(sharing)
            request = await writes(node, "b", "mine", 5)
            node.disconnect("b")
            await asyncio.sleep(2)
            assert isinstance(node.ears.answers[request], Refused)
            assert await node.stored_text() == ""

    run_virtually(story())


def test_an_append_that_is_repeated_after_access_ended_is_none_of_theirs() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await sharing.grant(DOCUMENT, "owner", Role.OWNER)
            await comes(node, "o", "owner")
            await comes(node, "b", "bert")
            node.weather.down = True
            berts, owners = await writes(node, "b", "mine ", 5), await writes(node, "o", "ours", 6)
            await asyncio.sleep(1)
            node.rooms.tell(await restrict(sharing))
            await asyncio.sleep(1)
            assert said_to(node, "b") == [Code.FORBIDDEN]
            node.weather.down = False
            await asyncio.sleep(10)
            refused = node.ears.answers[berts]
            assert isinstance(refused, Refused)
            assert refused.code is Code.FORBIDDEN
            assert isinstance(node.ears.answers[owners], Acknowledged)
            assert await node.stored_text() == "ours"

    run_virtually(story())


def test_nobody_writes_into_the_trash_though_nobody_has_told_the_node() -> None:
    async def story() -> None:
        node, _ = house()
        async with node:
            await node.join("a")
            await node.store.catalogue.set_trashed(DOCUMENT, utc_now())
            request = await writes(node, "a", "too late", 5)
            await asyncio.sleep(2)
            assert isinstance(node.ears.answers[request], Refused)
            assert await node.stored_text() == ""
            await node.store.catalogue.set_trashed(DOCUMENT, None)
            node.rooms.notify(DOCUMENT, DocumentHint(DocumentInfo("Title", None)))
            request = await writes(node, "a", "in time", 7)
            await asyncio.sleep(2)
            assert isinstance(node.ears.answers[request], Acknowledged)

    run_virtually(story())


def test_a_change_of_access_that_takes_nothing_from_writers_costs_them_nothing() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            loads = node.loads
            await sharing.grant(DOCUMENT, "somebody", Role.VIEWER)
            request = await writes(node, "a", "kept", 5)
            await asyncio.sleep(2)
            assert isinstance(node.ears.answers[request], Acknowledged)
            assert (node.loads, said_to(node, "a")) == (loads, [])

    run_virtually(story())


def test_while_access_cannot_be_asked_for_what_was_overtaken_waits() -> None:
    async def story() -> None:
        node, sharing = house()
        async with node:
            await node.join("a")
            await sharing.grant(DOCUMENT, "somebody", Role.VIEWER)
            sharing.away = True
            request = await writes(node, "a", "kept", 5)
            await asyncio.sleep(30)
            assert request not in node.ears.answers
            sharing.away = False
            await asyncio.sleep(10)
            assert isinstance(node.ears.answers[request], Acknowledged)

    run_virtually(story())
