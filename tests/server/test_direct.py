"""The server itself as an author: same gate, same rights, same log as everybody else."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace
from pycrdt import Doc, Text

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import ClientId, DocumentId
from crdt.permissions import Role
from crdt.protocol.hints import ClosedHint
from crdt.protocol.messages import JoinRequest, Limits, UpdateMessage, User
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.wrapping import unwrap
from server.auth.base import Identity
from server.cli.history import history_of
from server.doors.direct import Author, DirectDoor
from server.rooms import RoomSettings
from server.store.sharing_base import Link
from tests.harness.house import ANNA, DOCUMENT, House
from tests.harness.live_server import until

AGENT = Identity(User("agent-7", "Tidy", "#112233"), "jwt")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House() as house:
        await house.join("reader")
        yield house


def edit(author: Author, words: str) -> bytes:
    """What the sandbox would make of the author's state."""
    doc: Doc[Any] = Doc(client_id=author.client_id)
    for update in (author.state, *author.take_news()):
        if update:
            doc.apply_update(inspect(update, GateLimits(), durable=True).engine)
    before = doc.get_state()
    story = doc.get("story", type=Text)
    story.insert(len(story), words)
    return unwrap(doc.get_update(before))


async def test_an_edit_of_the_server_s_own_is_durable_and_seen_by_all(house: House) -> None:
    door = DirectDoor(house.rooms)
    async with door.author(DOCUMENT, ANNA) as author:
        seq = await author.write(edit(author, "by REST"))
    assert await house.stored_text() == "by REST"
    await until(lambda: [m.seq for m in house.ears.said["reader"] if isinstance(m, UpdateMessage)] == [seq])


async def test_the_log_says_that_an_agent_wrote_and_for_whom(house: House) -> None:
    door = DirectDoor(house.rooms)
    async with door.author(DOCUMENT, AGENT, agent_for="u1") as author:
        await author.write(edit(author, "tidied"))
    async with door.author(DOCUMENT, ANNA) as author:
        await author.write(edit(author, " by hand"))
    lines = await history_of(house.store, DOCUMENT, 10)
    assert lines is not None
    said = [(each["user_id"], each["kind"], each["on_behalf_of"]) for line in lines for each in json.loads(line)["by"]]
    assert said == [("u1", "person", ""), ("agent-7", "agent", "u1")]


async def test_one_client_id_serves_all_authors_of_a_document_that_come_one_after_the_other(house: House) -> None:
    door, used = DirectDoor(house.rooms), set[ClientId]()
    for number in range(5):
        async with door.author(DOCUMENT, ANNA) as author:
            await author.write(edit(author, str(number)))
            used.add(author.client_id)
    assert await house.stored_text() == "01234"
    assert len(used) == 1
    async with door.author(DOCUMENT, ANNA) as one, door.author(DOCUMENT, ANNA) as another:
        assert one.client_id != another.client_id
        await asyncio.gather(one.write(edit(one, "x")), another.write(edit(another, "y")))
    assert sorted(await house.stored_text()) == sorted("01234xy")


async def test_who_may_not_write_is_refused_and_so_is_what_the_gate_does_not_take(house: House) -> None:
    door = DirectDoor(house.rooms)
    await house.store.sharing.grant(DOCUMENT, "owner", Role.OWNER)
    async with door.author(DOCUMENT, ANNA) as author:
        for bad, code in ((b"garbage", Code.BAD_UPDATE), (b"", Code.BAD_UPDATE)):
            with pytest.raises(ManyhandsError) as refused:
                await author.write(bad)
            assert refused.value.code is code
        done = await house.store.sharing.set_link(DOCUMENT, Link(Role.VIEWER))
        assert done is not None
        house.rooms.tell(done)
        await until(lambda: author.role is Role.VIEWER)
        with pytest.raises(ProtocolError) as refused:
            await author.write(edit(author, "no more"))
        assert refused.value.code is Code.FORBIDDEN
    assert await house.stored_text() == ""
    with pytest.raises(ProtocolError) as refused:
        async with door.author(DocumentId("no-such-document"), ANNA):
            pass
    assert refused.value.code is Code.NOT_FOUND


async def test_an_author_hears_what_others_write_and_builds_on_it(house: House) -> None:
    async with DirectDoor(house.rooms).author(DOCUMENT, ANNA) as author:
        house.write("reader", "theirs ")
        await until(lambda: author.backlog > 0)
        await author.write(edit(author, "mine"))
    assert await house.stored_text() == "theirs mine"


async def test_a_large_document_is_read_whole(house: House) -> None:
    words = "x" * (Limits().part_bytes + 100)
    door = DirectDoor(house.rooms)
    async with door.author(DOCUMENT, ANNA) as author:
        await author.write(edit(author, words))
    async with door.author(DOCUMENT, ANNA) as author:
        await author.write(edit(author, "end"))
    assert await house.stored_text() == words + "end"


@pytest.mark.slow
async def test_who_takes_no_news_falls_behind_and_reads_again() -> None:
    small = RoomSettings(limits=replace(Limits(), backlog_bytes=4000))
    async with House(settings=small) as house:
        await house.join("reader")
        async with DirectDoor(house.rooms).author(DOCUMENT, ANNA) as author:
            for number in range(20):
                house.write("reader", "long " * 100, client_id=100 + number)
                await until(lambda: "long " * 100 in house.ears.answers)
                house.ears.answers.clear()
            author.take_news()
            await until(lambda: author.stale)
            with pytest.raises(Unavailable, match="join again"):
                await author.write(b"anything")
            await author.join()
            await author.write(edit(author, "end"))
        assert await house.stored_text() == "long " * 2000 + "end"


async def test_a_document_that_is_closed_says_why_to_whoever_writes_on(house: House) -> None:
    async with DirectDoor(house.rooms).author(DOCUMENT, ANNA) as author:
        change = edit(author, "too late")
        house.rooms.notify(DOCUMENT, ClosedHint(Code.DELETED, "It was deleted."))
        await house.rooms.until_closed(DOCUMENT)
        with pytest.raises(ProtocolError, match="It was deleted") as refused:
            await author.write(change)
        assert refused.value.code is Code.DELETED


async def test_what_waits_for_the_store_is_durable_when_the_author_has_left(house: House) -> None:
    house.weather.down = True
    async with DirectDoor(house.rooms).author(DOCUMENT, ANNA) as author:
        writing = asyncio.ensure_future(author.write(edit(author, "patience")))
        await asyncio.sleep(0.3)
        assert not writing.done()
        house.weather.down = False
        assert await writing == 1
    assert await house.stored_text() == "patience"


async def test_nobody_else_writes_under_an_author_s_client_id(house: House) -> None:
    async with DirectDoor(house.rooms).author(DOCUMENT, ANNA) as author:
        await author.write(edit(author, "mine"))
        taken = author.client_id
    with pytest.raises(ProtocolError) as refused:
        await house.enter("mallory", DOCUMENT, JoinRequest(b"\0", taken))
    assert refused.value.code is Code.CLIENT_ID_TAKEN


async def test_a_client_id_is_not_used_again_while_a_cancelled_write_may_yet_be_durable(house: House) -> None:
    """Whoever came next would write other words under the same clocks, and the first would win."""
    door = DirectDoor(house.rooms)
    house.weather.down = True
    async with door.author(DOCUMENT, ANNA) as author:
        writing = asyncio.ensure_future(author.write(edit(author, "cancelled ")))
        await until(lambda: bool(house.driver.room.in_flight()))
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        with pytest.raises(Unavailable, match="join again"):
            await author.write(edit(author, "under the same clocks"))
        used = author.client_id
        await author.join()
        assert author.client_id != used
    async with door.author(DOCUMENT, ANNA) as author:
        writing = asyncio.ensure_future(author.write(edit(author, "acknowledged ")))
        await asyncio.sleep(0.1)
        house.weather.down = False
        await writing
    assert sorted((await house.stored_text()).split()) == ["acknowledged", "cancelled"]


async def test_a_client_id_that_somebody_else_has_taken_is_not_tried_again(house: House) -> None:
    ids = iter([ClientId(100), ClientId(200)])
    door = DirectDoor(house.rooms, lambda: next(ids))
    async with door.author(DOCUMENT, ANNA):
        pass
    await house.enter("mallory", DOCUMENT, JoinRequest(b"\0", ClientId(100), "a-key-that-is-mallory-s"))
    for _ in range(2):
        with contextlib.suppress(ProtocolError):
            async with door.author(DOCUMENT, ANNA) as author:
                await author.write(edit(author, "at last"))
                break
    assert await house.stored_text() == "at last"
