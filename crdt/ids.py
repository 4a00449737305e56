"""Ids: one type for each kind, so that no id is passed for another."""

import re
from collections.abc import Callable
from typing import NewType

from msgspec import Struct

DocumentId = NewType("DocumentId", str)
"""A shared text. The server makes 22 characters of URL-safe base64 (128 random bits)."""

ConnectionId = NewType("ConnectionId", str)
"""One browser connection. The id is secret, and is never sent to other people."""

PresenceId = NewType("PresenceId", int)
"""One session as other people see it. The id is unique in a room while the room is open."""

ClientId = NewType("ClientId", int)
"""The author of CRDT items: Yjs' integer below 2**53."""

NodeId = NewType("NodeId", str)
"""One life of one server process. A process that is started again is another node."""

UpdateId = NewType("UpdateId", str)
"""One append to a log. The store commits each id at most once, however often it is retried."""

Epoch = NewType("Epoch", int)
"""One life of a document. A restore from a backup begins another. Epochs are never merged."""

Seq = NewType("Seq", int)
"""Number of a row in a document's log: 1, 2, 3 … without gaps. 0 stands for the empty log."""

MAX_CLIENT_ID = 2**53 - 1

ID_PATTERN = r"\A[A-Za-z0-9_-]{8,64}\Z"
_DOCUMENT_ID = re.compile(ID_PATTERN)


def is_document_id(value: object) -> bool:
    """Whether a stranger's value has the form of a document id. The document need not exist."""
    return isinstance(value, str) and _DOCUMENT_ID.match(value) is not None


class IdFactory(Struct, frozen=True):
    """Functions that make a new id on each call: random on a server, counted in a simulation."""

    update_id: Callable[[], UpdateId]
    presence_id: Callable[[], PresenceId]
