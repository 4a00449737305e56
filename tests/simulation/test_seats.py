"""Seats in random schedules: connections with several documents each, which come and go at once.

test_simulation.py follows replicas of one document over several nodes. This file follows what a
door sees of one node:

1. Each request has one answer, and what was acknowledged is in the document once.
2. Nobody hears anything before the answer to their join, nor after their end.
3. Rows come without a gap, and everybody sees who is there.
4. Nothing is kept of people who have gone.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Any

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ManyhandsError
from crdt.ids import ClientId, DocumentId, Epoch, PresenceId, Seq
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.hints import ClosedHint
from crdt.protocol.messages import (
    ClosedMessage,
    JoinRequest,
    Json,
    PresenceMessage,
    Refused,
    Request,
    ResyncMessage,
    ServerMessage,
    UpdateMessage,
    User,
)
from crdt.room.session import Behind
from server.auth.base import Identity
from server.doors.direct import DirectDoor
from server.rooms import Circle, RoomSettings, Seat
from server.store.database import utc_now
from server.store.sharing_base import Link
from tests.harness.house import House
from tests.simulation import SEEDS
from tests.simulation.virtual_loop import run_virtually

CHUNK = 100
QUICK = 15
DOCUMENTS = [DocumentId(f"document-{number}") for number in range(4)]
PEOPLE = 5
STEPS = 25
BACKLOG_LIMIT = 2**20
LEFT_ALONE = 90.0
"""Seconds after which everything that was begun is over: longer than any pause between attempts."""


class Asked:
    """One request to write, and how often it was answered."""

    def __init__(self, connection: "Connection", document_id: DocumentId, word: str) -> None:
        self.connection = connection
        self.document_id = document_id
        self.word = word
        self.answers: list[Seq | Refused] = []


class Connection:
    """One connection of a person, with any number of documents."""

    agent_for = None

    def __init__(self, world: "World", name: str, user: User) -> None:
        self.world = world
        self.door = world
        self.name = name
        self.arrival = len(world.connections) + 1
        self.user = user
        self.gone = self.expired = False
        self.backlog = 0
        self.seats: dict[DocumentId, Seat] = {}
        self.seqs: dict[DocumentId, int] = {}
        """The last row that was heard of, until a resync."""
        self.seen: dict[DocumentId, dict[PresenceId, Any]] = {}

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self.seats.get(document_id)

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        for request in requests:
            self.world.answered(request, seq)

    def refuse(self, request: Request, refused: Refused) -> None:
        self.world.answered(request, refused)

    def dismissed(self, seat: Seat) -> None:
        if self.seats.get(seat.document_id) is seat:
            self.forget(seat.document_id)

    def forget(self, document_id: DocumentId) -> None:
        for each in (self.seats, self.seqs, self.seen):
            each.pop(document_id, None)

    def abort(self) -> None:
        self.disconnect()

    async def join(self, document_id: DocumentId, client_id: int) -> None:
        identity = Identity(self.user, "guest")
        request = JoinRequest(b"\0", ClientId(client_id))
        seat, answer, _ = await self.world.house.rooms.join(document_id, request, identity, self)
        if self.expired:
            seat.leave()
            return
        self.seats[document_id], self.seqs[document_id] = seat, answer.seq
        self.seen[document_id] = {change.presence_id: change.state for change in answer.presence}

    async def write(self, document_id: DocumentId, words: list[str]) -> None:
        for word in words:
            asked = Asked(self, document_id, word)
            self.world.asked.append(asked)
            seat = self.seats.get(document_id)
            if seat is None:
                self.world.answered(asked, Refused(Code.NOT_JOINED, "Join the document first."))
                continue
            doc: Doc[Any] = Doc(client_id=self.world.new_client_id())
            doc.get("story", type=Text).insert(0, word)
            taking = seat.receive(encode_batch([doc.get_update()]), Request(asked))
            if taking is not None:
                await taking

    def leave(self, document_id: DocumentId) -> None:
        seat = self.seats.get(document_id)
        if seat is not None:
            seat.leave()
            self.forget(document_id)

    def expire(self) -> None:
        self.expired = True
        for document_id in list(self.seats):
            self.leave(document_id)

    def renew(self, name: str) -> None:
        self.expired = False
        self.user = User(self.user.user_id, name, self.user.color)
        for seat in self.seats.values():
            seat.renew(Identity(self.user, "guest"))

    def disconnect(self) -> None:
        self.gone = True
        for document_id in list(self.seats):
            self.leave(document_id)

    def hear(self, seat: Seat, message: ServerMessage) -> None:
        document_id = seat.document_id
        if self.seats.get(document_id) is not seat:
            if not isinstance(message, ClosedMessage) or document_id in self.seats:
                self.world.wrong(f"{self.name} hears {type(message).__name__} without a seat, or of one before")
            return
        match message:
            case UpdateMessage(seq) if document_id in self.seqs:
                if seq != self.seqs[document_id] + 1 and seq > self.seqs[document_id]:
                    self.world.wrong(f"{self.name} hears row {seq} behind row {self.seqs[document_id]}")
                self.seqs[document_id] = max(seq, self.seqs[document_id])
            case ResyncMessage():
                self.seqs.pop(document_id, None)
                self.seen.pop(document_id, None)
            case PresenceMessage(changes) if document_id in self.seen:
                for change in changes:
                    if change.state is None:
                        self.seen[document_id].pop(change.presence_id, None)
                    else:
                        self.seen[document_id][change.presence_id] = change.state
            case _:
                pass


class World:
    """A node, its documents, the people, and what goes wrong. It is the door as well."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.roughness = self.random.uniform(0.1, 0.8)
        """The chance of an accident per step."""
        self.house: House
        self.failures: list[str] = []
        self.asked: list[Asked] = []
        self.deleted: set[DocumentId] = set()
        self.connections: list[Connection] = []
        self.direct: list[tuple[DocumentId, str]] = []
        self._client_ids = 1000
        self._names = 0

    def wrong(self, what: str) -> None:
        self.failures.append(what)

    def answered(self, request: object, answer: Seq | Refused) -> None:
        assert isinstance(request, Asked)
        request.answers.append(answer)
        connection, document_id = request.connection, request.document_id
        if not isinstance(answer, Refused) and document_id in connection.seqs:
            connection.seqs[document_id] = max(connection.seqs[document_id], answer)

    def new_client_id(self) -> int:
        self._client_ids += 1
        return self._client_ids

    def new_word(self) -> str:
        self._names += 1
        return f"word{self._names:06} "

    def cursor(self) -> dict[str, Json] | None:
        return {"cursor": self.random.randrange(100)} if self.random.random() < 0.5 else None

    # What rooms ask of a door.

    def say(self, circle: Circle, _document_id: DocumentId, message: ServerMessage, but: Seat | None) -> list[Seat]:
        told = [seat for seat in circle.seats if seat is not but]
        for seat in told:
            assert isinstance(seat.ears, Connection)
            if seat.ears.gone:
                continue
            seat.ears.hear(seat, message)
        return [seat for seat in told if seat.ears.backlog > BACKLOG_LIMIT]

    # What happens.

    async def live(self) -> None:
        async with House(settings=RoomSettings(linger=self.random.choice([0.01, 1.0]))) as self.house:
            for document_id in DOCUMENTS:
                await self.house.store.catalogue.create(document_id, "Title", Epoch(1), utc_now(), owner="owner")
            accidents = asyncio.ensure_future(self.accidents())
            server = asyncio.ensure_future(self.server())
            await asyncio.gather(*(self.person(number) for number in range(PEOPLE)))
            for each in (accidents, server):
                await each
            weather = self.house.weather
            weather.down, weather.faults, weather.slow_replies = False, 0.0, 0.0
            for connection in self.connections:
                connection.backlog = 0
                for seat in connection.seats.values():
                    with contextlib.suppress(ManyhandsError):
                        seat.moves(self.cursor())
            await asyncio.sleep(LEFT_ALONE)
            self.check_present()
            await (self.everybody_leaves() if self.random.random() < 0.5 else self.node_leaves())
            await self.check_empty()

    async def everybody_leaves(self) -> None:
        for connection in self.connections:
            connection.disconnect()
        await asyncio.sleep(LEFT_ALONE)

    async def node_leaves(self) -> None:
        """The node drains while people still come."""
        coming = [
            asyncio.ensure_future(connection.join(document_id, number))
            for number, connection in enumerate(self.connections[-PEOPLE:])
            for document_id in DOCUMENTS
        ]
        await asyncio.sleep(self.random.uniform(0, 0.02))
        await self.house.rooms.drain()
        await asyncio.gather(*coming, return_exceptions=True)

    async def person(self, number: int) -> None:
        """Act as a person who connects again and again. Most have two connections at once."""
        random, user = self.random, User(f"user-{number // 2}", "Name", "#336699")
        connection = self.connect(number, user)
        for document_id in random.sample(DOCUMENTS, 2):
            with contextlib.suppress(ManyhandsError):
                await connection.join(document_id, number // 2 + random.randrange(2))
        for _ in range(STEPS):
            await asyncio.sleep(random.choice([0.0, 0.0, random.uniform(0, 0.02), random.uniform(0, 3)]))
            if connection.gone:
                connection = self.connect(number, user)
            document_id = random.choice(DOCUMENTS)
            if connection.seats and random.random() < 0.7:
                document_id = random.choice(list(connection.seats))
            match random.randrange(12):
                case 0 | 1 | 2 | 3:
                    try:
                        await connection.join(document_id, number // 2 + random.randrange(2))
                    except ManyhandsError as refusal:
                        if refusal.code is Code.INTERNAL:
                            self.wrong(f"A join was refused: {refusal}")
                case 4 | 5 | 6 | 7:
                    await connection.write(document_id, [self.new_word() for _ in range(random.randrange(1, 4))])
                case 8 | 9:
                    seat = connection.seats.get(document_id)
                    if seat is not None:
                        with contextlib.suppress(ManyhandsError):
                            seat.moves(self.cursor())
                case 10:
                    connection.leave(document_id)
                case _:
                    connection.renew(f"Name{random.randrange(10)}")

    def connect(self, number: int, user: User) -> Connection:
        connection = Connection(self, f"person-{number}.{len(self.connections)}", user)
        self.connections.append(connection)
        return connection

    async def accidents(self) -> None:
        for _ in range(2 * STEPS):
            await asyncio.sleep(self.random.choice([0.0, self.random.uniform(0, 0.02), self.random.uniform(0, 2)]))
            if self.random.random() < self.roughness:
                document_id = self.random.choice(DOCUMENTS)
                match self.random.randrange(4):
                    case 0:
                        self.happens_to(self.random.choice(self.connections[-PEOPLE:]))
                    case 1:
                        self.weather_changes()
                    case 2:
                        self.goes_wrong_in(document_id)
                    case _:
                        await self.is_changed(document_id)

    def happens_to(self, connection: Connection) -> None:
        match self.random.randrange(4):
            case 0 | 1:
                connection.disconnect()
            case 2:
                connection.expire()
            case _:
                connection.backlog = self.random.choice([0, 2 * BACKLOG_LIMIT])

    def weather_changes(self) -> None:
        random, weather = self.random, self.house.weather
        match random.randrange(3):
            case 0:
                weather.down = not weather.down
            case 1:
                weather.faults = random.choice([0.0, 0.0, 0.3])
            case _:
                weather.slow_replies = random.choice([0.0, 2.0])

    def goes_wrong_in(self, document_id: DocumentId) -> None:
        rooms = self.house.rooms
        driver = rooms.registry.get(document_id)
        if driver is None or self.random.random() < 0.3:
            rooms.notify(document_id, ClosedHint(Code.INTERNAL, "A mistake."))
        else:
            driver.do(partial(driver.room.doubt, "Just so."))

    async def is_changed(self, document_id: DocumentId) -> None:
        """Somebody changes the access, the trash, or everything."""
        if document_id in self.deleted:
            return
        random, store = self.random, self.house.store
        match random.randrange(7):
            case 0 | 1 | 2:
                role = random.choice([Role.EDITOR, Role.EDITOR, Role.VIEWER, None])
                done = await store.sharing.set_link(document_id, Link(role))
            case 3 | 4 | 5:
                done = await store.catalogue.set_trashed(document_id, random.choice([None, None, utc_now()]))
            case _:
                self.deleted.add(document_id)
                done = await store.catalogue.delete(document_id)
        assert done is not None
        if done.entry is None or random.random() < 0.9:  # otherwise the notice is lost
            self.house.rooms.tell(done)

    async def server(self) -> None:
        """The server itself writes now and then, and is in a hurry at times."""
        random, door = self.random, DirectDoor(self.house.rooms, lambda: ClientId(10**6 + self.random.randrange(10**6)))
        writer = Identity(User("owner", "Owner", "#112233"), "guest")
        for _ in range(STEPS // 2):
            await asyncio.sleep(random.uniform(0, 3))
            document_id, word = random.choice(DOCUMENTS), self.new_word()
            try:
                async with asyncio.timeout(random.choice([0.02, 5.0])), door.author(document_id, writer) as author:
                    doc: Doc[Any] = Doc(client_id=author.client_id)
                    doc.apply_update(author.state)
                    before = doc.get_state()
                    doc.get("story", type=Text).insert(0, word)
                    await author.write(doc.get_update(before))
                    self.direct.append((document_id, word))
            except (ManyhandsError, TimeoutError):
                pass

    # What must hold.

    def check_present(self) -> None:
        for connection in self.connections:
            for document_id, seat in connection.seats.items():
                driver = self.house.rooms.registry.get(document_id)
                if driver is None or seat.driver is not driver or seat not in driver.room.members:
                    self.wrong(f"{connection.name} believes to be in {document_id}")
                    continue
                if isinstance(seat.state, Behind):
                    self.wrong(f"{connection.name} is behind for ever")
                there = {
                    each.presence_id: each.state
                    for each in driver.room.members.presence.everybody(but=seat.presence_id)
                }
                if document_id in connection.seen:
                    seen = {
                        each: state for each, state in connection.seen[document_id].items() if each != seat.presence_id
                    }
                    if seen != there:
                        self.wrong(f"{connection.name} sees {seen} in {document_id}, and there is {there}")
        for driver in self.house.rooms.registry:
            for seat in driver.seats():
                assert isinstance(seat.ears, Connection)
                if seat.ears.gone or seat.ears.seats.get(driver.document_id) is not seat:
                    self.wrong(f"{seat.ears.name} is in the list of {driver.document_id} for ever")

    async def check_empty(self) -> None:
        house, shares = self.house, self.house.rooms.memory_shares
        for asked in self.asked:
            if len(asked.answers) != 1:
                self.wrong(f"{asked.word} was answered {asked.answers}")
        still = [driver.document_id for driver in house.rooms.registry]
        marked = await house.store.open_marks.marked("node")
        held = [shares.documents, shares.coming, shares.left_by, shares.written, house.rooms.registry._states]
        if still or marked or any(held):
            self.wrong(f"left behind: {still} {marked} {held}")
        words: dict[DocumentId, Counter[str]] = {}
        for document_id in DOCUMENTS:
            if document_id not in self.deleted:
                words[document_id] = Counter((await house.stored_text(document_id)).split())
        saved = [(each.document_id, each.word) for each in self.asked if any(isinstance(a, int) for a in each.answers)]
        for document_id, word in [*saved, *self.direct]:
            if document_id in words and words[document_id][word.strip()] != 1:
                self.wrong(f"{word}is saved, and stands in {document_id} {words[document_id][word.strip()]} times")


def failures_of(seed: int) -> list[str]:
    world = World(seed)
    run_virtually(world.live())
    return world.failures


def check(seeds: range) -> None:
    for seed in seeds:
        failures = failures_of(seed)
        assert not failures, f"seed {seed}: {'; '.join(failures)}"


def test_a_few_schedules() -> None:
    check(range(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, SEEDS, CHUNK))
def test_schedules(first: int) -> None:
    check(range(first, min(first + CHUNK, SEEDS)))
