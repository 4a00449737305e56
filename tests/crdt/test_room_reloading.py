"""Reloading of a room's document: honest people lose nothing."""

from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment

from crdt.ids import ClientId, Epoch, IdFactory, PresenceId, Seq, UpdateId
from crdt.protocol.messages import DocumentInfo, JoinRequest, Limits, Request, Role, User
from crdt.protocol.row import Stored
from crdt.room.effects import Refuse
from crdt.room.pace import Pace
from crdt.room.room import Room
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.wrapping import seal_snapshot

AUTHOR = 5
LIMITS = GateLimits()


def written_by(people: int, paragraphs: int) -> Doc[Any]:
    """Return the first person's copy of a document whose paragraphs people wrote in turns."""
    docs: list[Doc[Any]] = [Doc(client_id=AUTHOR + number) for number in range(people)]
    for number in range(paragraphs):
        writer = docs[number % people]
        before = writer.get_state()
        writer.get("default", type=XmlFragment).children.append(XmlElement("paragraph"))
        news = writer.get_update(before)
        for other in docs:
            if other is not writer:
                other.apply_update(news)
    return docs[0]


@pytest.mark.slow
def test_a_long_document_read_anew_keeps_what_was_taken_from_honest_people() -> None:
    """The whole past is much work for the engine.

    It once counted against the next edit, which a reload then refused for good.
    """
    doc = written_by(5, paragraphs=4000)
    page = doc.get("default", type=XmlFragment)
    stored = Stored(Epoch(1), seal_snapshot(doc.get_update()), Seq(10), (), {})
    ids = IdFactory(lambda: UpdateId("only"), lambda: PresenceId(1))
    room = Room(stored, DocumentInfo("Long", None), Limits(), LIMITS, ids, Pace(lambda: 0.0))
    session = Session()
    room.join(session, JoinRequest(doc.get_state(), ClientId(AUTHOR)), User("a", "Anna", "#336699"), Role.EDITOR)
    for number in range(2):
        before = doc.get_state()
        page.children.insert(5, XmlElement("paragraph"))
        assert room.receive(session, [inspect(doc.get_update(before), LIMITS)], Request(number)) == []
    room.doubt("Something was set aside elsewhere.")
    assert not [effect for effect in room.reloaded(stored) if isinstance(effect, Refuse)]
