"""Deeds: what happened to documents, one record each, written in the transaction of the change itself.

Promises, beside those of server/store/base.py:

1. **One with its change.** Both are durable or neither is.
2. **Numbered.** `seq` rises with the order of commits, so a reader can go on behind the last one
   that it has seen. Numbers may be left out.
3. **Bounded.** Of each document the last DEEDS_KEPT are kept, and apart from them the last
   RENAMES_KEPT renames: whoever may write may rename, and must not displace what owners did.
4. **Outlives the document.**

A deed holds neither title nor text, because those go when the document is deleted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from crdt.ids import DocumentId

if TYPE_CHECKING:
    from server.store.base import Entry

DEEDS_KEPT = 1000
"""Per document, the last ones: whoever trashes and restores over and over fills no more than this, and what others did lately stays."""

RENAMES_KEPT = 100
"""Per document."""

OPERATOR = "operator"
"""Who did what was done to the database directly, e.g. by the command line."""


class Kind(StrEnum):
    """All that may happen to a document. In brackets: the details."""

    CREATE = "create"
    RENAME = "rename"
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"
    GRANT = "grant"
    """[user_id, role] Somebody was given a role."""
    REVOKE = "revoke"
    """[user_id] Somebody's access was taken away, or they left."""
    LINK = "link"
    """[role, or none; renewed: yes] The link was changed, or made anew."""
    TRANSFER = "transfer"
    """[user_id, role] Somebody became owner in another's place."""
    ADOPT = "adopt"
    """[user_id] Somebody became owner of what nobody owned."""
    ACCEPT_INVITATION = "accept_invitation"
    """Somebody signed in whose address had been given a role."""
    PUT_BACK = "put back"
    """[place] What had been set aside was written once more."""
    DROPPED = "dropped"
    """[place] What had been set aside was given up."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that happened to a document.

    Attributes:
        kind: a `Kind`, or what a newer version of Manyhands calls it.
        by: the user id of whoever did it, or OPERATOR.
        seq: its number, of all deeds in the database.
    """

    kind: str
    document_id: DocumentId
    by: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Done:
    """A deed that is written now, and what the document is since.

    Attributes:
        deed: None when the change found nothing to change.
        entry: None when the document is gone.
        access_version: of the document's access.
    """

    deed: Deed | None
    entry: "Entry | None"
    access_version: int = 0


class Deeds(Protocol):
    """The record. What changes a document writes its deed itself."""

    async def list(self, document_id: DocumentId, limit: int = 200) -> Sequence[Deed]:
        """What was done to a document, the last first."""

    async def after(self, seq: int, limit: int = 200) -> Sequence[Deed]:
        """What was done to any document since a deed, in order; 0: from the first one that is kept."""
