"""Deeds: records of what happened to documents, written in the transaction of the change itself.

Promises, beside those of server/store/base.py:

1. **One with its change.** Either both are durable, or neither is.
2. **Numbered.** `seq` rises with the order of commits, so a reader can continue after the last deed
   that it has seen. There may be gaps between the numbers.
3. **Bounded.** The last DEEDS_KEPT deeds of each document are kept, and apart from them the last
   RENAMES_KEPT renames, labels and formats, the last DISCUSSION_KEPT of the discussion, and the
   last ASKS_KEPT requests for access. Many people may do these, and must not displace the owners'
   deeds.
4. **Lasting.** Deeds stay when their document is deleted.

A deed holds neither title nor text, because those go when the document is deleted.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from crdt.ids import DocumentId

if TYPE_CHECKING:
    from server.store.base import Entry

DEEDS_KEPT = 1000
"""Deeds that are kept per document, the last ones.

A person who trashes and restores a document over and over fills no more than this.
"""

RENAMES_KEPT = 100
"""Renames, labels and formats that are kept per document, the last ones."""

DISCUSSION_KEPT = 1000
"""Deeds of the discussion that are kept per document, the last ones."""

ASKS_KEPT = 100
"""Requests for access that are kept per document, the last ones."""

OPERATOR = "operator"
"""User id in deeds that were done to the database directly, e.g. by the command line."""


class Kind(StrEnum):
    """The kinds of deeds. The details of each stand in brackets."""

    CREATE = "create"
    RENAME = "rename"
    LABELS = "labels"
    """The document's labels were changed. A label is a text, so the deed does not hold it."""
    TRASH = "trash"
    RESTORE = "restore"
    DELETE = "delete"
    GRANT = "grant"
    """[user_id, role] Somebody was given a role."""
    REVOKE = "revoke"
    """[user_id] Somebody's access was taken away, or they left."""
    LINK = "link"
    """[role, or none; renewed: yes] The link was changed, or renewed."""
    TRANSFER = "transfer"
    """[user_id, role] Somebody became the owner in another person's place."""
    ADOPT = "adopt"
    """[user_id] Somebody became the owner of a document that had none."""
    ACCEPT_INVITATION = "accept_invitation"
    """Somebody signed in whose address had been granted a role."""
    ASK = "ask"
    """Somebody asked for access."""
    REFUSE = "refuse"
    """[user_id] Somebody's request for access was refused."""
    FORMAT = "format"
    """[name, version] Somebody's edit gave the document its format, or raised the version."""
    ANY_FORMAT = "any_format"
    """[allowed: yes or no] Sessions of other formats may write the rich text, or no longer."""
    PUT_BACK = "put back"
    """[place] An update that had been set aside was written once more."""
    DROPPED = "dropped"
    """[place] An update that had been set aside was given up."""
    COMMENT = "comment"
    """[thread, comment] Somebody began a thread."""
    REPLY = "reply"
    """[thread, comment] Somebody replied in a thread."""
    EDIT_COMMENT = "edit_comment"
    """[thread, comment] Somebody edited their comment."""
    DELETE_COMMENT = "delete_comment"
    """[thread, comment] A comment was deleted."""
    DELETE_THREAD = "delete_thread"
    """[thread] A thread was deleted with its comments."""
    MENTION = "mention"
    """[thread, comment, user_id] A comment mentioned somebody."""
    RESOLVE = "resolve"
    """[thread] A thread was resolved."""
    REOPEN = "reopen"
    """[thread] A resolved thread was opened again."""
    ASSIGN = "assign"
    """[thread, user_id or none] A thread was assigned to somebody, or to nobody any more."""
    REATTACH = "reattach"
    """[thread] A thread stands at another place, or its quote has changed."""
    REACT = "react"
    """[thread, comment, emoji; taken: back] Somebody put an emoji beside a comment, or took it
    back."""
    SUGGESTION_ACCEPTED = "suggestion_accepted"
    """[suggestion, user_id] Somebody's suggestion was accepted."""
    SUGGESTION_REJECTED = "suggestion_rejected"
    """[suggestion, user_id] Somebody's suggestion was rejected."""
    DISCUSSION_RULE = "discussion_rule"
    """[viewers: yes or no] Viewers may read the discussion, or no longer."""


ABOUT_DISCUSSION = frozenset(
    {
        Kind.COMMENT,
        Kind.REPLY,
        Kind.EDIT_COMMENT,
        Kind.DELETE_COMMENT,
        Kind.DELETE_THREAD,
        Kind.MENTION,
        Kind.RESOLVE,
        Kind.REOPEN,
        Kind.ASSIGN,
        Kind.REATTACH,
        Kind.REACT,
        Kind.SUGGESTION_ACCEPTED,
        Kind.SUGGESTION_REJECTED,
    }
)
"""Kinds of deeds that everybody does who takes part in a discussion."""


class Deed(Struct, frozen=True):
    """One thing that happened to a document.

    Attributes:
        kind: a `Kind`, or a word of a newer version of Manyhands.
        by: the user id of the person who did it, or OPERATOR.
        seq: its number among all deeds in the database.
    """

    kind: str
    document_id: DocumentId
    by: str
    at: datetime
    details: Mapping[str, str] = field(default_factory=dict)
    seq: int = 0


class Done(Struct, frozen=True):
    """A deed that has been written, and the document's state after it.

    Attributes:
        deed: the deed, or None if the change found nothing to change.
        entry: the document's entry, or None if the document is gone.
        access_version: the version of the document's access.
        discussion_version: the version of the document's discussion.
        inboxes: the people whose inboxes have changed.
    """

    deed: Deed | None
    entry: "Entry | None"
    access_version: int = 0
    discussion_version: int = 0
    inboxes: frozenset[str] = frozenset()


NEWEST = 2**63 - 1
"""A number behind that of every deed."""


class Deeds(Protocol):
    """The record of deeds. The other ports write it, each with the change that it makes."""

    async def list(self, document_id: DocumentId, limit: int = 200, before: int = NEWEST) -> Sequence[Deed]:
        """Read a document's deeds before number `before`, the last first."""

    async def after(self, seq: int, limit: int = 200) -> Sequence[Deed]:
        """Read all documents' deeds after number `seq`, in order. 0 begins with the first kept."""
