"""Formats on nodes: the first writer that declares one gives it to the document, on whichever node, and others read from then on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.errors import Code, Unavailable
from crdt.ids import ClientId
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import DocumentMessage, Format, JoinRequest, Refused
from server.bus.memory import MemoryBusNetwork
from server.doors.direct import DirectDoor
from server.store.base import Catalogue
from server.store.deeds_base import Done
from server.store.sharing_base import Link
from tests.harness.house import ANNA, DOCUMENT, House
from tests.harness.live_server import serving
from tests.harness.memory_store import memory_store
from tests.harness.person import Person, person
from tests.simulation.virtual_loop import run_virtually

OURS, NEXT, THEIRS = Format("ours", 1), Format("ours", 2), Format("theirs", 1)
POLL = 5.0


def page(client_id: int, words: str) -> bytes:
    """One paragraph of rich text, from a replica of its own."""
    doc: Doc[Any] = Doc(client_id=client_id)
    block = XmlElement("paragraph")
    doc.get("default", type=XmlFragment).children.append(block)
    block.children.append(XmlText(words))
    return doc.get_update()


class Guest:
    """A person on a node, whose editor declares a format or none."""

    def __init__(self, node: House, name: str, declares: Format | None = None) -> None:
        self.node, self.name, self.declares = node, name, declares
        self.client_id = sum(name.encode())

    async def joins(self) -> "Guest":
        request = JoinRequest(b"\0", ClientId(self.client_id), format=self.declares)
        await self.node.enter(self.name, DOCUMENT, request)
        return self

    async def writes(self, words: str, seconds: float = 3.0) -> Code | None:
        """Write rich text. Return the code of the refusal; None once the words are durable."""
        self.client_id += 1000
        update = page(self.client_id, words)
        await self.node.send(self.name, update)
        await asyncio.sleep(seconds)
        answer = self.node.ears.answers[update]
        return answer.code if isinstance(answer, Refused) else None

    @property
    def told(self) -> list[tuple[Format | None, bool]]:
        """The formats that this person was told of after joining."""
        said = self.node.ears.said.get(self.name, [])
        return [(each.info.format, each.info.any_format) for each in said if isinstance(each, DocumentMessage)]


@asynccontextmanager
async def two_nodes(*, hear: bool, poll_seconds: float | None = 3600.0) -> AsyncIterator[tuple[House, House]]:
    """Two nodes over one store, which hear each other or do not."""
    store, network = memory_store(), MemoryBusNetwork()
    async with (
        House(store, poll_seconds=poll_seconds, network=network) as here,
        House(store, poll_seconds=poll_seconds, network=network if hear else MemoryBusNetwork()) as there,
    ):
        yield here, there


async def format_of(node: House) -> Format | None:
    entry = await node.store.catalogue.get(DOCUMENT)
    assert entry is not None
    return entry.format


async def kinds(node: House) -> list[str]:
    """The kinds of the document's deeds, the first one first."""
    return [deed.kind for deed in await node.store.deeds.list(DOCUMENT)][::-1]


def test_the_first_edit_of_an_editor_that_declares_a_format_gives_it_to_the_document() -> None:
    async def story() -> None:
        async with House() as node:
            old, new = await Guest(node, "old").joins(), await Guest(node, "new", OURS).joins()
            assert await old.writes("before there was a format") is None
            assert await format_of(node) is None, "joining gives none"
            assert await new.writes("the first of a page that declares one") is None
            assert await format_of(node) == OURS
            assert old.told == new.told == [(OURS, False)]
            assert await old.writes("too late") is Code.OTHER_FORMAT
            assert await new.writes("goes on") is None
            assert await kinds(node) == ["create", "format"]
            (answer,) = [each for each in node.ears.answers.values() if isinstance(each, Refused)]
            assert "Load the page anew" in answer.message

    run_virtually(story())


def test_a_newer_version_raises_the_format_and_older_pages_read() -> None:
    async def story() -> None:
        async with House() as node:
            old, new = await Guest(node, "old", OURS).joins(), await Guest(node, "new", NEXT).joins()
            assert await old.writes("version 1") is None
            assert await new.writes("version 2") is None
            assert await old.writes("too late") is Code.OTHER_FORMAT
            assert new.told == [(OURS, False), (NEXT, False)]
            again = await Guest(node, "again", NEXT).joins()
            assert await again.writes("after loading the page anew") is None

    run_virtually(story())


def test_of_two_formats_on_two_nodes_at_once_one_wins() -> None:
    async def story() -> None:
        async with two_nodes(hear=True) as (here, there):
            ours, theirs = await Guest(here, "ours", OURS).joins(), await Guest(there, "theirs", THEIRS).joins()
            refusals = await asyncio.gather(ours.writes("ours"), theirs.writes("theirs"))
            winner = await format_of(here)
            assert (winner, tuple(refusals)) in (
                (OURS, (None, Code.OTHER_FORMAT)),
                (THEIRS, (Code.OTHER_FORMAT, None)),
            )
            assert ours.told == theirs.told == [(winner, False)]
            assert await kinds(here) == ["create", "format"]

    run_virtually(story())


def test_who_writes_on_another_node_is_refused_though_the_hint_is_lost() -> None:
    async def story() -> None:
        async with two_nodes(hear=False) as (here, there):
            ours, stock = await Guest(here, "ours", OURS).joins(), await Guest(there, "stock").joins()
            assert await ours.writes("ours") is None
            assert stock.told == []
            assert await stock.writes("would delete the rest") is Code.OTHER_FORMAT
            assert stock.told == [(OURS, False)]
            colleague = await Guest(there, "colleague", OURS).joins()
            assert await colleague.writes("ours as well") is None

    run_virtually(story())


def test_a_node_that_missed_the_hint_finds_the_format_by_looking() -> None:
    async def story() -> None:
        async with two_nodes(hear=False, poll_seconds=POLL) as (here, there):
            ours, stock = await Guest(here, "ours", OURS).joins(), await Guest(there, "stock").joins()
            assert await ours.writes("ours", 2 * POLL) is None
            assert stock.told == [(OURS, False)]

    run_virtually(story())


def test_what_was_taken_before_the_format_came_is_judged_by_it() -> None:
    async def story() -> None:
        async with House() as node:
            ours, stock = await Guest(node, "ours", OURS).joins(), await Guest(node, "stock").joins()
            node.weather.down = True
            late = asyncio.ensure_future(stock.writes("late", 20.0))
            await asyncio.sleep(1)
            done = await node.store.catalogue.declare_format(DOCUMENT, OURS)
            assert done is not None
            node.rooms.tell(done)
            node.weather.down = False
            assert await late is Code.OTHER_FORMAT
            assert await ours.writes("in time") is None

    run_virtually(story())


class AwayCatalogue:
    """A catalogue that cannot be told of formats for a while."""

    away = True

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    async def declare_format(self, *given: Any, **named: Any) -> Done | None:
        if self.away:
            raise Unavailable("The store cannot be reached.")
        return await self._catalogue.declare_format(*given, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalogue, name)


def test_while_the_store_is_away_the_first_edit_is_to_be_sent_again() -> None:
    async def story() -> None:
        store = memory_store()
        store.catalogue = catalogue = AwayCatalogue(store.catalogue)  # type: ignore[assignment]
        async with House(store) as node:
            ours = await Guest(node, "ours", OURS).joins()
            assert await ours.writes("first") is Code.UNAVAILABLE
            assert await format_of(node) is None
            catalogue.away = False
            assert await ours.writes("again") is None
            assert await format_of(node) == OURS

    run_virtually(story())


def test_who_lost_access_gives_a_document_no_format() -> None:
    async def story() -> None:
        async with House() as node:
            stranger = await Guest(node, "stranger", THEIRS).joins()
            await node.store.sharing.set_link(DOCUMENT, Link(Role.VIEWER))
            refused = await stranger.writes("too late")
            assert refused is Code.UNAVAILABLE, "the client sends it again, and is judged by then"
            assert await stranger.writes("too late") is Code.FORBIDDEN
            assert await format_of(node) is None

    run_virtually(story())


def test_nobody_gives_a_format_to_a_document_that_was_deleted_or_trashed() -> None:
    async def story() -> None:
        async with House() as node:
            ours = await Guest(node, "ours", OURS).joins()
            await node.store.catalogue.set_trashed(DOCUMENT, node.store.catalogue.clock())
            assert await ours.writes("into the trash") is Code.FORBIDDEN
            await node.store.catalogue.delete(DOCUMENT)
            assert await ours.writes("into nothing") in (Code.DELETED, Code.FORBIDDEN)
            assert await kinds(node) == ["create", "trash", "delete"]

    run_virtually(story())


def test_the_servers_own_authors_declare_formats_too() -> None:
    async def story() -> None:
        async with House() as node:
            ours = await Guest(node, "ours", OURS).joins()
            assert await ours.writes("ours") is None
            door = DirectDoor(node.rooms)
            async with door.author(DOCUMENT, ANNA, agent_for="u1") as author:
                with pytest.raises(Exception, match="other_format"):
                    await author.write(page(author.client_id, "from an agent"))
            async with door.author(DOCUMENT, ANNA, agent_for="u1", declares=OURS) as author:
                assert await author.write(page(author.client_id, "from an agent")) == 2

    run_virtually(story())


# Over Socket.IO and REST, as programs do it.


async def joins(somebody: Person, document_id: str, declares: dict[str, object] | None = None) -> Any:
    options = {"state_vector": b"\0", "client_id": somebody.doc.client_id, "format": declares}
    return await somebody.ask("join", document_id, options)


@pytest.mark.slow
async def test_a_program_is_told_the_format_and_the_owner_lets_it_write() -> None:
    async with serving() as server, person(server) as ours, person(server, "polling") as stock:
        document_id = await server.new_document(owner=None)
        for somebody, declares in ((ours, {"name": "ours", "version": 1}), (stock, None)):
            assert "format" not in (await joins(somebody, document_id, declares))["document"]
        assert await ours.ask("update", document_id, encode_batch([page(5, "ours")])) == {"seq": 1}
        _, told = await stock.hears("document")
        assert told["format"] == {"name": "ours", "version": 1}
        batch = encode_batch([page(6, "stock")])
        assert (await stock.ask("update", document_id, batch))["error"]["code"] == "other_format"
        uploaded = await stock.ask("upload", document_id, {"offset": 0, "total": len(batch)}, batch)
        assert uploaded["error"]["code"] == "other_format"
        assert await stock.ask("update", document_id, stock.types("a note in another root")) == {"seq": 2}
        done = await server.store.catalogue.allow_any_format(document_id, allowed=True)
        assert done is not None
        server.rooms.tell(done)
        _, told = await stock.hears("document")
        assert told["any_format"] is True
        assert await stock.ask("update", document_id, batch) == {"seq": 3}
