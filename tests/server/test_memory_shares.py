"""Bounds on the memory of one person's open documents, and nothing of them for everybody else."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace
from pycrdt import Doc, Text

from crdt.budget import unbounded
from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, DocumentId, Epoch, UpdateId
from crdt.log.replica import Replica
from crdt.protocol.batch import encode_batch
from crdt.protocol.hints import ClosedHint
from crdt.protocol.messages import JoinRequest, Refused, Request, User
from server.rooms import RoomSettings
from server.rooms.shares import LOOK_BYTES
from server.store.base import Append
from server.store.database import utc_now
from tests.harness.house import ANNA, House
from tests.harness.live_server import until

SHARE = 2**20
WORDS = 200_000
"""Characters of each document: 0.4 MB in memory, and counted as ten times that until the gate has learned the document."""

DOCUMENTS = [DocumentId(f"document-number-{number:02}") for number in range(12)]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House(settings=RoomSettings(open_bytes_per_user=SHARE, linger=0.3)) as house:
        for document_id in DOCUMENTS:
            await house.store.catalogue.create(document_id, "Title", Epoch(1), utc_now())
            doc: Doc = Doc()  # type: ignore[type-arg]
            doc.get("story", type=Text).insert(0, "x" * WORDS)
            append = Append(document_id, Epoch(1), UpdateId("u"), encode_batch([doc.get_update()]))
            await house.store.log.append([append])
        yield house


async def answered(house: House, request: Request) -> Code | None:
    await until(lambda: request in house.ears.answers)
    answer = house.ears.answers[request]
    return answer.code if isinstance(answer, Refused) else None


async def opens(house: House, document_id: DocumentId, person: str, connection: str = "") -> Code | None:
    account = unbounded().of(person)
    request = JoinRequest(b"\0", ClientId(7))
    try:
        await house.enter(connection or f"{person} in {document_id}", document_id, request, account=account)
    except ProtocolError as refusal:
        return refusal.code
    return None


async def test_one_person_opens_no_more_than_their_share_however_they_hurry(house: House) -> None:
    answers = await asyncio.gather(*[opens(house, each, "mallory") for each in DOCUMENTS])
    assert answers == [None] * 3 + [Code.TOO_MANY] * 9
    assert await asyncio.gather(*[opens(house, each, "bob") for each in DOCUMENTS[:3]]) == [None] * 3


async def test_a_share_is_everybody_s_own(house: House) -> None:
    for number, each in enumerate(DOCUMENTS):
        assert await opens(house, each, f"person-{number // 2}") is None
    answers = await asyncio.gather(*[opens(house, each, "reader") for each in DOCUMENTS])
    assert answers == [None] * 3 + [Code.TOO_MANY] * 9, "each has their share, whoever opened a document first"
    for each in DOCUMENTS[:3]:
        assert await opens(house, each, "reader", "another tab") is None, "what is among theirs"


async def test_who_has_left_pays_until_the_document_is_closed(house: House) -> None:
    for each in DOCUMENTS[:3]:
        assert await opens(house, each, "mallory") is None
        house.leave(f"mallory in {each}", each)
    assert await opens(house, DOCUMENTS[3], "mallory") is Code.TOO_MANY
    await until(lambda: not list(house.rooms.registry))
    assert await opens(house, DOCUMENTS[3], "mallory") is None


async def test_who_has_left_others_in_a_document_pays_for_it_no_longer(house: House) -> None:
    for each in DOCUMENTS[:3]:
        assert await opens(house, each, "anna") is None
        assert await opens(house, each, "bob") is None
        house.leave(f"anna in {each}", each)
    assert await opens(house, DOCUMENTS[3], "anna") is None
    assert await opens(house, DOCUMENTS[4], "bob") is Code.TOO_MANY


@pytest.mark.slow
async def test_who_makes_documents_large_that_they_have_open_is_stopped_at_twice_the_share(house: House) -> None:
    for each in DOCUMENTS[:3]:
        assert await opens(house, each, "mallory") is None
    sizes, codes = [], []
    for number in range(60):
        document_id, client = DOCUMENTS[number % 3], 1000 + number
        doc: Doc[Any] = Doc(client_id=client)
        doc.get("story", type=Text).insert(0, "y" * (6000 if number % 2 else 100_000))
        request = Request(f"request {number}")
        batch = encode_batch([doc.get_update()])
        taking = house.receive(f"mallory in {document_id}", batch, request, document_id)
        if taking is not None:
            await taking
        codes.append(await answered(house, request))
        sizes.append(house.rooms.memory_shares.held_by("mallory"))
    assert set(codes) == {None, Code.TOO_MANY}
    assert codes[-1] is Code.TOO_MANY
    assert max(sizes) < 2 * SHARE + 2 * LOOK_BYTES + 200_000
    for each in DOCUMENTS[1:3]:
        house.leave(f"mallory in {each}", each)
    await until(lambda: len(list(house.rooms.registry)) == 1)
    taking = house.receive(f"mallory in {DOCUMENTS[0]}", batch, Request("again"), DOCUMENTS[0])
    if taking is not None:
        await taking
    assert await answered(house, Request("again")) is None, "a single document may be as large as any"


async def test_a_refusal_looks_once_at_each_open_document(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for each in DOCUMENTS[:3]:
        assert await opens(house, each, "mallory") is None
    assert await opens(house, DOCUMENTS[3], "mallory") is Code.TOO_MANY  # by now all are learned
    looks = 0

    def look(_replica: Replica) -> int:
        nonlocal looks
        looks += 1
        return SHARE

    monkeypatch.setattr(Replica, "memory", property(look))
    assert await opens(house, DOCUMENTS[3], "mallory") is Code.TOO_MANY
    assert looks == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
async def test_the_books_are_empty_when_all_have_gone(house: House, seed: int) -> None:
    random, rooms = Random(seed), house.rooms
    people = [f"person-{number}" for number in range(4)]
    for _ in range(150):
        person, document_id = random.choice(people), random.choice(DOCUMENTS)
        connection = f"{person}'s tab {random.randrange(2)}"
        dice = random.random()
        if dice < 0.6:
            await opens(house, document_id, person, connection)
        elif dice < 0.8:
            house.leave(connection, document_id)
        elif dice < 0.9:
            for seat in list(house.visitor(connection).seats.values()):
                seat.renew(replace(ANNA, user=User(person, ANNA.user.name, ANNA.user.color)))
        elif dice < 0.95:
            house.disconnect(connection)
        else:
            rooms.notify(document_id, ClosedHint(Code.DELETED, "The document was deleted."))
            await rooms.until_closed(document_id)
    for person in people:
        for number in range(2):
            house.disconnect(f"{person}'s tab {number}")
    await until(lambda: not list(rooms.registry))
    memory_shares = rooms.memory_shares
    books = memory_shares.documents, memory_shares.left_by, memory_shares.coming, memory_shares.written
    assert books == ({}, {}, {}, {})


async def test_who_is_put_out_of_a_document_that_closes_at_once_is_in_no_book(house: House) -> None:
    """Who was put out hears of it a turn later, when the document is in memory no longer."""
    await opens(house, DOCUMENTS[0], "anna", "an old tab")
    await opens(house, DOCUMENTS[0], "anna", "a new tab")  # with the same client id
    house.rooms.notify(DOCUMENTS[0], ClosedHint(Code.DELETED, "The document was deleted."))
    await house.rooms.until_closed(DOCUMENTS[0])
    assert house.rooms.memory_shares.left_by == {}
    assert house.rooms.memory_shares.documents == {}
