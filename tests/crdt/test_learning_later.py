"""Late indexing: a large document can be read before the gate has indexed it.

The gate's decisions do not depend on when the document is indexed.
"""

from typing import Any

import pytest
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.ids import Epoch, Seq
from crdt.log.replay import inspect_row
from crdt.log.replica import LEARN_AT_ONCE_BYTES, Replica
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Row, Stored
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.harness.census import census
from tests.harness.room import Table

LIMITS = GateLimits()


class Author:
    """A writer of a document that is too large to be indexed at once."""

    def __init__(self) -> None:
        self.doc: Doc[Any] = Doc(client_id=1)
        self.text = self.doc.get("story", type=Text)
        self.types("long " * LEARN_AT_ONCE_BYTES)

    def types(self, words: str) -> bytes:
        before = self.doc.get_state()
        self.text += words
        return self.doc.get_update(before)

    def stored(self, *rows: bytes) -> Stored:
        numbered = [Row(Seq(place), encode_batch([update])) for place, update in enumerate(rows, 8)]
        return Stored(Epoch(1), self.snapshot, Seq(7), numbered, {})

    @property
    def snapshot(self) -> bytes:
        return bytes(self.doc.get_update())


def row(seq: int, update: bytes) -> Any:
    return inspect_row(Row(Seq(seq), encode_batch([update])), LIMITS)


def admitted(replica: Replica, update: bytes) -> bool:
    return replica.knowledge.admit([inspect(update, LIMITS)], lambda _: True).news


def test_it_knows_the_same_whether_it_learned_later_or_at_once() -> None:
    author = Author()
    stored = author.stored()
    rows = [author.types("one"), author.types("two")]
    later, at_once = Replica(stored, LIMITS, may_learn_later=True), Replica(stored, LIMITS)
    for replica in (later, at_once):
        for seq, update in enumerate(rows, 8):
            replica.arrive(row(seq, update), known=False)
        list(replica.advance())
    assert not later.learned
    assert at_once.learned
    assert later.clocks == at_once.clocks
    later.learn(later.read_gate())
    assert later.knowledge.state_vector == at_once.knowledge.state_vector
    assert census(later.knowledge) == census(at_once.knowledge)
    assert later.quarantined is None
    edit = author.types("three")
    assert admitted(later, edit)
    assert not admitted(later, edit)


def test_whoever_cannot_wait_learns_at_once() -> None:
    author = Author()
    base = author.snapshot
    row_after = author.types("one")
    stored = Stored(Epoch(1), base, Seq(7), [Row(Seq(8), encode_batch([row_after]))], {})
    replica = Replica(stored, LIMITS, may_learn_later=True)
    assert not replica.learned
    author.types("missing")
    edit = author.types("two")
    with pytest.raises(ProtocolError) as refused:
        admitted(replica, edit)
    assert refused.value.code is Code.MISSING_PAST
    assert replica.learned


def test_what_was_read_too_late_changes_nothing() -> None:
    author = Author()
    replica = Replica(author.stored(), LIMITS, may_learn_later=True)
    early = replica.read_gate()
    assert admitted(replica, author.types("one"))
    clocks = dict(replica.clocks)
    replica.learn(early)
    assert replica.clocks == clocks


def test_a_snapshot_that_the_gate_cannot_read_leaves_the_document_open_to_read() -> None:
    author = Author()
    replica = Replica(author.stored(), LIMITS, may_learn_later=True)
    replica.learn(ProtocolError(Code.BAD_UPDATE, "It is no update."))
    assert replica.quarantined is not None
    assert replica.document.missing_for(b"\0")


def test_a_small_document_is_learned_at_once() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    doc.get("story", type=Text).insert(0, "short")
    stored = Stored(Epoch(1), bytes(doc.get_update()), Seq(7), [], {})
    assert Replica(stored, LIMITS, may_learn_later=True).learned


def test_a_room_lets_people_in_before_the_gate_has_learned() -> None:
    author = Author()
    table = Table(author.stored())
    (alice,) = table.seat("alice")
    assert alice.text == str(author.text)
    assert not table.room.replica.learned
    assert not table.room.replica.lacks(alice.doc.get_state())
    alice.types("!")
    assert alice.refusals == []
