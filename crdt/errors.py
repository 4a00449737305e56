"""Refusals, every way to say no: the class says who is to blame, the code says what happened.

    ManyhandsError
    ├── ProtocolError     the peer's fault: the message is refused, connection and room go on
    ├── Unavailable       a dependency does not answer, or memory is short: nothing is lost, and
    │                     the caller retries with back-off
    └── InvariantError    our fault: it closes the room, never the process

The codes are part of the native protocol (server/PROTOCOL.md lists them; a test compares the two).
"""

from enum import StrEnum

from crdt.ids import Epoch


class Code(StrEnum):
    """The reason of a refusal, in a word that programs may rely on."""

    MALFORMED = "malformed"
    """The message does not have the form that its event asks for."""
    UNKNOWN_EVENT = "unknown_event"
    """This protocol has no such event."""
    NOT_JOINED = "not_joined"
    """The connection has not joined the document that the message names."""
    NOT_FOUND = "not_found"
    """There is no such document, or this person may not see it. Both get the same answer."""
    UNAUTHENTICATED = "unauthenticated"
    """The person is not known, or not any more: sign in, or bring a fresh token."""
    FORBIDDEN = "forbidden"
    """The person's role does not include this."""
    NOT_A_SUGGESTION = "not_a_suggestion"
    """The person may only suggest and comment, and the update does something else to the text."""
    WRONG_ORIGIN = "wrong_origin"
    """The page comes from an origin that the server does not know."""
    WRONG_HOST = "wrong_host"
    """The server does not go by the name that the request gives it."""
    BAD_UPDATE = "bad_update"
    """The bytes are not a sound Yjs v1 update, or the document engine does not take the update."""
    UNSUPPORTED_CONTENT = "unsupported_content"
    """The update is sound, but holds content that cannot be kept unharmed.

    Examples are XmlHook, a subdocument, and `__proto__` as a key.
    """
    MISSING_PAST = "missing_past"
    """The update builds on changes that the server has never seen: join again and send these."""
    CLIENT_ID_TAKEN = "client_id_taken"
    """The client id belongs to somebody else; take another one."""
    TOO_LARGE = "too_large"
    """One message, update or presence is over its limit."""
    TOO_COSTLY = "too_costly"
    """The change, or the document with it, would take the engine too long: make smaller changes."""
    DOCUMENT_FULL = "document_full"
    """The document has reached a limit of size or complexity."""
    TOO_MANY = "too_many"
    """Too many documents, connections or people."""
    RATE_LIMITED = "rate_limited"
    """Too much in too short a time; slow down and try again."""
    CONFLICT = "conflict"
    """The blocks have changed since the revision that the edit builds on: read again."""
    EPOCH_CHANGED = "epoch_changed"
    """The document was restored or made anew. A copy of its earlier life must not be merged in."""
    QUARANTINED = "quarantined"
    """The document is open read-only, because its log cannot be replayed. Everything is kept."""
    UNAVAILABLE = "unavailable"
    """A dependency does not answer, or memory is short: keep the change and try again."""
    OTHER_FORMAT = "other_format"
    """The session does not declare the document's format. It reads, and writes no rich text."""
    DELETED = "deleted"
    """The document was deleted for ever."""
    DRAINING = "draining"
    """This server is shutting down; connect again."""
    INTERNAL = "internal"
    """The server made a mistake, which has been logged."""


class ManyhandsError(Exception):
    """Any refusal: a code for programs, a sentence for people that says what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message

    @property
    def outward(self) -> str:
        """The message for strangers. It names no path, host or address of the server."""
        return self.message


class ProtocolError(ManyhandsError):
    """The peer's fault. Nothing has changed. The peer gets the refusal, and nobody else notices."""


class EpochChanged(ProtocolError):
    """The client's offline copy belongs to another epoch. `epoch` is the document's present one."""

    def __init__(self, epoch: Epoch) -> None:
        super().__init__(Code.EPOCH_CHANGED, "The document was restored or made anew. Keep the offline copy apart.")
        self.epoch = epoch


class Unavailable(ManyhandsError):
    """A dependency does not answer now. Nothing is lost, and the caller retries with back-off."""

    def __init__(self, message: str, code: Code = Code.UNAVAILABLE) -> None:
        super().__init__(code, message)

    @property
    def outward(self) -> str:
        """The message for strangers, who are not told which dependency failed. The log is."""
        if self.code is Code.UNAVAILABLE:
            return "The server cannot do this now. Nothing is lost: keep the change and try again in a moment."
        return self.message


class GivenUp(Unavailable):
    """Bytes that the server kept for a peer were given up, and the peer must begin again.

    Their time was over, or others needed the memory.
    """

    @property
    def outward(self) -> str:
        """The message itself, because it names no dependency and says what to do."""
        return self.message


class InvariantError(ManyhandsError):
    """Our own mistake, or damaged data. The room is rebuilt from the log or closed.

    The process goes on.
    """

    def __init__(self, message: str, code: Code = Code.INTERNAL) -> None:
        super().__init__(code, message)

    @property
    def outward(self) -> str:
        """A general message, because the details are for the operator's log."""
        if self.code is Code.QUARANTINED:
            return "The stored document is damaged. Everything is kept: tell whoever runs this server."
        return "The server made a mistake; it has been logged."


def size_in_words(size: int) -> str:
    """Return a number of bytes as people write it: "10 MB"."""
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{size} bytes"
