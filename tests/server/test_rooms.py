"""Rooms opened and closed on virtual time: one load for many joins, nothing unloaded before it is durable, nobody served too early.

The field's failures that these stories are about: an empty document served before the store has
loaded, or stored over the good one after a failed load; two documents for one name; the last edits
lost with the last visitor.
"""

import asyncio
import gc
from collections.abc import Sequence
from typing import Any, cast
from weakref import ref

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import ClientId, DocumentId, Epoch, Seq, UpdateId
from crdt.protocol.batch import encode_batch
from crdt.protocol.hints import ClosedHint, DocumentHint
from crdt.protocol.messages import (
    Acknowledged,
    ClosedMessage,
    DocumentInfo,
    DocumentMessage,
    JoinRequest,
    Refused,
    Request,
    ResyncMessage,
    UpdateMessage,
)
from crdt.protocol.row import Stored
from crdt.yjs.limits import GateLimits
from server.rooms.intake import AT_ONCE_BYTES
from server.rooms.registry import FOLDING_SECONDS
from server.sandbox import SandboxRejected, Trial
from server.store.base import Append, Folded, OpenMarks, Past
from server.store.database import utc_now
from tests.harness.house import ANNA, DOCUMENT, House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until
from tests.harness.update_writer import text, update
from tests.simulation.virtual_loop import run_virtually


async def writes_much(house: House, name: str) -> None:
    """Join, and write a log that is worth folding."""
    await house.join(name)
    for number in range(60):
        house.write(name, "some words that add up " * 10, client_id=1000 + number)
        await asyncio.sleep(0.1)


def test_many_joins_at_once_make_one_load_and_one_room() -> None:
    async def story() -> None:
        async with House() as house:
            await asyncio.gather(*(house.join(f"c{number}") for number in range(50)))
            assert house.loads == 1
            house.write("c0", "one for all")
            await asyncio.sleep(1)
            heard = [any(isinstance(m, UpdateMessage) for m in house.ears.said.get(f"c{n}", [])) for n in range(1, 50)]
            assert all(heard)

    run_virtually(story())


def test_a_room_that_is_folded_and_closed_is_out_of_memory() -> None:
    """Nothing may hold it, not even a timer: after a rush, the memory of all rooms is wanted back."""

    async def story() -> None:
        async with House(sandbox=InProcessSandbox()) as house:
            await writes_much(house, "a")
            room = ref(house.driver)
            house.leave("a")
            await asyncio.sleep(5)
            loaded = await house.store.log.load(DOCUMENT)
            assert loaded is not None
            assert loaded.snapshot is not None
            assert loaded.rows == ()
            gc.collect()
            assert room() is None

    run_virtually(story())


def test_a_row_that_is_whole_leaves_before_its_window_ends() -> None:
    async def story() -> None:
        async with House() as house:
            house.share = house.rooms.registry.pace.share = 0.1
            await house.join("a")
            await house.join("b")
            for number in range(100):
                house.write("a", "x", client_id=1000 + number)
                await asyncio.sleep(0.01)
            while not house.driver.room.settled:  # noqa: ASYNC110 - on virtual time
                await asyncio.sleep(0.001)
            house.write("a", "one", client_id=2001)
            assert house.driver.room.deadline() is not None
            house.write("a", "two", client_id=2002)
            assert house.driver.room.deadline() is None
            await house.driver.settled.wait()
            assert house.ears.answers[Request("one")] == house.ears.answers[Request("two")]

    run_virtually(story())


def test_a_failed_load_is_an_error_and_never_an_empty_document() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("first")
            house.write("first", "precious")
            house.disconnect("first")
            await asyncio.sleep(5)
            house.weather.down = True
            with pytest.raises(Unavailable):
                await house.join("second")
            house.weather.down = False
            assert await house.join("third") == "precious"

    run_virtually(story())


def test_a_document_that_does_not_exist_is_not_made_by_joining_it() -> None:
    async def story() -> None:
        async with House() as house:
            with pytest.raises(ProtocolError) as refused:
                await house.enter("c", DocumentId("no-such-document"), JoinRequest(b"\0", ClientId(1)))
            assert refused.value.code is Code.NOT_FOUND

    run_virtually(story())


def test_the_last_visitors_edit_survives_a_slow_store_and_the_next_visitor_sees_it() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("last")
            house.weather.down = True
            house.write("last", "goodbye")
            house.disconnect("last")
            await asyncio.sleep(20)
            house.weather.down = False
            await asyncio.sleep(10)
            assert await house.stored_text() == "goodbye"
            assert await house.join("next") == "goodbye"

    run_virtually(story())


def test_who_comes_back_while_the_room_is_closing_finds_everything() -> None:
    async def story() -> None:
        async with House() as house:
            for visit in range(20):
                name = f"visitor{visit}"
                await house.join(name)
                house.write(name, f"{visit} ", client_id=100 + visit)
                await asyncio.sleep(0.1)
                house.disconnect(name)
                await asyncio.sleep(0.9 + visit * 0.01)
            words = (await house.join("reader")).split()
            assert sorted(map(int, words)) == list(range(20))
            assert house.loads > 2, "the room did close in between"

    run_virtually(story())


def test_a_client_that_has_seen_more_than_this_node_is_not_asked_for_others_work() -> None:
    """Refused as somebody else's, a person's own edits would come back with it for ever: they arrive together."""

    async def story() -> None:
        async with House() as house:
            await house.join("here")
            doc: Doc[Any] = Doc(client_id=11)
            doc.get("story", type=Text).insert(0, "appended by another node")
            seen = doc.get_update()
            keys = ((ClientId(11), b"somebody else's!"),)
            append = Append(DOCUMENT, Epoch(1), UpdateId("elsewhere"), encode_batch([seen]), keys)
            await house.store.log.append([append])
            request = JoinRequest(doc.get_state(), ClientId(12))
            answer = await house.enter("traveller", DOCUMENT, request, ANNA)
            assert (answer.seq, answer.state_vector) == (1, doc.get_state())
            await asyncio.sleep(0.1)
            assert [m.seq for m in house.ears.said["here"] if isinstance(m, UpdateMessage)] == [1]

    run_virtually(story())


def test_a_large_batch_is_checked_elsewhere_and_keeps_its_place_in_the_order() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("c")
            doc: Doc[Any] = Doc(client_id=9)
            doc.get("story", type=Text).insert(0, "x" * 100_000)
            pending = house.receive("c", encode_batch([doc.get_update()]), Request("large"))
            assert pending is not None
            await pending
            await asyncio.sleep(1)
            assert house.ears.answers["large"] == Acknowledged(Seq(1))

    run_virtually(story())


def test_a_batch_that_is_no_batch_is_answered_and_changes_nothing() -> None:
    async def story() -> None:
        async with House() as house:
            await house.join("c")
            for number, garbage in enumerate((b"", b"\x05ab", b"\xff" * 100, b"\x02\x00\x01")):
                house.receive("c", garbage, Request(number))
            assert all(isinstance(answer, Refused) for answer in house.ears.answers.values())
            assert len(house.ears.answers) == 4
            house.write("c", "still works")
            await asyncio.sleep(1)
            assert await house.stored_text() == "still works"

    run_virtually(story())


class TestSlowConnections:
    def test_one_that_drains_is_told_to_join_again(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("fast")
                await house.join("slow")
                house.ears.backlogs["slow"] = 10**9
                for number in range(5):
                    house.write("fast", f"{number}", client_id=200 + number)
                    await asyncio.sleep(0.1)
                updates = [m for m in house.ears.said["slow"] if isinstance(m, UpdateMessage)]
                assert len(updates) == 1, "after the first it was too far behind"
                house.ears.backlogs["slow"] = 0
                await asyncio.sleep(1)
                assert isinstance(house.ears.said["slow"][-1], ResyncMessage)

        run_virtually(story())

    def test_one_that_never_drains_is_cut(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("fast")
                await house.join("stalled")
                house.ears.backlogs["stalled"] = 10**9
                house.write("fast", "anything")
                await asyncio.sleep(90)
                assert "stalled" in house.ears.aborted
                assert "fast" not in house.ears.aborted

        run_virtually(story())


class TestAfterACrash:
    def test_documents_that_were_open_are_tried_in_the_sandbox_first(self) -> None:
        class Suspicious(InProcessSandbox):
            tried = 0

            async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
                Suspicious.tried += 1
                return await super().trial(stored, limits)

        async def story() -> None:
            async with House() as house:
                await house.join("c")
                house.write("c", "text")
                await asyncio.sleep(1)
                house.faulty.faulty_log.dead = True
            async with House(house.store, Suspicious()) as again:
                assert await again.join("d") == "text"
                assert Suspicious.tried == 1

        run_virtually(story())

    def test_one_that_crashes_whoever_reads_it_stays_closed_and_is_kept(self) -> None:
        class Rejecting(InProcessSandbox):
            async def trial(self, stored: Stored, limits: GateLimits, person: str = "") -> Trial:
                raise SandboxRejected("The worker died of it.")

        async def story() -> None:
            async with House() as house:
                await house.join("c")
                house.write("c", "text")
                await asyncio.sleep(1)
                house.faulty.faulty_log.dead = True
            async with House(house.store, Rejecting()) as again:
                for _ in range(2):
                    with pytest.raises(ProtocolError) as refused:
                        await again.join("d")
                    assert refused.value.code is Code.QUARANTINED
                assert await again.stored_text() == "text"

        run_virtually(story())


class TestTheCatalogue:
    def test_a_new_title_reaches_open_pages(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("c")
                house.rooms.notify(DOCUMENT, DocumentHint(DocumentInfo("Better title", None)))
                assert house.ears.said["c"] == [DocumentMessage(DocumentInfo("Better title", None))]

        run_virtually(story())

    def test_a_deleted_document_closes_for_everybody_and_takes_no_more(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("c")
                house.rooms.notify(DOCUMENT, ClosedHint(Code.DELETED, "The document was deleted."))
                await house.rooms.until_closed(DOCUMENT)
                await house.store.catalogue.delete(DOCUMENT)
                assert isinstance(house.ears.said["c"][-1], ClosedMessage)
                house.write("c", "too late")
                assert cast(Refused, house.ears.answers["too late"]).code is Code.NOT_JOINED
                with pytest.raises(ManyhandsError):
                    await house.join("c")

        run_virtually(story())

    def test_a_document_deleted_behind_the_rooms_back_refuses_openly(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("c")
                await house.store.catalogue.delete(DOCUMENT)
                house.write("c", "too late")
                await asyncio.sleep(1)
                assert cast(Refused, house.ears.answers["too late"]).code is Code.DELETED

        run_virtually(story())


def test_who_is_put_out_by_their_newer_connection_knows_it_at_once() -> None:
    """Whoever joined again first would hear of the end of their old seat behind their new one."""

    async def story() -> None:
        async with House() as house:
            request = JoinRequest(b"\0", ClientId(7))
            await house.enter("an old connection", DOCUMENT, request)
            await house.enter("a new connection", DOCUMENT, request)
            assert house.visitor("an old connection").seats == {}
            assert isinstance(house.ears.said["an old connection"][-1], ClosedMessage)

    run_virtually(story())


class SlowMarks:
    """Open marks that take a while to be written, as on a slow disk."""

    def __init__(self, marks: OpenMarks) -> None:
        self._marks = marks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._marks, name)

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        await asyncio.sleep(1)
        await self._marks.mark(document_id, node_id)


class TestWhatIsDoneToADocumentThatIsBeingOpened:
    """The catalogue has been read, and the room is not there yet."""

    def test_a_new_title_is_taken_over(self) -> None:
        async def story() -> None:
            async with House() as house:
                house.faulty.open_marks = SlowMarks(house.faulty.open_marks)
                joining = asyncio.ensure_future(house.join("c"))
                await asyncio.sleep(0.5)
                done = await house.store.catalogue.rename(DOCUMENT, "New", utc_now())
                assert done is not None
                house.rooms.tell(done)
                await joining
                assert house.driver.room.info.title == "New"

        run_virtually(story())

    def test_a_deleted_document_lets_nobody_in(self) -> None:
        async def story() -> None:
            async with House() as house:
                house.faulty.open_marks = SlowMarks(house.faulty.open_marks)
                joining = asyncio.ensure_future(house.join("c"))
                await asyncio.sleep(0.5)
                done = await house.store.catalogue.delete(DOCUMENT)
                assert done is not None
                house.rooms.tell(done)
                await house.rooms.until_closed(DOCUMENT)
                assert list(house.rooms.registry) == []
                with pytest.raises(ProtocolError) as refused:
                    await joining
                assert refused.value.code is Code.NOT_FOUND

        run_virtually(story())


class TestDraining:
    def test_it_ends_when_everything_taken_is_durable_and_lets_nobody_in(self) -> None:
        async def story() -> None:
            async with House() as house:
                await house.join("c")
                house.weather.down = True
                house.write("c", "at the last moment")
                drain = asyncio.ensure_future(house.rooms.drain())
                await asyncio.sleep(5)
                assert not drain.done()
                with pytest.raises(Unavailable) as refused:
                    await house.join("late")
                assert refused.value.code is Code.DRAINING
                house.weather.down = False
                await drain
                assert await house.stored_text() == "at the last moment"

        run_virtually(story())

    def test_what_was_written_lately_is_folded_so_that_it_opens_as_quickly_afterwards(self) -> None:
        async def story() -> None:
            async with House() as house:
                await writes_much(house, "a")
                before = await house.stored_text()
                await house.rooms.drain()
                loaded = await house.store.log.load(DOCUMENT)
                assert loaded is not None
                assert (len(loaded.rows), loaded.snapshot is not None) == (0, True)
                assert await house.stored_text() == before != ""

        run_virtually(story())

    def test_it_does_not_wait_long_for_a_fold(self) -> None:
        class Slow(InProcessSandbox):
            async def fold(self, snapshot: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
                await asyncio.sleep(3600)
                raise AssertionError

        async def story() -> None:
            async with House(sandbox=Slow()) as house:
                await writes_much(house, "a")
                before = await house.stored_text()
                began = asyncio.get_running_loop().time()
                await house.rooms.drain()
                assert asyncio.get_running_loop().time() - began < 2 * FOLDING_SECONDS
                assert await house.stored_text() == before != ""
                assert await house.store.open_marks.marked("node") == frozenset()

        run_virtually(story())

    def test_a_document_that_is_being_opened_is_closed_as_well(self) -> None:
        """Otherwise its mark would stay, and the next start would take this stop for a crash."""

        async def story() -> None:
            async with House() as house:
                house.weather.slow_replies = 5.0
                joining = asyncio.ensure_future(house.join("late"))
                await asyncio.sleep(0.1)
                await house.rooms.drain()
                with pytest.raises(Unavailable) as refused:
                    await joining
                assert refused.value.code is Code.DRAINING
                assert list(house.rooms.registry) == []
                assert await house.store.open_marks.marked("node") == frozenset()

        run_virtually(story())


@pytest.mark.slow
def test_a_broken_append_does_not_hold_up_other_documents() -> None:
    async def story() -> None:
        async with House() as house:
            other = DocumentId("another-document")
            await house.store.catalogue.create(other, "Other", Epoch(1), utc_now())
            await house.join("c")
            await house.enter("d", other, JoinRequest(b"\0", ClientId(77)), ANNA)
            append = house.faulty.log.append

            async def breaks(appends: Sequence[Append]) -> Any:
                if any(one.document_id == DOCUMENT for one in appends):
                    raise ValueError("a bug in the store")
                return await append(appends)

            house.faulty.log.append = breaks  # type: ignore[method-assign]
            doc: Doc[Any] = Doc(client_id=3)
            doc.get("story", type=Text).insert(0, "fine")
            house.write("c", "stuck")
            house.receive("d", encode_batch([doc.get_update()]), Request("fine"), other)
            await asyncio.sleep(2)
            assert house.ears.answers == {"fine": Acknowledged(Seq(1))}

    run_virtually(story())


def test_a_room_is_compacted_when_its_last_visitor_has_left() -> None:
    async def story() -> None:
        async with House() as house:
            await writes_much(house, "c")
            before = await house.stored_text()
            house.disconnect("c")
            await asyncio.sleep(5)
            loaded = await house.store.log.load(DOCUMENT)
            assert loaded is not None
            assert (len(loaded.rows), loaded.snapshot is not None) == (0, True)
            assert await house.stored_text() == before

    run_virtually(story())


def test_a_fold_that_fails_leaves_everything_as_it_was() -> None:
    class Failing(InProcessSandbox):
        async def fold(self, snapshot: bytes | None, batches: Sequence[bytes], past: Past) -> Folded:
            raise SandboxRejected("It took too long.")

    async def story() -> None:
        async with House(sandbox=Failing()) as house:
            await writes_much(house, "c")
            house.disconnect("c")
            await asyncio.sleep(5)
            assert len(await house.join("d")) == 60 * 230

    run_virtually(story())


async def test_a_turn_of_the_loop_takes_so_much_and_what_comes_beyond_waits_for_the_next() -> None:
    async with House() as house:
        await house.join("anna")
        batches = [update({client: (0, [text("x" * 1000, parent="story")])}) for client in range(1, 41)]
        taking = [house.send("anna", each) for each in batches]
        assert len(house.driver.room.in_flight()) == AT_ONCE_BYTES // len(encode_batch(batches[:1]))
        await asyncio.gather(*taking)
        await until(lambda: len(house.ears.answers) == len(batches))
        assert all(isinstance(answer, Acknowledged) for answer in house.ears.answers.values())
        assert len(await house.join("late")) == 40_000


async def test_keystrokes_are_taken_at_once_however_many_come_in_a_turn() -> None:
    async with House() as house:
        await house.join("anna")
        words = [house.write("anna", f"word {count}", client_id=count) for count in range(1, 400)]
        assert house.rooms.intake.taken_at_once == 0
        await until(lambda: all(word in house.ears.answers for word in words))
