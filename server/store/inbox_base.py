"""Inbox in the store port: what concerns a person, from all documents.

Entries are written with what they are about (threads_base.py, sharing_base.py), in the same
transaction. They are deleted with it, and with their document. The last ENTRIES_KEPT of each person
are kept, and among them ENTRIES_OF_ONE by one and the same author.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from crdt.ids import DocumentId
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor

ENTRIES_KEPT = 1000
"""Entries that are kept per person, the last ones."""

ENTRIES_OF_ONE = 250
"""Entries by one and the same person that are kept among them, the last ones.

So nobody by themselves drives what others have said out of an inbox.
"""


class Reason(StrEnum):
    """The reason for which something concerns a person."""

    MENTION = "mention"
    REPLY = "reply"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    SUGGESTION_ACCEPTED = "suggestion_accepted"
    SUGGESTION_REJECTED = "suggestion_rejected"
    SHARED = "shared"


class InboxEntry(Struct, frozen=True):
    """One thing that concerns a person.

    Attributes:
        thread_id: empty if it is about no thread. So are `comment_id` and `suggestion_id`.
        body: the comment's body in JSON; empty if it is about no comment.
        open_to_viewers: whether viewers of the document may read its discussion.
    """

    entry_id: int
    reason: Reason
    by: Contributor
    at: datetime
    read: bool
    document_id: DocumentId
    title: str
    thread_id: str
    comment_id: str
    suggestion_id: str
    body: str
    open_to_viewers: bool


class Place(Struct, frozen=True):
    """A place in a person's inbox: behind this entry, which was read or not."""

    read: bool = False
    entry_id: int = 2**62


class Count(Struct, frozen=True):
    """A person's unread entries in one document: those of its discussion, and others."""

    discussion: int
    others: int
    open_to_viewers: bool


class Due(Struct, frozen=True):
    """What a person has not read for a while, and gets by mail: the newest entry first."""

    user: User
    email: str
    entries: Sequence[InboxEntry]
    language: str = ""
    """The language that the person reads, e.g. `de`; empty while nobody has said."""


class Inboxes(Protocol):
    """People's inboxes."""

    async def page(self, user_id: str, limit: int, behind: Place) -> Sequence[InboxEntry]:
        """Read entries behind a place: the unread ones first, each kind with the newest first."""

    async def unread(self, user_id: str) -> Mapping[DocumentId, Count]:
        """Count a person's unread entries, by document."""

    async def mark_read(self, user_id: str, entry_ids: Sequence[int]) -> bool:
        """Mark a person's entries as read. Return whether something has changed."""

    async def mark_until(self, user_id: str, entry_id: int) -> bool:
        """Mark a person's entries up to this one as read. Return whether something has changed."""

    async def mark_thread(self, user_id: str, document_id: DocumentId, thread_id: str) -> bool:
        """Mark a person's entries about a thread as read. Return whether something has changed."""

    async def claim_mail(self, waited: timedelta, at_most: timedelta, people: int) -> Sequence[Due]:
        """Claim what some people have not read for this long, and all that came to them since.

        Whatever is claimed is claimed once, on any node, and is never claimed again. Entries older
        than `at_most` are left out. So are people without an address, and those who want no mail.
        """

    async def release_mail(self, entry_ids: Sequence[int]) -> None:
        """Give claimed entries back, because the mail could not be sent."""

    async def set_mail(self, user_id: str, *, wanted: bool) -> None:
        """Note whether a person wants mail."""

    async def set_language(self, user_id: str, language: str) -> None:
        """Note the language in which a person reads, for mail."""

    async def language(self, user_id: str) -> str | None:
        """Return the language in which a person reads; empty if unknown, None without address."""

    async def wants_mail(self, user_id: str) -> bool | None:
        """Whether a person wants mail, which everybody does by default; None without an address."""
