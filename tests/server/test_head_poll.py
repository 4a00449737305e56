"""What a node finds out about its open documents though no hint ever reached it. The test's store is another node's as well."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from crdt.errors import Code
from crdt.ids import DocumentId
from crdt.protocol.hints import DocumentHint
from crdt.protocol.messages import Acknowledged, ClosedMessage, DocumentInfo, DocumentMessage, Refused
from server.rooms.head_poll import HeadPoll
from server.store.base import Head, Log
from server.store.database import utc_now
from tests.harness.house import DOCUMENT, House
from tests.simulation.virtual_loop import run_virtually

POLL = 5.0
SOON = 2 * POLL


def shown(house: House, name: str) -> list[DocumentInfo]:
    """What a page was told of the catalogue's entry."""
    return [message.info for message in house.ears.said.get(name, []) if isinstance(message, DocumentMessage)]


def test_a_title_that_changed_elsewhere_is_told_once() -> None:
    async def story() -> None:
        async with House(poll_seconds=POLL) as house:
            await house.join("anna")
            await house.store.catalogue.rename(DOCUMENT, "Another title", utc_now())
            await asyncio.sleep(5 * POLL)
            assert shown(house, "anna") == [DocumentInfo("Another title", None)]

    run_virtually(story())


def test_nobody_writes_to_a_document_that_was_put_into_the_trash_elsewhere() -> None:
    async def story() -> None:
        async with House(poll_seconds=POLL) as house:
            await house.join("anna")
            await house.store.catalogue.set_trashed(DOCUMENT, utc_now())
            await asyncio.sleep(SOON)
            refused = house.write("anna", "too late")
            await house.store.catalogue.set_trashed(DOCUMENT, None)
            await asyncio.sleep(SOON)
            taken = house.write("anna", "welcome back")
            await asyncio.sleep(SOON)
            answer = house.ears.answers[refused]
            assert isinstance(answer, Refused)
            assert answer.code is Code.FORBIDDEN
            assert isinstance(house.ears.answers[taken], Acknowledged)

    run_virtually(story())


def test_a_document_that_was_deleted_elsewhere_is_closed() -> None:
    async def story() -> None:
        async with House(poll_seconds=POLL) as house:
            await house.join("anna")
            await house.store.catalogue.delete(DOCUMENT)
            await asyncio.sleep(SOON)
            (closed,) = [message for message in house.ears.said["anna"] if isinstance(message, ClosedMessage)]
            assert closed.code is Code.DELETED

    run_virtually(story())


class LateLog:
    """A log whose answer about heads arrives when something else has happened."""

    def __init__(self, log: Log, meanwhile: Callable[[], None]) -> None:
        self._log = log
        self._meanwhile = meanwhile

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        heads = await self._log.heads(document_ids)
        self._meanwhile()
        return heads


def test_an_answer_that_comes_late_does_not_take_a_newer_title_back() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("anna")
            await house.store.catalogue.rename(DOCUMENT, "Old", utc_now())
            newer = DocumentInfo("New", None)
            late = LateLog(house.store.log, lambda: house.rooms.notify(DOCUMENT, DocumentHint(newer)))
            await HeadPoll(cast(Log, late), house.rooms.registry, POLL).look()
            assert shown(house, "anna") == [newer]

    run_virtually(story())
