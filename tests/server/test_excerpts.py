"""The first lines of a document, noted while people write, and told to those who have it open."""

import asyncio
from typing import Any

from pycrdt import Doc, Text, XmlFragment

from crdt.errors import Code
from crdt.ids import ClientId, DocumentId
from crdt.protocol.messages import ClosedMessage, DocumentInfo, DocumentMessage, JoinRequest
from server.rooms.excerpts import FIRST_PAUSE, LAST_PAUSE
from server.sandbox import SandboxRejected
from server.store.base import UNTITLED, Entry
from server.store.database import utc_now
from tests.harness.house import DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.rich_text import paragraph, step_of
from tests.simulation.virtual_loop import run_virtually


class Writer:
    """A person with a replica of the rich text."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.doc: Doc[Any] = Doc(client_id=7)
        self.root = self.doc.get("default", type=XmlFragment)

    async def joins(self) -> None:
        await self.house.enter("writer", DOCUMENT, JoinRequest(b"\0", ClientId(7)))

    async def writes(self, line: str) -> None:
        await self.house.send("writer", step_of(self.doc, lambda: self.root.children.append(paragraph(line))))


class CountingSandbox(InProcessSandbox):
    """A sandbox that counts, and that fails as often as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.failures = 0

    async def excerpt(self, snapshot: bytes, document_id: DocumentId) -> Any:
        self.read += 1
        if self.failures > 0:
            self.failures -= 1
            raise SandboxRejected("The content is too much.")
        return await super().excerpt(snapshot, document_id)


async def entry(house: House) -> Entry:
    found = await house.store.catalogue.get(DOCUMENT)
    assert found is not None
    return found


async def untitled(house: House) -> Writer:
    await house.store.catalogue.rename(DOCUMENT, UNTITLED, utc_now())
    writer = Writer(house)
    await writer.joins()
    return writer


def test_the_first_line_becomes_the_title_of_a_document_that_has_none() -> None:
    async def story() -> None:
        async with House() as house:
            writer = await untitled(house)
            await house.join("reader")
            edited = (await entry(house)).updated_at
            await writer.writes("Tea")
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert (await entry(house)).title == "Tea"
            assert DocumentMessage(DocumentInfo("Tea", None)) in house.ears.said["reader"]
            await writer.writes("and cake")
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert ((await entry(house)).title, (await entry(house)).preview) == ("Tea", "and cake")
            assert (await entry(house)).updated_at > edited  # by the rows, as ever

    run_virtually(story())


def test_a_given_title_stays() -> None:
    async def story() -> None:
        async with House() as house:
            writer = Writer(house)
            await writer.joins()
            await writer.writes("Tea")
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert ((await entry(house)).title, (await entry(house)).preview) == ("Title", "Tea")
            assert not [said for said in house.ears.said.get("writer", []) if isinstance(said, DocumentMessage)]

    run_virtually(story())


def test_the_last_words_before_everybody_leaves_count_too() -> None:
    async def story() -> None:
        async with House() as house:
            writer = await untitled(house)
            await writer.writes("Tea")
            house.disconnect("writer")
            await asyncio.sleep(5)
            assert house.rooms.registry.get(DOCUMENT) is None
            assert (await entry(house)).title == "Tea"

    run_virtually(story())


def test_what_no_reading_has_seen_is_read_when_the_document_is_opened_again() -> None:
    async def story() -> None:
        async with House() as house:
            writer = await untitled(house)
            await writer.writes("Tea")
            await asyncio.sleep(FIRST_PAUSE / 2)
            store = house.store
        assert (await entry(house)).title == UNTITLED
        async with House(store) as house:
            await house.join("reader")
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert (await entry(house)).title == "Tea"

    run_virtually(story())


def test_a_document_without_rich_text_has_no_lines_to_be_read() -> None:
    async def story() -> None:
        sandbox = CountingSandbox()
        async with House(sandbox=sandbox) as house:
            writer = Writer(house)
            await writer.joins()
            code = writer.doc.get("code", type=Text)
            await house.send("writer", step_of(writer.doc, lambda: code.insert(0, "print()")))
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert (sandbox.read, (await entry(house)).preview) == (0, "")
            await writer.writes("Tea")
            await asyncio.sleep(LAST_PAUSE + 1)
            assert (sandbox.read, (await entry(house)).preview) == (1, "Tea")

    run_virtually(story())


def test_who_writes_further_down_has_the_lines_read_more_and_more_seldom() -> None:
    async def story() -> None:
        sandbox = CountingSandbox()
        async with House(sandbox=sandbox) as house:
            writer = Writer(house)
            await writer.joins()
            for number in range(600):
                await writer.writes(f"{number}")
                await asyncio.sleep(1)
            assert 3 <= sandbox.read <= 5 + 600 / LAST_PAUSE
            assert (await entry(house)).excerpt_seq < 20, "what stays as it is, is not stored again"

    run_virtually(story())


def test_lines_that_cannot_be_read_harm_nothing_and_are_read_with_the_next_change() -> None:
    async def story() -> None:
        sandbox = CountingSandbox()
        sandbox.failures = 1
        async with House(sandbox=sandbox) as house:
            writer = await untitled(house)
            await writer.writes("Tea")
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert ((await entry(house)).title, sandbox.read) == (UNTITLED, 1)
            await writer.writes("and cake")
            await asyncio.sleep(4 * FIRST_PAUSE + 1)
            assert (await entry(house)).title == "Tea"
            assert not [said for said in house.ears.said.get("writer", []) if isinstance(said, ClosedMessage)]

    run_virtually(story())


def test_a_deleted_document_is_read_no_more() -> None:
    async def story() -> None:
        async with House() as house:
            writer = await untitled(house)
            await writer.writes("Tea")
            house.driver.end(Code.DELETED, "The document was deleted.")
            await house.store.catalogue.delete(DOCUMENT)
            await asyncio.sleep(FIRST_PAUSE + 1)
            assert await house.store.catalogue.get(DOCUMENT) is None

    run_virtually(story())
