"""A commenter with a stock client, at each door: suggestions are taken, and nothing else is."""

import asyncio
from base64 import b64decode, b64encode
from random import Random
from typing import Any

import pytest
from pycrdt import XmlElement, XmlText

from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from server.config.people import PeopleSettings
from server.store.database import utc_now
from tests.doors.stock import Stock, stock_clients
from tests.harness.bell import PATIENCE
from tests.harness.suggester import ATTACKS, Writer, suggests_a_block, suggests_words
from tests.harness.tokens import SECRET
from tests.harness.tokens import token as signed
from tests.harness.whole_server import whole_server

pytestmark = pytest.mark.slow
DOCUMENT = DocumentId("a-document-of-this-story")
TOKENS = PeopleSettings(auth="jwt", jwt_secret=SECRET, secret_key="k" * 40)
DOORS: dict[int | str, str] = {3: "params", "hocuspocus-3": "token", "y-socket.io": "auth"}


class Hand:
    """A stock client, and the writer whose acts it sends."""

    def __init__(self, stock: Stock, name: str, user: str, client_id: int) -> None:
        self._stock = stock
        self._name = name
        self.writer = Writer(user, client_id, Random(3))

    async def comes(self, version: int | str) -> None:
        shown = signed(sub=self.writer.user, name=self.writer.user)
        how = DOORS[version]
        options: dict[str, Any] = {how: shown if how == "token" else {"token": shown}}
        await self._stock.open(self._name, DOCUMENT, version, **options)
        self.writer.hears(await self.state())

    async def state(self) -> bytes:
        return b64decode(await self._stock.do("state", self._name))

    async def does(self, act: Any) -> None:
        for update in self.writer.does(act):
            await self._stock.do("apply", self._name, update=b64encode(update).decode())

    async def sees(self, words: str) -> str:
        """Wait until the client has some words; return the text."""
        async with asyncio.timeout(PATIENCE):
            while words not in (text := await self._text()):  # noqa: ASYNC110 - Node tells nothing by itself
                await asyncio.sleep(0.01)
        return text

    async def _text(self) -> str:
        seen = Writer("reader", 99, Random(1))
        seen.hears(await self.state())
        return str(seen.root)


@pytest.mark.parametrize("version", DOORS)
async def test_a_stock_client_suggests_and_changes_nothing(version: int | str) -> None:
    async with whole_server(people=TOKENS) as server, stock_clients(server.url) as stock:
        await server.store.catalogue.create(DOCUMENT, "Story", Epoch(1), utc_now(), owner="owner", link_role=None)
        await server.store.sharing.grant(DOCUMENT, "bob", Role.COMMENTER)
        owner = Hand(stock, "owner", "owner", 7)
        await owner.comes(version)
        await owner.does(
            lambda writer: writer.root.children.append(XmlElement("p", {}, [XmlText("Hello brave world")]))
        )
        await owner.sees("Hello")
        bob = Hand(stock, "bob", "bob", 8)
        await bob.comes(version)
        await bob.does(suggests_words)
        seen = await owner.sees("insertion--")
        for number, attack in enumerate(("plain words", "insertion in another name", "deleted block", "another root")):
            eve = Hand(stock, f"bob{number}", "bob", 20 + number)
            await eve.comes(version)
            await eve.does(ATTACKS[attack])
            await eve.does(suggests_words)  # behind what was dropped
            assert (await stock.do("look", f"bob{number}"))["connected"]
        again = Hand(stock, "again", "bob", 50)
        await again.comes(version)
        await again.does(suggests_a_block)
        after = await owner.sees("kind: insert")
        assert "evil" not in after
        assert seen.count("insertion--") == after.count("insertion--")
        assert (await stock.do("look", "owner"))["connected"]
