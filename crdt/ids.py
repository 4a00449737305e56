"""The names that things go by: one type per kind of id, so that none is passed for another."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NewType

DocumentId = NewType("DocumentId", str)
"""A shared text. The server makes 22 characters of URL-safe base64 (128 random bits)."""

ConnectionId = NewType("ConnectionId", str)
"""One browser connection. Secret towards other people: it is never sent to them."""

PresenceId = NewType("PresenceId", int)
"""One session as other people see it; unique within a room for as long as the room is open."""

ClientId = NewType("ClientId", int)
"""Author of CRDT items: Yjs' integer below 2**53."""

NodeId = NewType("NodeId", str)
"""One life of one server process, as the other nodes know it; a process started again is another node."""

UpdateId = NewType("UpdateId", str)
"""One append to a log; the store commits each at most once, however often it is retried."""

Epoch = NewType("Epoch", int)
"""One life of a document. A restore from a backup begins another; histories of two epochs are never merged."""

Seq = NewType("Seq", int)
"""Place of a row in a document's log: 1, 2, 3 … without gaps; 0 is the empty log."""

MAX_CLIENT_ID = 2**53 - 1

_DOCUMENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")


def is_document_id(value: object) -> bool:
    """Whether a stranger's value has the form of a document id; says nothing of whether the document exists."""
    return isinstance(value, str) and _DOCUMENT_ID.match(value) is not None


@dataclass(frozen=True, slots=True)
class IdFactory:
    """Makes a new id on each call: random ones on a server, counted ones in a simulation."""

    update_id: Callable[[], UpdateId]
    presence_id: Callable[[], PresenceId]
