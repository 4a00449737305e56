"""Shelf in the store port: stars, the time at which a person opened a document, and labels.

A star and an opening are one person's, and nobody else sees them. But whoever may read a document
learns what those are called who have opened it, if they know their ids. Labels are the document's,
and everybody who may read the document sees them. All are deleted with the document.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from crdt.ids import DocumentId
from server.store.deeds_base import OPERATOR, Done

if TYPE_CHECKING:
    from server.store.base import Whose

MAX_READERS = 1000
"""People per document whose star and opening are kept. Who opened it longest ago is forgotten."""


class Placed(Struct, frozen=True):
    """What a document is to one person, and its labels in alphabetical order.

    `requests` is how many people ask for access, if this person may share the document.
    """

    starred: bool = False
    opened_at: datetime | None = None
    labels: tuple[str, ...] = ()
    requests: int = 0


class Shelf(Protocol):
    """People's shelves. Nothing happens to a document that does not exist."""

    async def star(self, document_id: DocumentId, user_id: str, *, starred: bool) -> None:
        """Give a document a person's star, or take the star away."""

    async def note_opened(self, document_id: DocumentId, user_id: str) -> None:
        """Note that a person has opened a document now."""

    async def has_opened(self, document_id: DocumentId, user_id: str) -> bool:
        """Whether a person has opened a document, as far as that is kept."""

    async def placed(
        self, document_ids: Collection[DocumentId], user_id: str, shared: Collection[DocumentId] = ()
    ) -> Mapping[DocumentId, Placed]:
        """Read what documents are to a person, who may share those in `shared`."""

    async def set_labels(self, document_id: DocumentId, labels: Collection[str], *, by: str = OPERATOR) -> Done | None:
        """Replace a document's labels. The same labels change nothing, and there is no deed.

        Return None if there is no such document.
        """

    async def labels(self, whose: "Whose | None") -> Sequence[str]:
        """Read all labels in a person's list, or of all documents, in alphabetical order."""
