"""Bugs of peers, planted on purpose: a simulation that does not find them proves nothing.

Each function is a context in which the server has that bug.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, delete, select, update

from crdt.log import compaction
from crdt.log.document import Damaged, Document
from crdt.log.replay import InspectedRow, inspect_row
from crdt.log.replica import Replica
from crdt.protocol.messages import UpdateMessage
from crdt.protocol.row import Row
from crdt.room.effects import Acknowledge, Effect
from crdt.room.members import Members
from crdt.room.outbox import Outbox
from crdt.room.room import Room
from crdt.room.session import Authors
from crdt.yjs.reader import Inspected
from server.rooms import Rooms
from server.rooms.driver import Driver
from server.rooms.head_poll import HeadPoll
from server.rooms.registry import Opening
from server.rooms.rescuing import Rescuing
from server.store import folding
from server.store.base import Append, CompactionReport
from server.store.schema import documents, log_rows, snapshots
from server.store.segments import checksum
from server.store.sqlite import append
from tests.simulation.schedule import CALM, CLUSTER, HOSTILE, POISONED, WRITERS, WRITERS_IN_CLUSTER, Plan


@contextmanager
def _instead(owner: type | ModuleType, name: str, replacement: object) -> Iterator[None]:
    original = owner.__dict__[name]
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def acknowledge_before_append() -> AbstractContextManager[None]:
    """Hocuspocus, Y-Sweet: an edit that is in memory counts as saved."""
    original = Room.receive

    def receive(room: Room, session: Any, updates: Any, request: Any) -> list[Effect]:
        effects = original(room, session, updates, request)
        return [*effects, *([Acknowledge([(session, request)], room.seq)] if not effects else [])]

    return _instead(Room, "receive", receive)


def relay_before_append() -> AbstractContextManager[None]:
    """y-websocket, Hocuspocus: others see what the next crash takes back."""
    original = Room.flush

    def flush(room: Room, now: float) -> list[Effect]:
        fresh = room._outbox.under_way is None
        effects = original(room, now)
        appending = room._outbox.under_way
        if fresh and appending is not None:
            effects += room.members.tell(UpdateMessage(type(room.seq)(room.seq + 1), appending.batch))
        return effects

    return _instead(Room, "flush", flush)


def unload_before_durable() -> AbstractContextManager[None]:
    """pycrdt-websocket, Hocuspocus: the last edits die with the last visitor."""
    return _instead(Room, "idle", property(lambda room: not room.members))


def give_up_when_the_store_fails() -> AbstractContextManager[None]:
    """Hocuspocus, Docmost, Outline: a failed write is logged and forgotten, yet counts as done."""

    def failed(outbox: Outbox, update_id: Any, _now: float) -> None:
        outbox.settle(update_id)

    return _instead(Outbox, "failed", failed)


def forget_who_joins_late() -> AbstractContextManager[None]:
    """A session that joins while a batch is under way is never sent it."""
    original = Members.tell

    def tell(people: Members, message: Any, but: Any = None) -> list[Effect]:
        if isinstance(message, UpdateMessage) and len(people) > 1:
            but = list(people)[-1]
        return original(people, message, but)

    return _instead(Members, "tell", tell)


# Bugs that need several nodes.


def relay_without_the_seq_check() -> AbstractContextManager[None]:
    """Rows from the bus are applied and sent as they come: gaps and repetitions go unnoticed."""

    def remote(room: Room, row: Row) -> list[Effect]:
        try:
            room.replica._follow(inspect_row(row, room._gate_limits), known=True)
        except Damaged:
            return []
        return room.members.tell(UpdateMessage(row.seq, row.batch))

    return _instead(Room, "remote", remote)


def join_without_catching_up() -> AbstractContextManager[None]:
    """A node behind the log answers a join, and asks the client for other people's edits."""

    async def catch_up(_rooms: Rooms, _driver: Driver) -> None:
        return None

    return _instead(Rooms, "_catch_up", catch_up)


@contextmanager
def load_before_subscribe() -> Iterator[None]:
    """Hints between the reading of a document and its opening are lost.

    The next person to join does not make the node look for them either.
    """
    with join_without_catching_up(), _instead(Opening, "hear", lambda _opening, _node, _message: None):
        yield


def trust_the_bus() -> AbstractContextManager[None]:
    """Redis adapters: nobody checks whether messages were lost."""

    async def look(_poll: HeadPoll) -> None:
        return None

    return _instead(HeadPoll, "look", look)


def learn_rows_as_they_come() -> AbstractContextManager[None]:
    """The gate learns rows ahead of their turn, whose past it does not know."""
    original = Replica.arrive

    def arrive(replica: Replica, row: InspectedRow, *, known: bool) -> None:
        if not known and row.seq > replica.seq and row.seq not in replica.ahead:
            for update in row.updates:
                replica.knowledge.absorb(update)
        original(replica, row, known=True)

    return _instead(Replica, "arrive", arrive)


def compact_rows_that_were_not_read() -> AbstractContextManager[None]:
    """A fold takes a while. Rows that were appended meanwhile are deleted with the folded ones."""
    original = folding.write

    def write(connection: Connection, packed: folding.Packed, keep: folding.Keep) -> CompactionReport | None:
        report = original(connection, packed, keep)
        if report is not None:
            last, key = packed.span.fresh[-1].seq, packed.span.document.key
            head = connection.execute(select(documents.c.head).where(documents.c.key == key)).scalar_one()
            connection.execute(delete(log_rows).where(log_rows.c.document_key == key))
            connection.execute(update(documents).where(documents.c.key == key).values(snapshot_seq=head))
            taken = {"seq": head, "checksum": checksum(packed.snapshot, head)}
            connection.execute(update(snapshots).where(snapshots.c.seq == last).values(taken))
        return report

    return _instead(folding, "write", write)


def keep_to_oneself_whose_an_id_is() -> AbstractContextManager[None]:
    """A client id that another node bound is free here until the document is opened again."""

    def learn(_authors: Authors, _bound: object) -> None:
        return None

    return _instead(Authors, "learn", learn)


def let_the_second_key_in() -> AbstractContextManager[None]:
    """The store keeps the first binding and the second one's row."""
    return _instead(append, "_taken", lambda _cursor, _append: None)


def acknowledge_before_applied() -> AbstractContextManager[None]:
    """An earlier version of this server: edits that the gate has let in count as applied."""

    def follow(document: Document, update: Inspected) -> None:
        document._pending.append(update.engine)
        document._count(update)

    return _instead(Document, "follow", follow)


def rescue_nothing() -> AbstractContextManager[None]:
    """Every other Yjs server: what is typed into a block dies when somebody changes the block."""

    async def answer(_rescuing: Rescuing, _question: object) -> None:
        return None

    return _instead(Rescuing, "answer", answer)


def append_without_knowing_the_last_move() -> AbstractContextManager[None]:
    """A node judges what dies by the rows that it happens to know."""
    original = append._append

    def unaware(cursor: Any, each: Append, now: int, known: Any) -> Any:
        return original(cursor, replace(each, known=None), now, known)

    return _instead(append, "_append", unaware)


def forget_what_was_folded() -> AbstractContextManager[None]:
    """A snapshot alone: whoever was away writes into blocks that nobody knows any more."""
    return _instead(compaction, "remember", lambda _sequences: b"")


PLANTED_IN_CLUSTER: dict[str, tuple[Plan, Callable[[], AbstractContextManager[None]]]] = {
    "acknowledge_before_append": (CLUSTER, acknowledge_before_append),
    "relay_without_the_seq_check": (CLUSTER, relay_without_the_seq_check),
    "join_without_catching_up": (CLUSTER, join_without_catching_up),
    "load_before_subscribe": (CALM, load_before_subscribe),
    "trust_the_bus": (HOSTILE, trust_the_bus),
    "learn_rows_as_they_come": (CLUSTER, learn_rows_as_they_come),
    "unload_before_durable": (CLUSTER, unload_before_durable),
    "compact_rows_that_were_not_read": (CLUSTER, compact_rows_that_were_not_read),
    "keep_to_oneself_whose_an_id_is": (HOSTILE, keep_to_oneself_whose_an_id_is),
    "let_the_second_key_in": (HOSTILE, let_the_second_key_in),
    "acknowledge_before_applied": (POISONED, acknowledge_before_applied),
    "rescue_nothing": (WRITERS, rescue_nothing),
    "append_without_knowing_the_last_move": (WRITERS_IN_CLUSTER, append_without_knowing_the_last_move),
    "forget_what_was_folded": (WRITERS, forget_what_was_folded),
}

PLANTED: dict[str, Callable[[], AbstractContextManager[None]]] = {
    bug.__name__: bug
    for bug in (
        acknowledge_before_append,
        relay_before_append,
        unload_before_durable,
        give_up_when_the_store_fails,
        compact_rows_that_were_not_read,
        forget_who_joins_late,
    )
}
