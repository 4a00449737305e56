"""What comes of letting updates in at the gate (crdt/gate/gate.py)."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from crdt.errors import Code, ProtocolError
from crdt.yjs.reader import Inspected

MayWrite = Callable[[int], bool]
"""Whether an author may write under a client id."""


class Admission(NamedTuple):  # one for each edit: a frozen dataclass takes four times as long to make
    """What admitted updates bring.

    Attributes:
        news: whether there is a struct or a deletion that the document lacked; without any they are
            complete duplicates.
        new_clients: client ids whose first structs they bring.
        writes: client ids for which they bring new structs.
        cost: an upper bound of the time that the document engine needs for them, in nanoseconds
            (crdt/gate/engine_cost.py).
    """

    news: bool
    new_clients: tuple[int, ...]
    writes: tuple[int, ...]
    cost: int = 0


def check_author(client: int, may_write: MayWrite) -> None:
    """Raise ProtocolError(client_id_taken) unless the author may write under this client id."""
    if not may_write(client):
        raise ProtocolError(Code.CLIENT_ID_TAKEN, "The client id belongs to somebody else. Take another one.")


RESERVE_BYTES = 2**20
"""How far a full document may grow by what deletes something: an editor that empties it writes a little as well, a new line perhaps."""


def check_fits(updates: Sequence[Inspected], size: int, most: int) -> None:
    """Raise ProtocolError(document_full) unless a document of `size` bytes, with these, is within its limit or is being made smaller.

    Whoever could not even delete would have lost the document. What they delete is cleared away
    when its log is folded.
    """
    deletes = any(update.deletions for update in updates)
    if size > most and not (deletes and (size <= most + RESERVE_BYTES or not any(each.structs for each in updates))):
        raise full(
            "The document has reached its largest size. Delete some of it and wait a minute, or start another one."
        )


def full(message: str) -> ProtocolError:
    """The refusal of what would make a document larger than it may be."""
    return ProtocolError(Code.DOCUMENT_FULL, message)


def too_costly() -> ProtocolError:
    """The refusal of what would keep the document engine busy for too long."""
    return ProtocolError(
        Code.TOO_COSTLY,
        "The change would take the server too long, here and whenever the document is opened. Make it in smaller steps, or in a new "
        "document.",
    )
