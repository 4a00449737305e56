"""Admissions: the result of letting updates in at the gate, and refusals of authors and sizes."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import Struct

from crdt.errors import Code, ProtocolError
from crdt.yjs.reader import Inspected


class Except(Struct, frozen=True):
    """All root types but these.

    Only to somebody who suggests is so much closed. By this the gate knows that person.
    """

    names: frozenset[str]

    @property
    def is_all(self) -> bool:
        """Whether everything is closed, the rich text as well."""
        return not self.names

    def __contains__(self, name: str) -> bool:
        return name not in self.names


Roots = frozenset[str] | Except
"""Names of root types."""

NO_ROOTS: Roots = frozenset()
ALL_ROOTS = Except(frozenset())
"""What is closed to somebody who suggests, and whose editor does not declare the format."""

MayWrite = Callable[[int], bool]
"""A function that tells whether the author may write under a client id."""


# Made for each edit. A frozen dataclass takes four times as long to make.
class Admission(NamedTuple):
    """The news that admitted updates bring.

    Attributes:
        news: whether the updates hold a struct or a deletion that the document lacked. If not, they
            are complete duplicates.
        new_clients: client ids whose first structs come with the updates.
        writes: client ids for which the updates bring new structs.
        cost: an upper bound of the time that the document engine needs for the updates, in
            nanoseconds (crdt/gate/engine_cost.py).
    """

    news: bool
    new_clients: tuple[int, ...]
    writes: tuple[int, ...]
    cost: int = 0


def taken() -> ProtocolError:
    """The refusal of an update under somebody else's client id."""
    return ProtocolError(Code.CLIENT_ID_TAKEN, "The client id belongs to somebody else. Take another one.")


def other_format() -> ProtocolError:
    """The refusal of a change in rich text whose format the author does not declare."""
    return ProtocolError(
        Code.OTHER_FORMAT,
        "This page does not know the document's format, and could delete what it does not know. Nothing was written. Load the "
        "page anew, or open the document with an editor that declares the format. The document's owner can also let other "
        "editors write.",
    )


RESERVE_BYTES = 2**20
"""Bytes by which updates that delete something may exceed the limit of a full document.

An editor that empties a document writes a little as well, a new line perhaps.
"""


def check_fits(updates: Sequence[Inspected], size: int, most: int) -> None:
    """Raise ProtocolError(document_full) if the updates would make a document too large.

    `size` is the size of the document with the updates, in bytes, and `most` the limit. Updates
    that only delete always pass, because people could otherwise never make a full document smaller.
    Updates that delete and write may exceed the limit by `RESERVE_BYTES`. The deleted content is
    cleared away when the log is folded.
    """
    deletes = any(update.deletions for update in updates)
    if size > most and not (deletes and (size <= most + RESERVE_BYTES or not any(each.structs for each in updates))):
        raise full(
            "The document has reached its largest size. Delete some of it and wait a minute, or start another one."
        )


def full(message: str) -> ProtocolError:
    """Return the refusal of updates that would make a document larger than it may be."""
    return ProtocolError(Code.DOCUMENT_FULL, message)


def too_costly() -> ProtocolError:
    """Return the refusal of updates that would keep the document engine busy for too long."""
    return ProtocolError(
        Code.TOO_COSTLY,
        "The change would take the server too long, here and whenever the document is opened. Make it in smaller steps, or in a new "
        "document.",
    )
