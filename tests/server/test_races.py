"""Many come at once, the last goes while the next comes, somebody types and is gone: one document, nothing lost.

Other servers have made two documents for one name here, left most people unsynced, or thrown away
the last edits with their author.
"""

import asyncio
import signal
from pathlib import Path

import pytest

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, DocumentId
from crdt.protocol.hints import ClosedHint
from crdt.protocol.messages import ClosedMessage, JoinRequest
from server.people.access import Ruling
from server.rooms import RoomSettings
from server.rooms.driver import Driver
from server.rooms.seat import Card
from tests.harness.bell import Bell
from tests.harness.house import DOCUMENT, House, name_of
from tests.harness.live_server import LiveServer, serving, until
from tests.harness.memory_store import memory_store
from tests.harness.raw_socket import raw_socket
from tests.harness.slow_log import SlowLog
from tests.harness.stored import stored_screen
from tests.harness.typist import Typist, all_agree, typists
from tests.harness.update_writer import text, update
from tests.server.server_process import new_document, server_process

CROWD = [f"Guest{number}" for number in range(64)]
EDITS = 5
UNLOADED_SOON = RoomSettings(linger=0.01)


async def types_at_once(people: list[Typist]) -> None:
    await asyncio.gather(*(person.keeps_typing(EDITS, 2) for person in people))


@pytest.mark.slow
async def test_a_crowd_opens_a_fresh_document_and_another_one_the_stored_one(tmp_path: Path) -> None:
    """Nobody waits for the others to have joined: who is in begins to type."""
    agreed: tuple[str, frozenset[str]] = "", frozenset()
    document_id = None
    for crowd in ("first", "second"):
        async with server_process(tmp_path) as server:
            document_id = document_id or await new_document(server)
            people = [Typist(server.url, document_id, f"{crowd}-{name}", Bell()) for name in CROWD]
            try:
                await asyncio.gather(*(opens_and_types(person) for person in people))
                before, agreed = agreed, await all_agree(people)
            finally:
                for person in people:
                    await person.close()
            assert before[1] < agreed[1]
            server.signal(signal.SIGTERM)
            assert await server.end() == 0
        assert await stored_screen(tmp_path, document_id) == agreed
    assert len(agreed[1]) == 2 * len(CROWD) * EDITS


async def opens_and_types(person: Typist) -> None:
    await person.open()
    await person.keeps_typing(EDITS, 2)


@pytest.mark.slow
async def test_the_last_goes_while_the_next_comes_again_and_again() -> None:
    """The room is unloaded soon after it is empty: some rounds find it open, some closed, some closing."""
    async with serving(settings=UNLOADED_SOON) as server:
        document_id = await server.new_document()
        bell = Bell()
        made: set[str] = set()
        last = Typist(server.url, document_id, "Person0", bell)
        await last.open()
        for number in range(1, 40):
            await last.keeps_typing(3, 3)
            await last.all_saved()
            made |= last.made
            following = Typist(server.url, document_id, f"Person{number}", bell)
            await asyncio.gather(last.close(), following.open())
            assert not last.surprises
            assert made <= following.seen, f"round {number}"
            last = following
        await last.close()
        await until(lambda: server.gateway.connections == 0)


async def types_and_is_gone(server: LiveServer, document_id: str, author: int) -> None:
    """Join, send one edit without an ack to wait for, and hang up."""
    async with raw_socket(server.port) as page:
        await page.connected()
        await page.join(document_id)
        edit = update({author: (0, [text(f"{author} ", parent="text")])})
        reference = '{"_placeholder":true,"num":0}'
        await page.send(f'451-["update","{document_id}",{reference}]', bytes([len(edit)]) + edit)


async def sees_words_of(server: LiveServer, document_id: str, authors: int) -> None:
    """Open the document and wait for every author's word; the last ones may become durable only now."""
    expected = {str(author) for author in range(1, authors + 1)}
    async with typists(server.url, document_id, ["Latecomer"]) as (late,):
        await late.bell.until(lambda: set(str(late.text).split()) == expected)


async def test_a_quick_refresh_loses_nothing() -> None:
    async with serving(settings=UNLOADED_SOON) as server:
        document_id = await server.new_document()
        for author in range(1, 21):
            await types_and_is_gone(server, document_id, author)
        await until(lambda: server.gateway.connections == 0)
        await sees_words_of(server, document_id, 20)


@pytest.mark.parametrize("next_comes", ["after", "meanwhile"])
async def test_the_last_one_goes_while_the_store_is_slow(next_comes: str) -> None:
    store = memory_store()
    slow = SlowLog(store.log)
    store.log = slow  # type: ignore[assignment]
    async with serving(settings=UNLOADED_SOON, store=store) as server:
        document_id = await server.new_document()
        slow.stop()
        await types_and_is_gone(server, document_id, 1)
        await until(lambda: server.gateway.connections == 0 and slow.waiting == 1)
        if next_comes == "meanwhile":
            async with typists(server.url, document_id, ["Eve"]) as (eve,):
                assert str(eve.text) == "", "nobody is told of what is not durable"
                slow.go_on()
                await eve.bell.until(lambda: str(eve.text) == "1 ")
        slow.go_on()
        await sees_words_of(server, document_id, 1)
    loaded = await store.log.load(DocumentId(document_id))
    assert loaded is not None
    assert len(loaded.rows) == 1


async def test_a_connection_that_is_gone_puts_nobody_out_by_joining_late() -> None:
    """Who is cut off while the store is slow is back through another connection, with the same client id, before the first one's turn."""
    async with House() as house:
        slow, rule = asyncio.Event(), house.rooms.judging.ruling

        async def ruling(driver: Driver | None, document_id: DocumentId, card: Card) -> Ruling:
            if card.link == "slowly":
                await slow.wait()
            return await rule(driver, document_id, card)

        house.rooms.judging.ruling = ruling  # type: ignore[method-assign]
        request = JoinRequest(b"\0", ClientId(5))
        late = asyncio.ensure_future(house.enter("gone", DOCUMENT, request, link="slowly"))
        await asyncio.sleep(0)
        house.disconnect("gone")
        await house.enter("back", DOCUMENT, request)
        slow.set()
        with pytest.raises(ProtocolError, match="went before it was let in"):
            await late
        assert [name_of(session) for session in house.driver.room.members] == ["back"]
        assert not any(isinstance(message, ClosedMessage) for message in house.ears.said.get("back", []))


async def test_whoever_is_put_out_in_the_moment_in_which_the_document_is_closed_hears_of_it() -> None:
    async with House() as house:
        request = JoinRequest(b"\0", ClientId(5))
        await house.enter("gone", DOCUMENT, request)
        await house.enter("back", DOCUMENT, request)
        house.rooms.notify(DOCUMENT, ClosedHint(Code.DELETED, "It was deleted."))
        await house.rooms.until_closed(DOCUMENT)
        await until(lambda: "gone" in house.ears.said)
        assert [message.code for message in house.ears.said["gone"] if isinstance(message, ClosedMessage)] == [
            Code.CLIENT_ID_TAKEN
        ]
        assert house.visitor("gone").seats == {}
        assert house.rooms.memory_shares.documents == {}


async def test_an_older_connection_puts_out_nobody_who_came_through_a_newer_one() -> None:
    """Its join may have waited for the store; that the connection is dead is often noticed only later."""
    async with House() as house:
        request = JoinRequest(b"\0", ClientId(5))
        await house.enter("older", DOCUMENT, request)
        await house.enter("newer", DOCUMENT, request)
        await until(lambda: "older" in house.ears.said)
        with pytest.raises(ProtocolError) as refused:
            await house.enter("older", DOCUMENT, request)
        assert refused.value.code is Code.CLIENT_ID_TAKEN
        assert [name_of(session) for session in house.driver.room.members] == ["newer"]
        assert "newer" not in house.ears.said
        house.disconnect("newer")
        await house.enter("older", DOCUMENT, request)
