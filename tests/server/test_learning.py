"""A large document that has just been opened: it is read at once, and an edit waits until the gate knows the document."""

from typing import Any

from pycrdt import Doc, Text

from crdt.ids import Epoch, UpdateId
from crdt.log.replica import LEARN_AT_ONCE_BYTES
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, Request
from server.store.base import Append
from server.store.database import utc_now
from server.store.sql import SqlStore
from tests.harness.house import DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.memory_store import memory_store


async def with_large_document() -> tuple[SqlStore, "Doc[Any]"]:
    """A store in which the document is one large snapshot, and its author's copy."""
    store = memory_store()
    await store.catalogue.create(DOCUMENT, "Title", Epoch(1), utc_now())
    doc: Doc[Any] = Doc(client_id=7)
    doc.get("story", type=Text).insert(0, "long " * LEARN_AT_ONCE_BYTES)
    batch = encode_batch([doc.get_update()])
    await store.log.append([Append(DOCUMENT, Epoch(1), UpdateId("u" * 24), batch, ())])
    await store.log.compact(DOCUMENT, InProcessSandbox().fold)
    return store, doc


def edit_of(doc: "Doc[Any]", words: str) -> bytes:
    before, text = doc.get_state(), doc.get("story", type=Text)
    text.insert(len(text), words)
    return encode_batch([doc.get_update(before)])


def is_learning(house: House) -> bool:
    return house.driver.learning is not None


async def test_an_edit_waits_until_the_gate_knows_the_document() -> None:
    store, doc = await with_large_document()
    async with House(store) as house:
        assert (await house.join("alice")).startswith("long long")
        edit = edit_of(doc, "the end")
        assert is_learning(house)
        taking = house.receive("alice", edit, Request("end"))
        assert taking is not None
        await taking
        assert not is_learning(house)
        await until(lambda: "end" in house.ears.answers)
        assert isinstance(house.ears.answers["end"], Acknowledged)
    assert (await house.stored_text()).endswith("the end")


async def test_it_learns_by_itself_when_nobody_writes() -> None:
    store, doc = await with_large_document()
    async with House(store) as house:
        await house.join("alice")
        await until(lambda: not is_learning(house))
        assert house.receive("alice", edit_of(doc, "x"), Request("x")) is None


async def test_it_may_be_closed_before_it_has_learned() -> None:
    store, _ = await with_large_document()
    async with House(store) as house:
        await house.join("alice")
        await house.rooms.drain()
