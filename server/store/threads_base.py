"""Threads in the store port: what people say about a document, beside its text.

Promises, beside those of server/store/base.py:

1. **Ids are the clients'.** Beginning a thread again, or saying a comment again, changes nothing.
   What was deleted is not made again.
2. **Counted.** Every act that changes something raises the discussion's version by one, and changes
   one thread. The deed is written in the same transaction. So a reader who asks from the version
   that they know misses nothing.
3. **Judged by the present access.** An act is `Overtaken` if the access has changed since its actor
   was judged. Then it changes nothing.
4. **Told.** An act makes entries in the inboxes of those whom it concerns, in the same transaction,
   and never in the actor's own. Entries go with what they are about.
5. **Gone with the document.**

What an actor may do to whose words is decided here, because only here it is known whose they are.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.store.deeds_base import Done

MAX_THREADS = 5000
"""Threads that one document holds."""

MAX_COMMENTS = 500
"""Comments that one thread holds, the deleted ones included."""

MAX_BYTES = 32 * 2**20
"""Bytes of all bodies in one document's discussion, with `REACTION_BYTES` for each reaction."""

REACTION_BYTES = 100
"""Bytes that one reaction takes in an answer, about."""

MAX_EMOJI = 20
"""Different emoji beside one comment."""

MAX_REACTIONS = 500
"""People and emoji beside one comment."""

OWN_PART = 8
"""One part in so many of a document's discussion is for one person who may not edit.

This counts once the discussion is half full. So nobody by themselves keeps others from commenting.
"""

KEPT_GONE = 1000
"""Deleted threads of a document that are remembered, the last ones."""

PAGE = 250
"""Threads that are read at once. With 750 comments they hold the event loop for 2 ms."""

KEEP = object()
"""Stands for an assignee that stays."""


class Said(Struct, frozen=True):
    """What a comment says: its body in JSON, and the ids of the people whom it mentions."""

    body: str
    mentions: tuple[str, ...] = ()


class Quote(Struct, frozen=True):
    """The words that a thread is about, and some words around them."""

    words: str = ""
    before: str = ""
    after: str = ""


class Begin(Struct, frozen=True):
    """Begin a thread. `suggestion_id` is empty for a thread that is about words."""

    thread_id: str
    comment_id: str
    said: Said
    quote: Quote = Quote()
    suggestion_id: str = ""
    assignee: str | None = None


class Say(Struct, frozen=True):
    """Reply in a thread, or say something else in an own comment."""

    thread_id: str
    comment_id: str
    said: Said


class Change(Struct, frozen=True):
    """Change a thread. What is None stays; an assignee that is `KEEP` stays."""

    thread_id: str
    state: Literal["open", "resolved"] | None = None
    assignee: object = KEEP
    quote: Quote | None = None


class Delete(Struct, frozen=True):
    """Delete a comment, or, without a comment, a whole thread."""

    thread_id: str
    comment_id: str | None = None


class React(Struct, frozen=True):
    """Put an emoji beside a comment, or take it back."""

    thread_id: str
    comment_id: str
    emoji: str
    on: bool = True


class Settle(Struct, frozen=True):
    """Tell a suggestion's author what became of it, and resolve one thread that is about it.

    Once nothing is left to do, this changes nothing.
    """

    suggestion_id: str
    author: str
    accepted: bool


class Rule(Struct, frozen=True):
    """Say whether viewers may read the discussion."""

    viewers: bool


Act = Begin | Say | Change | Delete | React | Settle | Rule


class Actor(Struct, frozen=True):
    """A person or program who acts, judged by a version of the document's access."""

    who: Contributor
    role: Role
    access_version: int


class StoredReaction(Struct, frozen=True):
    """Somebody's emoji beside a comment."""

    emoji: str
    by: Contributor


class StoredComment(Struct, frozen=True):
    """A comment. `body` is JSON, and empty if the comment was deleted."""

    comment_id: str
    by: Contributor
    at: datetime
    edited_at: datetime | None
    deleted: bool
    body: str
    reactions: Sequence[StoredReaction]


class StoredThread(Struct, frozen=True):
    """A thread with its comments, the first one first."""

    thread_id: str
    suggestion_id: str
    quote: Quote
    state: Literal["open", "resolved"]
    by: Contributor
    at: datetime
    changed_by: Contributor | None
    changed_at: datetime | None
    assignee: User | None
    comments: Sequence[StoredComment]
    version: int


class Discussion(Struct, frozen=True):
    """Threads that changed since a version.

    Attributes:
        version: what to read from the next time. It is negative while an answer that begins anew
            goes on: between its pages deleted threads may be forgotten.
        gone: threads that were deleted since.
        whole: the answer begins at the beginning.
        more: later changes are left out.
        viewers: whether viewers may read this.
    """

    version: int
    threads: Sequence[StoredThread]
    gone: Sequence[str]
    whole: bool
    more: bool
    viewers: bool


class Acted(Struct, frozen=True):
    """What an act has done, and the thread afterwards; None if the act leaves no thread."""

    done: Done
    thread: StoredThread | None


class Overtaken(Struct, frozen=True):
    """The access has changed since the actor was judged. Nothing was written."""


class Threads(Protocol):
    """The discussions of documents."""

    async def read(
        self, document_id: DocumentId, since: int, most: int = PAGE, most_bytes: int = 2 * 2**20
    ) -> Discussion | None:
        """Read at most so many threads that changed after a version, in order.

        None if there is no such document.
        """

    async def act(self, document_id: DocumentId, actor: Actor, act: Act) -> Acted | Overtaken | None:
        """Carry an act out. None if there is no such document.

        Raises ProtocolError, and changes nothing: not_found, deleted, forbidden, conflict,
        document_full.
        """

    async def open_to_viewers(self, document_id: DocumentId) -> bool:
        """Whether viewers may read a document's discussion."""

    async def authors(self, document_id: DocumentId) -> Collection[str]:
        """Return the user ids of everybody who has said something in a discussion."""
