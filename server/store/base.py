"""The store port: what the rest of the server asks of durable storage, and what it is promised.

Promises of every implementation (one contract suite, tests/contracts/, runs against all of them):

1. **Durable.** When `append` has returned `Appended`, the rows survive the death of the process and
   of the machine's power.
2. **One order.** Sequence numbers of a document are 1, 2, 3 … without gaps, and a row with a higher
   number was never visible before one with a lower number.
3. **Once.** An `UpdateId` is committed at most once; appending it again answers with the seq of the
   first time. Once rows have been folded, this holds for the newest `REMEMBERED_UPDATE_IDS` of
   them.
4. **Nothing overwritten.** `append` only adds. `compact` deletes only rows that it has read, folded
   and verified, and keeps them as compressed history, at least until the next compaction.
5. **Fenced.** An append under an epoch that is not the document's is refused as `Fenced` and
   changes nothing.
6. **Bound once.** A client id is bound to the first key that an append brings for it, for ever. An
   append that brings another key for it, or none, is refused as `Taken` and changes nothing: the
   store's order decides between nodes that let in the same id at once.
7. **Judged by the present access.** An append whose writers were judged by an older version of the
   document's access, or that comes to a document in the trash, is refused as `Stale` and changes
   nothing: whoever lost access has written nothing since, whatever his node knew.

Any method may raise `Unavailable`: the outcome is unknown, nothing is half done, and repeating the
call is safe. An unknown document is `None`, `Gone` or an empty answer, never an error. Rows that
are damaged say so; other stored bytes that are damaged are an InvariantError(quarantined) of
whoever reads them. All are kept as they are.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from crdt.ids import ClientId, DocumentId, Epoch, Seq, UpdateId
from crdt.permissions import Role
from crdt.protocol.row import AuthorKeys, Contributor
from crdt.protocol.row import Row as Row
from server.store.deeds_base import OPERATOR, Deeds, Done
from server.store.set_aside_base import Marks, SetAsides
from server.store.sharing_base import Secrets, Sharing, Users

REMEMBERED_UPDATE_IDS = 1000
"""Update ids kept per document after a compaction: far more rows than others can append between a lost reply and its retry."""

ANY_ACCESS = 2**63 - 1
"""Of an append for which nobody had to be judged."""


@dataclass(frozen=True, slots=True)
class Append:
    """One row to come: a batch (crdt.protocol.batch.encode_batch), and the client ids that begin in it with the keys to bind them to.

    A key is a 16-byte hash; an empty one binds nothing, and says that the id must not be bound to
    any. `access_version`: by which everybody was judged whose changes are in the batch.
    `contributors`: these people, in order.
    """

    document_id: DocumentId
    epoch: Epoch
    update_id: UpdateId
    batch: bytes
    author_keys: AuthorKeys = ()
    access_version: int = ANY_ACCESS
    contributors: tuple[Contributor, ...] = ()


@dataclass(frozen=True, slots=True)
class Appended:
    """The batch is durable at this place of its log."""

    seq: Seq


@dataclass(frozen=True, slots=True)
class Fenced:
    """The document lives under another epoch; nothing was written."""

    epoch: Epoch


@dataclass(frozen=True, slots=True)
class Gone:
    """There is no such document (any more); nothing was written."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A client id that begins in the batch is bound to another key; nothing was written."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Who has access has changed since the writers were judged, or the document is in the trash; nothing was written."""


AppendOutcome = Appended | Fenced | Gone | Taken | Stale


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document as stored: newest verified snapshot (None: none yet), then every row after it. Read in one transaction.

    `snapshot` is one Yjs v1 update; `head` is the last row's seq (snapshot_seq when there are no
    rows).
    """

    document_id: DocumentId
    epoch: Epoch
    head: Seq
    snapshot: bytes | None
    snapshot_seq: Seq
    rows: tuple[Row, ...]
    author_keys: Mapping[ClientId, bytes]
    set_aside: Marks = field(default_factory=Marks)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a document's log ends now, what its entry in the catalogue says to an open page, and the versions of what else may change."""

    epoch: Epoch
    seq: Seq
    title: str
    trashed_at: datetime | None
    access_version: int = 0
    set_aside_version: int = 0


@dataclass(frozen=True, slots=True)
class Folded:
    """What `fold` makes of a snapshot and rows: one verified update, and its state vector (Yjs v1 bytes)."""

    snapshot: bytes
    state_vector: bytes


Fold = Callable[[bytes | None, Sequence[bytes]], Awaitable[Folded]]
"""Builds a snapshot from the last one and the batches after it and verifies it against a replay; raises rather than guess."""


@dataclass(frozen=True, slots=True)
class CompactionReport:
    """What a compaction did: rows folded, bytes of log before and of snapshot after."""

    rows: int
    log_bytes: int
    snapshot_bytes: int


class Log(Protocol):
    """The documents' contents."""

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        """Commit many documents' batches in one transaction; the outcomes are in the order of `appends`."""

    async def load(self, document_id: DocumentId) -> Loaded | None:
        """Read a document whole."""

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        """Read the rows after `after`, in order, also those that have been folded while history keeps them.

        None when some are kept no more, or damaged there: then only `load` tells what became of
        them.
        """

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        """Where each log ends, and each title and whether it is in the trash, in one query; absent documents are left out."""

    async def history(self, document_id: DocumentId) -> Sequence[Row]:
        """Read all rows that have been folded and are still kept, the oldest first."""

    async def contributors(self, keys: Collection[bytes]) -> Mapping[bytes, Contributor]:
        """Who is meant by the keys of rows' contributors; one that nobody knows is left out."""

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        """Fold the rows so far into a verified snapshot; None: nothing to fold. Safe to run twice at once."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of the catalogue. `size`: bytes of its snapshot and log; `updated_at`: last append or rename."""

    document_id: DocumentId
    title: str
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None
    size: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, last edited first, and the cursor that asks for the next ones (None: that was all)."""

    entries: tuple[Entry, ...]
    cursor: str | None


LISTED_OWNERLESS = 1000
"""Documents without an owner that are in everybody's list; older ones are found by their address, and stay with who has visited them."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose list of documents is asked for: what they own, and what they were granted or have visited by a link that has force.

    What is in the trash is in its owner's list only.

    Attributes:
        user_id: theirs.
        shared: True: only what isn't their own; False: only their own; None: both.
        with_ownerless: with None, the newest LISTED_OWNERLESS documents without an owner as well,
            in the trash or not.
    """

    user_id: str
    shared: bool | None = None
    with_ownerless: bool = False


class Catalogue(Protocol):
    """Which documents there are.

    What changes a document writes its deed: `by` is the user id of whoever does it. None: the
    document does not exist, and nothing was written.
    """

    async def create(  # noqa: PLR0913 - all that a document begins with
        self,
        document_id: DocumentId,
        title: str,
        epoch: Epoch,
        now: datetime,
        *,
        by: str = OPERATOR,
        owner: str | None = None,
        link_role: Role | None = Role.EDITOR,
    ) -> Entry:
        """Make an empty document; making it twice answers with the first. `link_role`: of whoever knows its address."""

    async def get(self, document_id: DocumentId) -> Entry | None:
        """One entry."""

    async def find(
        self, query: str, *, trashed: bool, limit: int, cursor: str | None, whose: Whose | None = None
    ) -> Page:
        """Entries whose title contains `query` (case-insensitive, no wildcards), last edited first; of somebody's list, or all.

        Raises ProtocolError(malformed) for a cursor that this method did not make.
        """

    async def rename(self, document_id: DocumentId, title: str, now: datetime, *, by: str = OPERATOR) -> Done | None:
        """Give a document another title."""

    async def set_trashed(
        self, document_id: DocumentId, trashed_at: datetime | None, *, by: str = OPERATOR
    ) -> Done | None:
        """Put a document into the trash or take it out. If it is there already, nothing changes, and there is no deed."""

    async def delete(self, document_id: DocumentId, *, by: str = OPERATOR, only_trashed: bool = False) -> Done | None:
        """Delete a document for ever: its log, snapshots, history, attachments.

        `only_trashed`: unless it is in the trash, nothing changes, and there is no deed.
        """


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a document, named by its content. `sha256`: 64 hexadecimal digits."""

    sha256: str
    media_type: str
    data: bytes


class Attachments(Protocol):
    """Files beside the documents, outside the CRDT."""

    async def put(self, document_id: DocumentId, attachment: Attachment, *, most_bytes: int | None = None) -> bool:
        """Keep a file; once is enough. False when the document does not exist.

        Raises ProtocolError(document_full), and keeps nothing, when the document's files would be
        more than `most_bytes` together, however many are put at once.
        """

    async def fetch(self, document_id: DocumentId, sha256: str) -> Attachment | None:
        """Get a file back."""


class OpenMarks(Protocol):
    """Which documents a node holds open, so that after a crash those, and only those, are opened with suspicion."""

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        """The node is about to decode this document."""

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        """The node has closed it in good order."""

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        """What the node had open when it died."""

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        """Forget what *other* nodes marked longer ago than this, for they may never come back."""


class Store(Protocol):
    """One storage backend: its ports over one database, and its lifetime; `async with store:` migrates and opens."""

    @property
    def log(self) -> Log:
        """The documents' contents."""

    @property
    def catalogue(self) -> Catalogue:
        """Which documents there are."""

    @property
    def attachments(self) -> Attachments:
        """Files beside the documents."""

    @property
    def open_marks(self) -> OpenMarks:
        """What each node holds open."""

    @property
    def set_aside(self) -> SetAsides:
        """Which updates of rows are not applied."""

    @property
    def sharing(self) -> Sharing:
        """Who has access."""

    @property
    def users(self) -> Users:
        """Who is known."""

    @property
    def secrets(self) -> Secrets:
        """What all nodes share and keep to themselves."""

    @property
    def deeds(self) -> Deeds:
        """What happened to documents."""

    async def __aenter__(self) -> "Store":
        """Open; raises Unavailable with a sentence for the operator when that cannot be."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Close when everything under way has ended."""

    async def check(self) -> None:
        """Ask for a sign of life that includes the ability to write; raises Unavailable without one."""
