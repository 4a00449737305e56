"""Every way to say no: who is to blame is the class, what happened is the code.

    ManyhandsError
    ├── ProtocolError     the peer's fault: the message is refused, the connection and the room go on
    ├── Unavailable       a dependency does not answer, or there is no room: retried with back-off, nothing is lost meanwhile
    └── InvariantError    ours: it closes the room, never the process

The codes are part of the native protocol (server/PROTOCOL.md lists them; a test compares the two).
"""

from enum import StrEnum

from crdt.ids import Epoch


class Code(StrEnum):
    """What went wrong, in a word that programs may rely on."""

    MALFORMED = "malformed"
    """The message does not have the form that its event asks for."""
    UNKNOWN_EVENT = "unknown_event"
    """No such event in this protocol."""
    NOT_JOINED = "not_joined"
    """The connection has not joined the document it speaks of."""
    NOT_FOUND = "not_found"
    """There is no such document, or it is not for this person: the two answers are the same."""
    UNAUTHENTICATED = "unauthenticated"
    """Who this is, is not known, or not any more: sign in, or bring a fresh token."""
    FORBIDDEN = "forbidden"
    """The person's role does not include this."""
    BAD_UPDATE = "bad_update"
    """The update's bytes are not a sound Yjs v1 update, or the document engine does not take it."""
    UNSUPPORTED_CONTENT = "unsupported_content"
    """The update is sound but holds what cannot be kept unharmed, for example XmlHook, a subdocument, or `__proto__` as a key."""
    MISSING_PAST = "missing_past"
    """The update builds on changes that the server has never seen; join again and send what it lacks."""
    CLIENT_ID_TAKEN = "client_id_taken"
    """The client id belongs to somebody else; take another one."""
    TOO_LARGE = "too_large"
    """One message, update or presence is over its limit."""
    TOO_COSTLY = "too_costly"
    """The change, or the document with it, would take the document engine too long; make smaller changes."""
    DOCUMENT_FULL = "document_full"
    """The document has reached a limit of size or complexity."""
    TOO_MANY = "too_many"
    """Too many documents, connections or people."""
    RATE_LIMITED = "rate_limited"
    """Too much in too short a time; slow down and try again."""
    EPOCH_CHANGED = "epoch_changed"
    """The document was restored or made anew: a copy of its earlier life must not be merged into it."""
    QUARANTINED = "quarantined"
    """The document is open read-only because its stored state cannot be worked with; everything is kept."""
    UNAVAILABLE = "unavailable"
    """The store does not answer and there is no room left to wait in; keep the change and try again."""
    DELETED = "deleted"
    """The document was deleted for ever."""
    DRAINING = "draining"
    """This server is shutting down; connect again."""
    INTERNAL = "internal"
    """The server's own mistake; it has been logged."""


class ManyhandsError(Exception):
    """Any refusal: a code for programs, a sentence for people that says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def outward(self) -> str:
        """The sentence for strangers: it names no path, host or address of the server's."""
        return self.message


class ProtocolError(ManyhandsError):
    """The peer's fault. Nothing has changed; the peer is told and everybody else notices nothing."""


class EpochChanged(ProtocolError):
    """The client's offline copy belongs to another life of the document; `epoch` is the present one."""

    def __init__(self, epoch: Epoch) -> None:
        super().__init__(Code.EPOCH_CHANGED, "The document was restored or made anew. Keep the offline copy apart.")
        self.epoch = epoch


class Unavailable(ManyhandsError):
    """A dependency does not answer now. Nothing is lost; the caller retries with back-off."""

    def __init__(self, message: str, code: Code = Code.UNAVAILABLE) -> None:
        super().__init__(code, message)

    @property
    def outward(self) -> str:
        """The message for strangers, who are not told which dependency failed. The log is."""
        if self.code is Code.UNAVAILABLE:
            return "The server cannot do this now. Nothing is lost: keep the change and try again in a moment."
        return self.message


class GivenUp(Unavailable):
    """What the server kept for a peer was given up, for its time was over or others needed the memory. The peer begins again."""

    @property
    def outward(self) -> str:
        """What happened is no secret, and says what to do."""
        return self.message


class InvariantError(ManyhandsError):
    """Our own mistake or damaged data. The room is rebuilt from the log or closed; the process goes on."""

    def __init__(self, message: str, code: Code = Code.INTERNAL) -> None:
        super().__init__(code, message)

    @property
    def outward(self) -> str:
        """What it was is for the operator's log."""
        if self.code is Code.QUARANTINED:
            return "The stored document is damaged. Everything is kept: tell whoever runs this server."
        return "The server made a mistake; it has been logged."
