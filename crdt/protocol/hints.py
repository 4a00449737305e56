"""What nodes tell each other of a document, or of themselves: hints, nothing of value. Whoever misses one finds out from the log.

How hints travel is the bus' affair (server/bus/base.py); as bytes they are
crdt/protocol/hint_codec.py's.
"""

from dataclasses import dataclass

from crdt.errors import Code
from crdt.ids import Epoch, Seq
from crdt.protocol.messages import DocumentInfo, PresenceChange
from crdt.protocol.row import AuthorKeys


@dataclass(frozen=True, slots=True)
class BatchHint:
    """A row was appended in this life of the document; `batch` is None when it is too large to travel: read it from the log.

    `author_keys`: what it bound; they travel with the batch. `people`: how many have the document
    open on the node that says so, for a row costs a frame for each of them too.
    """

    epoch: Epoch
    seq: Seq
    batch: bytes | None
    author_keys: AuthorKeys = ()
    people: int = 0


@dataclass(frozen=True, slots=True)
class PresenceHint:
    """Presence changed on the node that says so."""

    changes: tuple[PresenceChange, ...]


@dataclass(frozen=True, slots=True)
class PresenceWhole:
    """Everybody with a cursor on the node that says so: its other people, if it had any, are gone.

    `asks`: it has just opened the document, or may have missed something, and wants to hear the
    same of the others.
    """

    people: tuple[PresenceChange, ...]
    asks: bool = False


@dataclass(frozen=True, slots=True)
class DocumentHint:
    """The catalogue's entry changed."""

    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class AccessHint:
    """Who has access was changed; `version`: the access' own, as the store counts it."""

    version: int


@dataclass(frozen=True, slots=True)
class ClosedHint:
    """The document was deleted, or began another epoch: close its room."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The node that says so lives. `leaving`: this is its last word; `called`: its name in the settings, which it says now and then."""

    leaving: bool = False
    called: str = ""


Hint = BatchHint | PresenceHint | PresenceWhole | DocumentHint | AccessHint | ClosedHint | Beat
