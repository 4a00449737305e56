"""Close codes of WebSockets at the doors of other Yjs protocols."""

from crdt.errors import Code

CLOSE_CODES = {
    Code.MALFORMED: 4400,
    Code.UNKNOWN_EVENT: 4400,
    Code.NOT_JOINED: 4400,
    Code.BAD_UPDATE: 4400,
    Code.UNSUPPORTED_CONTENT: 4400,
    Code.CONFLICT: 4400,
    Code.UNAUTHENTICATED: 4401,
    Code.FORBIDDEN: 4403,
    Code.NOT_A_SUGGESTION: 4403,
    Code.WRONG_ORIGIN: 4403,
    Code.WRONG_HOST: 4403,
    Code.OTHER_FORMAT: 4403,
    Code.NOT_FOUND: 4404,
    Code.DELETED: 4404,
    Code.EPOCH_CHANGED: 4410,
    Code.TOO_LARGE: 4413,
    Code.TOO_COSTLY: 4413,
    Code.DOCUMENT_FULL: 4413,
    Code.QUARANTINED: 4423,
    Code.MISSING_PAST: 4500,
    Code.INTERNAL: 4500,
    Code.UNAVAILABLE: 4503,
    Code.CLIENT_ID_TAKEN: 4509,  # mostly by the page's own earlier connection, until that one is given up
    Code.DRAINING: 4503,
    Code.TOO_MANY: 4529,
    Code.RATE_LIMITED: 4529,
}
"""From 4400 to 4499 coming back does not help; from 4500 on it does."""


def helps_to_come_back(code: Code) -> bool:
    """Whether a client that is refused should come back."""
    return CLOSE_CODES[code] >= 4500
