"""Errors of the Python client. A refusal has the server's code and the server's sentence.

    ManyhandsError
    ├── Refused           the server says no; the more frequent codes have classes of their own
    │   ├── Forbidden, NotFound, Deleted, Unauthenticated, OtherFormat, EpochChanged, ClientIdTaken
    └── Unreachable       the server did not answer in time; it is a TimeoutError as well

What to do about each code is decided here as well (`REMEDIES`).
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any


class ManyhandsError(Exception):
    """Any error of the client."""


class Refused(ManyhandsError):
    """The server refuses something: `code` is for programs, `message` for people.

    server/PROTOCOL.md lists the codes.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Forbidden(Refused):
    """The person's role does not include this."""


class NotFound(Refused):
    """There is no such document, or this person may not see it."""


class Deleted(Refused):
    """The document was deleted for ever."""


class Unauthenticated(Refused):
    """The server does not know this person, or not any more."""


class OtherFormat(Refused):
    """The rich text has a format that this program did not declare."""


class EpochChanged(Refused):
    """The document was restored from a backup, so changes made before must not be merged in."""


class ClientIdTaken(Refused):
    """Somebody else writes under this document's client id, and under the one that it took then.

    Open the document again, which then has another id, and write again what was not saved.
    """


class Unreachable(ManyhandsError, TimeoutError):
    """The server did not answer in time. What was written is kept, and sent when it can be."""


_CLASSES: Mapping[str, type[Refused]] = {
    "forbidden": Forbidden,
    "not_found": NotFound,
    "deleted": Deleted,
    "unauthenticated": Unauthenticated,
    "other_format": OtherFormat,
    "epoch_changed": EpochChanged,
    "client_id_taken": ClientIdTaken,
}


def refused(error: Any) -> Refused:
    """Return the exception for an `error` of the protocol, whatever form it has."""
    known = error if isinstance(error, dict) else {}
    code = str(known.get("code", "internal"))
    return _CLASSES.get(code, Refused)(code, str(known.get("message", code)))


class Remedy(Enum):
    """What a refusal asks of the client."""

    LATER = 1
    """Nothing is wrong with the message: send it again after a pause."""
    REJOIN = 2
    """Both sides disagree about the past. Joining again settles that, or nothing does."""
    AUTHENTICATE = 3
    """The token has run out: bring a fresh one, and join again."""
    STOP = 4
    """The same message will be refused for ever."""


REMEDIES: Mapping[str, Remedy] = {
    **dict.fromkeys(("unavailable", "rate_limited", "draining", "too_many"), Remedy.LATER),
    **dict.fromkeys(("missing_past", "not_joined", "internal", "client_id_taken"), Remedy.REJOIN),
    "unauthenticated": Remedy.AUTHENTICATE,
    **dict.fromkeys(
        (
            "malformed", "unknown_event", "not_found", "forbidden", "not_a_suggestion", "bad_update", "unsupported_content", "too_large",
            "too_costly", "document_full", "conflict", "epoch_changed", "quarantined", "other_format", "deleted", "wrong_origin",
            "wrong_host",
        ),
        Remedy.STOP,
    ),
}  # fmt: skip
"""By code. Codes of a newer server count as `internal`."""

_PASSING = frozenset({"internal", "quarantined", "too_costly", "document_full"})
"""Codes that end no session for good: an operator may mend what they tell of."""


def remedy_for_update(code: str) -> Remedy:
    return REMEDIES.get(code, Remedy.REJOIN)


def remedy_for_session(code: str) -> Remedy:
    """Return what a refused join asks for, or a session that the server has closed."""
    if code in _PASSING:
        return Remedy.LATER
    return REMEDIES.get(code, Remedy.LATER)
