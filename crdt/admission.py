"""What comes of letting updates in at the gate (crdt/gate.py)."""

from collections.abc import Callable
from typing import NamedTuple

from crdt.errors import Code, ProtocolError

MayWrite = Callable[[int], bool]
"""Whether an author may write under a client id."""


class Admission(NamedTuple):  # one for each edit: a frozen dataclass takes four times as long to make
    """What admitted updates bring.

    Attributes:
        news: whether there is a struct or a deletion that the document lacked; without any they are complete duplicates.
        new_clients: client ids whose first structs they bring.
        writes: client ids for which they bring new structs.
    """

    news: bool
    new_clients: tuple[int, ...]
    writes: tuple[int, ...]


def check_author(client: int, may_write: MayWrite) -> None:
    """Raise ProtocolError(client_id_taken) unless the author may write under this client id."""
    if not may_write(client):
        raise ProtocolError(Code.CLIENT_ID_TAKEN, "The client id belongs to somebody else. Take another one.")
