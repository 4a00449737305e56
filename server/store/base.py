"""Store port: the server's questions to durable storage, and the promises that it may rely on.

One contract suite, tests/contracts/, checks these promises on every database:

1. **Durable.** When `append` has returned `Appended`, the rows survive the death of the process and
   a power cut.
2. **One order.** Sequence numbers of a document are 1, 2, 3 … without gaps. A row is never visible
   before a row with a lower number.
3. **Once.** An `UpdateId` is committed at most once. Appending it again answers with the seq of the
   first time. For rows that are folded, this holds for the newest `REMEMBERED_UPDATE_IDS` ids.
4. **Nothing overwritten.** `append` only adds. `compact` deletes only rows that it has read, folded
   and verified. It keeps them as compressed history, at least until the next compaction.
5. **Fenced.** An append under an epoch that is not the document's is refused as `Fenced`, and
   changes nothing.
6. **Bound once.** A client id is bound for ever to the first key that an append brings for it. An
   append that brings another key for it, or none, is refused as `Taken`, and changes nothing. So
   the store's order decides between nodes that let in the same id at once.
7. **Judged by the present access.** An append is refused as `Stale` if its writers were judged by
   an older version of the document's access, or if the document is in the trash. Then it changes
   nothing. So people who lost access write nothing afterwards, whatever their node knew.
8. **Moved words are known.** A row that moves words follows at once on the last row that its node
   knew, and later rows come from nodes that know that row. Other appends are refused as `Behind`.

Any method may raise `Unavailable`. Then the outcome is unknown, nothing is half done, and repeating
the call is safe. An unknown document is `None`, `Gone` or an empty answer, never an error. A
damaged row is returned and marked as damaged. Reading other damaged bytes raises
InvariantError(quarantined). Damaged bytes are kept as they are.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from crdt.content.excerpt import Excerpt
from crdt.ids import DocumentId, Epoch, Seq, UpdateId
from crdt.permissions import Role
from crdt.protocol.messages import Format
from crdt.protocol.row import AuthorKeys, Contributor, Stored
from crdt.protocol.row import Row as Row
from server.store.access_requests_base import AccessRequests
from server.store.answers_base import Answers
from server.store.deeds_base import OPERATOR, Deeds, Done
from server.store.inbox_base import Inboxes
from server.store.service_tokens_base import ServiceTokens
from server.store.set_aside_base import SetAsides
from server.store.sharing_base import Secrets, Sharing, Users
from server.store.shelf_base import Shelf
from server.store.threads_base import Threads

REMEMBERED_UPDATE_IDS = 1000
"""Update ids that are kept per document after a compaction.

Others append far fewer rows between a lost reply and its retry.
"""

ANY_ACCESS = 2**63 - 1
"""Access version of an append for which nobody had to be judged."""


class Append(Struct, frozen=True):
    """A row to append.

    Attributes:
        batch: the updates (crdt.protocol.batch.encode_batch).
        author_keys: the client ids that begin in the batch, each with the key to bind it to. A key
            is a hash of 16 bytes. An empty key binds nothing, and demands that the id is not bound.
        access_version: the version by which everybody was judged whose changes are in the batch.
        contributors: these people, in order.
        known: the last row that the batch was made with. None demands nothing.
        moves: the batch may move words, so it must be the very next row after `known`. Any other
            batch must know the last row that moved words.
        heirs: which characters live on where since this row (crdt/protocol/links.py).
    """

    document_id: DocumentId
    epoch: Epoch
    update_id: UpdateId
    batch: bytes
    author_keys: AuthorKeys = ()
    access_version: int = ANY_ACCESS
    contributors: tuple[Contributor, ...] = ()
    known: Seq | None = None
    moves: bool = False
    heirs: bytes = b""


class Appended(Struct, frozen=True):
    """The batch is durable in this row of its log."""

    seq: Seq


class Fenced(Struct, frozen=True):
    """The document has another epoch. Nothing was written."""

    epoch: Epoch


class Gone(Struct, frozen=True):
    """There is no such document (any more). Nothing was written."""


class Taken(Struct, frozen=True):
    """A client id that begins in the batch is bound to another key. Nothing was written."""


class Stale(Struct, frozen=True):
    """The access has changed since the writers were judged, or the document is in the trash.

    Nothing was written.
    """


class Behind(Struct, frozen=True):
    """The batch was made without rows that it must know (see `Append.moves`). Nothing was written.

    `head`: the log's last row.
    """

    head: Seq


AppendOutcome = Appended | Fenced | Gone | Taken | Stale | Behind


class Loaded(Stored, frozen=True, kw_only=True):
    """A document as it is stored, read in one transaction.

    Attributes:
        head: the last row's seq, or `snapshot_seq` if there are no rows.
    """

    document_id: DocumentId
    head: Seq


class Head(Struct, frozen=True):
    """The present end of a document's log, and what else an open page must know to be up to date.

    The versions rise when the document's access, its updates that are set aside, or its discussion
    change.
    """

    epoch: Epoch
    seq: Seq
    title: str
    trashed_at: datetime | None
    access_version: int = 0
    set_aside_version: int = 0
    format: Format | None = None
    any_format: bool = False
    discussion_version: int = 0


class Past(Struct, frozen=True):
    """What the rescue needs for a fold: its memory at row `seq`, and each later row's heirs."""

    seq: int = 0
    memory: bytes = b""
    heirs: Sequence[bytes] = ()


class Folded(Struct, frozen=True):
    """The result of a `Fold`: one verified update, and its state vector (both Yjs v1 bytes).

    Attributes:
        memory: what the rescue remembers of the folded rows (crdt/rescue/memory.py).
        forgot: why there is no memory; empty if nothing went wrong.
    """

    snapshot: bytes
    state_vector: bytes
    memory: bytes = b""
    forgot: str = ""


Fold = Callable[[bytes | None, Sequence[bytes], Past], Awaitable[Folded]]
"""Builds a snapshot from the last one and the batches after it, and verifies it by a replay.

It raises an error rather than guess.
"""


class CompactionReport(Struct, frozen=True):
    """Result of a compaction: the rows folded, the bytes of their log, and of the snapshot."""

    rows: int
    log_bytes: int
    snapshot_bytes: int


class Log(Protocol):
    """The documents' contents."""

    async def append(self, appends: Sequence[Append]) -> Sequence[AppendOutcome]:
        """Commit many documents' batches in one transaction.

        The outcomes are in the order of `appends`.
        """

    async def load(self, document_id: DocumentId) -> Loaded | None:
        """Read a whole document."""

    async def read(self, document_id: DocumentId, after: Seq) -> Sequence[Row] | None:
        """Read the rows after `after`, in order. Folded rows are read from the history.

        Return None if some of them are not in the history any more, or are damaged there. Then only
        `load` can read the document.
        """

    async def heads(self, document_ids: Sequence[DocumentId]) -> Mapping[DocumentId, Head]:
        """Read the heads of many documents in one query. Absent documents are left out."""

    async def history(self, document_id: DocumentId) -> Sequence[Row]:
        """Read all folded rows that are still kept, the oldest first."""

    async def contributors(self, keys: Collection[bytes]) -> Mapping[bytes, Contributor]:
        """Look up contributors by the keys that rows hold. Unknown keys are left out."""

    async def compact(self, document_id: DocumentId, fold: Fold) -> CompactionReport | None:
        """Fold the rows so far into a verified snapshot. Return None if there is nothing to fold.

        It is safe to run twice at once.
        """


UNTITLED = "Untitled document"
"""The title of a document that nobody has given one, as long as the document is empty."""


class Editor(Struct, frozen=True):
    """The person who wrote the last row of a document, by the name that they had then."""

    user_id: str
    name: str


class Entry(Struct, frozen=True):
    """One document in the catalogue.

    `title` is the first line of the text if nobody has given a title. `preview` is the line behind
    the one that is the title, or else the first one. Both lines are those of row `excerpt_seq`.
    `size` is the bytes of its snapshot and log. `updated_at` is the time of the last append or
    rename. `format` and `any_format` are as in DocumentInfo. `edited_by` is None if the last change
    was a rename, or nobody is known to have made it.
    """

    document_id: DocumentId
    title: str
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None
    size: int
    format: Format | None = None
    any_format: bool = False
    preview: str = ""
    excerpt_seq: int = 0
    edited_by: Editor | None = None


class Order(StrEnum):
    """The order of a list of documents."""

    EDITED = "edited"
    """Last edited first."""
    TITLE = "title"
    """By the title that is shown, without regard to case."""
    CREATED = "created"
    """Last made first."""
    OPENED = "opened"
    """Last opened by this person first, and what they have not opened at the end."""


class Choice(Struct, frozen=True):
    """The choice of documents for a list, beside the person whose list it is.

    Attributes:
        query: a part of the title or of the first two lines. Case does not matter, and there are no
            wildcards.
        trashed: whether to choose from the trash, or from what is not there.
        reader: the user id of the person whose stars and openings count.
        starred: whether to choose only what has the reader's star.
        label: a label that the documents must have, exactly; "" for any.
    """

    query: str = ""
    trashed: bool = False
    order: Order = Order.EDITED
    reader: str = ""
    starred: bool = False
    label: str = ""


class Page(Struct, frozen=True):
    """Some entries, in the order that was chosen.

    `cursor` asks for the next page, and is None on the last.
    """

    entries: tuple[Entry, ...]
    cursor: str | None


LISTED_OWNERLESS = 1000
"""Documents without an owner that are in everybody's list, the newest ones.

Older ones are found by their address, and stay in the lists of people who have visited them.
"""


class Whose(Struct, frozen=True):
    """The person whose list of documents is asked for.

    A list holds the documents that the person owns, was granted, or has visited by a link that has
    force. Documents in the trash are in their owner's list only.

    Attributes:
        user_id: the person's id.
        shared: True lists others' documents only, False the person's own only, None both.
        with_ownerless: if `shared` is None, also list the newest LISTED_OWNERLESS documents without
            an owner, in the trash or not.
    """

    user_id: str
    shared: bool | None = None
    with_ownerless: bool = False


def new_document_id() -> DocumentId:
    """Return a random id of 128 bits, which nobody can guess."""
    return DocumentId(secrets.token_urlsafe(16))


def new_epoch() -> Epoch:
    """Return a random epoch, which no other life of a document has."""
    return Epoch(1 + secrets.randbelow(2**53 - 1))


class Catalogue(Protocol):
    """The catalogue of all documents.

    A method that changes a document writes the deed too. `by` is the user id of the person who does
    it. The methods return None, and write nothing, if the document does not exist.
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
        """Make an empty document. If it exists already, return its entry.

        `link_role` is the role of everybody who knows the document's address.
        """

    async def named(self, name: str) -> DocumentId | None:
        """Return the document that was made under a name, also after its deletion."""

    async def create_named(  # noqa: PLR0913 - all that a document begins with
        self,
        name: str,
        document_id: DocumentId,
        title: str,
        epoch: Epoch,
        now: datetime,
        *,
        by: str = OPERATOR,
        owner: str | None = None,
        link_role: Role | None = Role.EDITOR,
    ) -> DocumentId:
        """Make an empty document under a name, and return its id.

        If the name has a document already, or had one, nothing is made, and its id is returned.
        Names have no NUL character.
        """

    async def get(self, document_id: DocumentId) -> Entry | None:
        """Read one entry."""

    async def find(self, choice: Choice, *, limit: int, cursor: str | None, whose: Whose | None = None) -> Page:
        """Find the chosen entries. `whose` restricts the search to a person's list.

        Raises ProtocolError(malformed) for a cursor that this method did not make for this order.
        """

    async def rename(self, document_id: DocumentId, title: str, now: datetime, *, by: str = OPERATOR) -> Done | None:
        """Give a document another title. With `UNTITLED` it is called by its first line again."""

    async def note_excerpt(self, document_id: DocumentId, epoch: Epoch, seq: Seq, excerpt: Excerpt) -> Entry | None:
        """Note the first two lines that the text has at row `seq`, which is no edit and no deed.

        Return None, and write nothing, if the lines of that row or a later one are known, or the
        document has another epoch.
        """

    async def set_trashed(
        self, document_id: DocumentId, trashed_at: datetime | None, *, by: str = OPERATOR
    ) -> Done | None:
        """Put a document into the trash, or take it out.

        If it is there already, nothing changes, and there is no deed.
        """

    async def declare_format(
        self, document_id: DocumentId, declared: Format, access_version: int = ANY_ACCESS, *, by: str = OPERATOR
    ) -> Done | None:
        """Set the format of a document that has none, or raise the version of the same format.

        Nothing changes, and there is no deed, if the document has another format or a version as
        high. Nor does anything change if `by` was judged by an older `access_version`, or the
        document is in the trash. A change raises the version of the document's access: so no node
        appends what was let in before it.
        """

    async def allow_any_format(self, document_id: DocumentId, *, allowed: bool, by: str = OPERATOR) -> Done | None:
        """Let sessions of other formats write the rich text, or let them no longer.

        If that is so already, nothing changes, and there is no deed. A change raises the version of
        the document's access.
        """

    async def delete(self, document_id: DocumentId, *, by: str = OPERATOR, only_trashed: bool = False) -> Done | None:
        """Delete a document for ever: its log, snapshots, history, attachments.

        With `only_trashed`, a document that is not in the trash stays, and there is no deed.
        """


class Attachment(Struct, frozen=True):
    """A file that belongs to a document, named by its content. `sha256`: 64 hexadecimal digits."""

    sha256: str
    media_type: str
    data: bytes


class Attachments(Protocol):
    """Files beside the documents, outside the CRDT."""

    async def put(self, document_id: DocumentId, attachment: Attachment, *, most_bytes: int | None = None) -> bool:
        """Store a file, or do nothing if it is there. Return False if there is no such document.

        Raises ProtocolError(document_full), and stores nothing, if the document's files would be
        more than `most_bytes` together, even if several are stored at once.
        """

    async def copy(
        self, document_id: DocumentId, source_id: DocumentId, sha256: str, *, most_bytes: int | None = None
    ) -> bool:
        """Store another document's file here as well, or do nothing if it is here already.

        Each document keeps its own copy, so neither loses the file with the other one. Return False
        if there is no such document, or no such file there. Raises ProtocolError as `put` does.
        """

    async def fetch(self, document_id: DocumentId, sha256: str) -> Attachment | None:
        """Read a file, or return None if there is none. Raises InvariantError if it is damaged."""


class OpenMarks(Protocol):
    """Marks of the documents that a node holds open.

    After a crash the node opens these documents, and only these, with suspicion.
    """

    async def mark(self, document_id: DocumentId, node_id: str) -> None:
        """Note that the node is about to decode this document."""

    async def unmark(self, document_id: DocumentId, node_id: str) -> None:
        """Note that the node has closed the document in good order."""

    async def marked(self, node_id: str) -> frozenset[DocumentId]:
        """Return the documents that the node had open when it died."""

    async def forget_others(self, node_id: str, age: timedelta) -> None:
        """Delete *other* nodes' marks older than `age`, because these nodes may never come back."""


class Store(Protocol):
    """All ports over one database. `async with store:` migrates and opens the database."""

    @property
    def log(self) -> Log:
        """The documents' contents."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of all documents."""

    @property
    def attachments(self) -> Attachments:
        """Files beside the documents."""

    @property
    def open_marks(self) -> OpenMarks:
        """The documents that each node holds open."""

    @property
    def set_aside(self) -> SetAsides:
        """The updates of rows that are not applied."""

    @property
    def access_requests(self) -> AccessRequests:
        """People who ask for access."""

    @property
    def shelf(self) -> Shelf:
        """Stars, openings and labels."""

    @property
    def threads(self) -> Threads:
        """The discussions of documents."""

    @property
    def inboxes(self) -> Inboxes:
        """What concerns people."""

    @property
    def sharing(self) -> Sharing:
        """Grants, links and visits."""

    @property
    def users(self) -> Users:
        """People who are known."""

    @property
    def secrets(self) -> Secrets:
        """Secrets that all nodes share."""

    @property
    def answers(self) -> Answers:
        """Answers to requests that may be repeated."""

    @property
    def service_tokens(self) -> ServiceTokens:
        """Programs that may come in by themselves."""

    @property
    def deeds(self) -> Deeds:
        """The record of what happened to documents."""

    async def __aenter__(self) -> "Store":
        """Open. Raises Unavailable, with a sentence for the operator, if that is not possible."""

    async def __aexit__(self, *exc_info: object) -> None:
        """Close after everything under way has ended."""

    async def check(self) -> None:
        """Check that the store answers and can write. Raises Unavailable otherwise."""
