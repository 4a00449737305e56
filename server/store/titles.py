"""Titles in searches: the form in which they are compared, and the cursor between two pages."""

import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId

_CURSOR = re.compile(r"([0-9]{1,17})\.([A-Za-z0-9_-]{8,64})\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def fold_title(title: str) -> str:
    """Bring a title or a query into the form in which the two are compared.

    The form has no case, and is NFKC. Raises ProtocolError(malformed) for a text that some database
    cannot hold, because it has a NUL or half of a surrogate pair.
    """
    try:
        if b"\0" in title.encode():
            raise ValueError
    except ValueError:
        raise ProtocolError(Code.MALFORMED, "A title must be valid Unicode text.") from None
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", title).casefold())


def to_microseconds(moment: datetime) -> int:
    """Count microseconds since 1970, a number that every database can hold, compare and index."""
    return (moment - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Undo `to_microseconds`, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def encode_cursor(updated_at: datetime, document_id: DocumentId) -> str:
    """Name the position after an entry, in the order (updated_at, document_id), both descending."""
    return f"{to_microseconds(updated_at)}.{document_id}"


def decode_cursor(cursor: str) -> tuple[datetime, DocumentId]:
    """Undo `encode_cursor`. Raises ProtocolError(malformed) for anything else."""
    match = _CURSOR.match(cursor)
    if match is None:
        raise ProtocolError(Code.MALFORMED, "The cursor is not one that an earlier page gave.")
    return from_microseconds(int(match[1])), DocumentId(match[2])


utc_now: Callable[[], datetime] = partial(datetime.now, UTC)
"""The clock that stores use unless they get another one."""
