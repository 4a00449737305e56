"""Clients that come back with states: all deletions are said anew, and few of them are theirs.

Stock clients say no `after`. What they had seen, their state vector says.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.ids import ClientId
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, JoinRequest, Request
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.house import DOCUMENT, House
from tests.harness.live_server import until


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as house:
        yield house


class Stock:
    """A stock client: what is written while it is away goes as one update, with all deletions."""

    def __init__(self, house: House, name: str, client_id: int) -> None:
        self.house, self.name = house, name
        self.doc: Doc[Any] = Doc(client_id=client_id)

    async def comes(self) -> None:
        request = JoinRequest(self.doc.get_state(), ClientId(self.doc.client_id))
        answer = await self.house.enter(self.name, DOCUMENT, request)
        state = self.doc.get_update(answer.state_vector)
        assert answer.missing is not None
        self.doc.apply_update(inspect(answer.missing, GateLimits()).engine)
        asked = Request(object())
        taking = self.house.receive(self.name, encode_batch([state]), asked)
        if taking is not None:
            await taking
        await until(lambda: asked in self.house.ears.answers)
        assert isinstance(self.house.ears.answers[asked], Acknowledged)

    def goes(self) -> None:
        self.house.leave(self.name)

    @property
    def blocks(self) -> Any:
        return self.doc.get("default", type=XmlFragment).children

    def writes(self, *paragraphs: str) -> None:
        for words in paragraphs:
            self.blocks.append(XmlElement("paragraph", {}, [XmlText(words)]))

    def turns(self, at: int, name: str) -> None:
        with self.doc.transaction():
            said = str(self.blocks[at].children[0])
            del self.blocks[at]
            self.blocks.insert(at, XmlElement(name, {}, [XmlText(said)]))


async def shown(house: House) -> str:
    reader = Stock(house, "reader", 99)
    await reader.comes()
    reader.goes()
    return str(reader.doc.get("default", type=XmlFragment))


async def begun(house: House) -> tuple[Stock, Stock]:
    anna, bert = Stock(house, "anna", 11), Stock(house, "bert", 12)
    anna.writes("one two three", "other")
    for who in (anna, bert):
        await who.comes()
        who.goes()
    return anna, bert


async def test_who_saw_a_block_rebuilt_and_comes_back_with_words_deletes_nothing_of_it(house: House) -> None:
    anna, bert = await begun(house)
    anna.turns(0, "heading")
    for who in (anna, bert):
        await who.comes()
        who.goes()
    bert.blocks[1].children[0].insert(0, "BERT ")
    await bert.comes()
    assert await shown(house) == "<heading>one two three</heading><paragraph>BERT other</paragraph>"
    anna.turns(0, "paragraph")
    await anna.comes()
    assert await shown(house) == "<paragraph>one two three</paragraph><paragraph>BERT other</paragraph>"


async def test_who_deletes_words_of_a_block_that_was_rebuilt_unseen_deletes_them_where_they_are(house: House) -> None:
    anna, bert = await begun(house)
    anna.turns(0, "heading")
    await anna.comes()
    del bert.blocks[0].children[0][3:7]
    bert.blocks[1].children[0].insert(0, "BERT ")
    await bert.comes()
    assert await shown(house) == "<heading>one three</heading><paragraph>BERT other</paragraph>"
