"""Documents in the REST API: make, list, rename, star, label, trash, restore, delete."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from msgspec import UNSET, Meta, Struct, UnsetType, field

from crdt.content.edits import Sent, Source
from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.permissions import Action, Role, may
from crdt.protocol.messages import BROADCAST_BYTES, Format, User, clean_text
from server.http.once import ABOUT, Once, Receipt
from server.http.operation import Asked, operation
from server.observe import log
from server.people.access import Access, NotPossible, Ruling, no_such_document
from server.store.base import UNTITLED, Choice, Entry, Order, Store, new_document_id, new_epoch
from server.store.deeds_base import Done
from server.store.shelf_base import Placed

MAX_TITLE = 300
"""Most characters of a title."""

MAX_LABEL = 40
"""Most characters of a label."""

MAX_LABELS = 20
"""Most labels of a document."""

MAX_PAGE = 200
DEFAULT_PAGE = 100

Time = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""A moment in ISO 8601, in UTC."""

MAX_CONTENT_BYTES = 2**20
"""Most bytes of a content in JSON, which is parsed on the event loop: some 15 ms."""

ID_CHARACTERS = 22
"""Length of a new document's id: 132 bits in URL-safe base64."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}\Z")

_AskedTitle = Annotated[str, Meta(description=f"a string of at most {MAX_TITLE} characters, once it is trimmed")]
_Flag = Literal["true", "false"]


class NewDocument(Struct, forbid_unknown_fields=True):
    """The document to make."""

    title: _AskedTitle = ""
    content: Annotated[
        str | list[dict[str, Any]] | dict[str, Any] | UnsetType,
        Meta(description="what the document says: a text in the form that `as` names; for json blocks, or a `doc`"),
    ] = UNSET
    form: Annotated[Sent, Meta(description="markdown, html or json")] = field(name="as", default="markdown")
    secret: Annotated[
        str | UnsetType,
        Meta(
            description="a random text of 22 to 64 URL-safe characters, from which the id is derived; "
            "the same secret makes the same document, once",
            extra_json_schema={"pattern": "^[A-Za-z0-9_-]{22,64}$"},
        ),
    ] = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.secret, str) and _SECRET.match(self.secret) is None:
            raise ValueError("`secret` must be a text of 22 to 64 URL-safe characters.")


class Title(Struct, forbid_unknown_fields=True):
    """The new title. If it is empty, the document is called by its first line again."""

    title: _AskedTitle


class Star(Struct, forbid_unknown_fields=True):
    """A star, which is this person's own: nobody else sees it."""

    starred: Annotated[bool, Meta(description="true or false: whether the document has this person's star")]


class LabelsChange(Struct, forbid_unknown_fields=True):
    """The document's labels. Everybody who may read the document sees them."""

    labels: Annotated[
        list[str],
        Meta(description=f"a list of at most {MAX_LABELS} labels, each of at most {MAX_LABEL} characters"),
    ]


class Broadcast(Struct, forbid_unknown_fields=True):
    """A text for the pages and programs that have a document open. Nobody keeps it."""

    payload: Annotated[
        str,
        Meta(
            description=f"a text of at most {BROADCAST_BYTES} bytes in UTF-8",
            extra_json_schema={"maxLength": BROADCAST_BYTES},
        ),
    ]


class FormatChange(Struct, forbid_unknown_fields=True):
    """A change of who may write the rich text of a document that has a format."""

    any_format: Annotated[bool, Meta(description="true or false: whether programs of other formats may write too")]


class Listing(Struct, forbid_unknown_fields=True):
    """The choice of the documents to list."""

    query: Annotated[str, Meta(description="a part of a title or of the first two lines, in any case")] = ""
    trashed: Annotated[_Flag, Meta(description="true or false: whether to list the trash")] = "false"
    shared: Annotated[
        _Flag | None,
        Meta(
            description="true, for others' documents that this person was granted or has visited by a link that still opens, "
            "or false, for their own; absent: both"
        ),
    ] = None
    starred: Annotated[_Flag, Meta(description="true or false: whether to list only what has this person's star")] = (
        "false"
    )
    label: Annotated[str, Meta(description="a label that the documents must have")] = ""
    sort: Annotated[
        Literal["edited", "title", "created", "opened"],
        Meta(description="edited, title, created or opened: newest first, or by title"),
    ] = "edited"
    limit: Annotated[
        int, Meta(ge=1, le=MAX_PAGE, description=f"a whole number from 1 to {MAX_PAGE}: how many at once")
    ] = DEFAULT_PAGE
    cursor: Annotated[str, Meta(description="the cursor of the page before, for the next page")] = ""


class Editor(Struct):
    """The person whose edit was the last one, by the name that they had then."""

    id: str
    name: str


class Document(Struct):
    """A document's entry, as one person sees it.

    `title` is the first line of the text while nobody has given a title. `preview` is the line
    after the one that is the title, or the first line; it is empty if there is none.
    `trashed_at` is null unless the document is in the trash. `size` is the bytes of the log and the
    snapshot. `role` is the role of the person who asks. `format` is the format of the rich text. It
    is null until a writer has declared one. With `any_format`, programs of other formats may write.
    `edited_by` is null if the last change was a new title, or nobody is known to have made it.
    `starred` and `opened_at` are this person's own. `labels` are the document's. `requests` is how
    many people ask for access, as far as the person who asks may share the document.
    """

    id: DocumentId
    title: str
    created_at: Time
    updated_at: Time
    trashed_at: Time | None
    size: int
    role: Role
    owner: User | None
    format: Format | None
    any_format: bool
    preview: str
    edited_by: Editor | None
    starred: bool
    opened_at: Time | None
    labels: list[str]
    requests: int


class Labels(Struct):
    """The labels in a person's list, in alphabetical order."""

    labels: list[str]


class Documents(Struct):
    """A page of the list. `cursor` is null on the last page."""

    documents: list[Document]
    cursor: str | None


class Beginning(Protocol):
    """Port to what writes a new document's content (server/http/edits.py)."""

    async def check(self, asked: Asked, source: Source) -> None:
        """Read a content for nothing but the refusals that this may raise."""

    async def begin(self, asked: Asked, document_id: DocumentId, source: Source) -> None:
        """Write the content of a document, if nobody has written there yet."""


class OpenDocuments(Protocol):
    """The documents that are open now, as the catalogue needs to know them."""

    def tell(self, done: Done) -> None:
        """Tell the open pages of a document what was done to it."""

    def broadcast(self, document_id: DocumentId, payload: bytes, user: User) -> None:
        """Tell everybody who has a document open what a program says. Raises ProtocolError."""

    async def until_closed(self, document_id: DocumentId) -> None:
        """Wait until the document is not open on this node."""


class DocumentsApi:
    """The catalogue over HTTP.

    `clock` returns the time in UTC. `link_role` is the role that a new document's address gives to
    everybody. `most_owned` is how many documents one person may own. Documents that are made at the
    same moment may exceed it by a few. `beginning` writes what new documents say.
    """

    def __init__(  # noqa: PLR0913 - all that the catalogue asks
        self,
        store: Store,
        access: Access,
        open_documents: OpenDocuments,
        clock: Callable[[], datetime],
        link_role: Role | None = Role.EDITOR,
        *,
        most_owned: int = 10_000,
        beginning: Beginning | None = None,
    ) -> None:
        self._catalogue = store.catalogue
        self._shelf = store.shelf
        self._access = access
        self._open = open_documents
        self._clock = clock
        self._link_role = link_role
        self._most_owned = most_owned
        self._beginning = beginning
        self._once = Once(store.answers, clock)

    @operation(
        "POST /api/documents", answers={201: Document}, errors={409, 422}, most_bytes=MAX_CONTENT_BYTES, headers=ABOUT
    )
    async def create_document(self, asked: Asked, body: NewDocument) -> Document:
        """Make a document: an empty one, or one with `content`.

        A page without a connection makes a document under a secret of its own, and this request
        later, as often as it must. The id is the first 22 characters of the secret's SHA-256 in
        URL-safe base64. So nobody can choose the id of somebody else's document.
        """
        made = await self._once.run(asked, Document, body, lambda receipt: self._create(asked, body, receipt))
        asked.headers["Location"] = f"/api/documents/{made.id}"
        return made

    async def _create(self, asked: Asked, body: NewDocument, receipt: Receipt) -> Document:
        title, identity = clean_title(body.title), asked.identity
        # A repetition makes the same document, if the request before was left half done.
        secret = body.secret if isinstance(body.secret, str) else receipt.secret
        document_id = new_document_id() if secret is None else id_from(secret)
        source = None if body.content is UNSET else Source(body.form, body.content)
        if source is not None and self._beginning is not None:
            # A content that is refused shall leave no empty document.
            await self._beginning.check(asked, source)
        owner = await self._access.may_make(identity, self._most_owned)
        entry = await self._catalogue.create(
            document_id,
            title,
            new_epoch(),
            self._clock(),
            by=identity.user.user_id,
            owner=owner,
            link_role=self._link_role,
        )
        if source is not None and self._beginning is not None:
            await self._beginning.begin(asked, document_id, source)
        if secret is not None:
            # The document may have been made before, and have become somebody else's.
            ruling = await self._access.ruling(identity, document_id, None)
            return shown(entry, ruling, Placed())
        return shown(entry, Ruling(Role.OWNER, 0, identity.user if owner else None), Placed())

    @operation("GET /api/documents")
    async def list_documents(self, asked: Asked, query: Listing) -> Documents:
        """List documents, last edited first unless `sort` says otherwise."""
        identity, reader = asked.identity, asked.identity.user.user_id
        page = await self._catalogue.find(
            Choice(
                clean_text(query.query[:1000]),
                query.trashed == "true",
                Order(query.sort),
                reader,
                query.starred == "true",
                clean_text(query.label[:1000]),
            ),
            limit=query.limit,
            cursor=query.cursor or None,
            whose=self._access.list_of(identity, shared=None if query.shared is None else query.shared == "true"),
        )
        document_ids = [entry.document_id for entry in page.entries]
        rulings = await self._access.rulings(identity, document_ids)
        placed = await self._placed(reader, rulings)
        entries = [(entry, entry.document_id) for entry in page.entries if entry.document_id in rulings]
        return Documents([shown(entry, rulings[of_id], placed[of_id]) for entry, of_id in entries], page.cursor)

    @operation("GET /api/labels")
    async def list_labels(self, asked: Asked) -> Labels:
        """List the labels of the documents in this person's list."""
        return Labels(list(await self._shelf.labels(self._access.list_of(asked.identity, shared=None))))

    @operation("GET /api/documents/{document_id}", needs=Action.READ)
    async def get_document(self, asked: Asked) -> Document:
        """Get a document's entry."""
        return await self._shown(asked, await self._entry(asked))

    @operation("PUT /api/documents/{document_id}/star", needs=Action.READ, errors={409})
    async def star_document(self, asked: Asked, body: Star) -> Document:
        """Give a document one's star, or take the star away.

        Stars of people who keep no cookie are refused (409).
        """
        if not asked.identity.lasting:
            raise NotPossible("Stars are kept for people whom the server knows again. Let it set its cookie first.")
        await self._shelf.star(asked.document_id, asked.identity.user.user_id, starred=body.starred)
        return await self._shown(asked, await self._entry(asked))

    @operation("POST /api/documents/{document_id}/opened", needs=Action.READ)
    async def note_opened(self, asked: Asked) -> None:
        """Note that this person has opened the document, for lists in the order of `opened`."""
        if asked.identity.lasting:
            await self._shelf.note_opened(asked.document_id, asked.identity.user.user_id)

    @operation("PUT /api/documents/{document_id}/labels", needs=Action.RENAME)
    async def label_document(self, asked: Asked, body: LabelsChange) -> Document:
        """Replace a document's labels. Everybody who may read the document sees them."""
        by, wanted = asked.identity.user.user_id, clean_labels(body.labels)
        return await self._changed(asked, await self._shelf.set_labels(asked.document_id, wanted, by=by))

    @operation("PATCH /api/documents/{document_id}", needs=Action.RENAME)
    async def rename_document(self, asked: Asked, body: Title) -> Document:
        """Give a document another title. Open pages are told (`document` event)."""
        title = clean_title(body.title)
        by = asked.identity.user.user_id
        return await self._changed(asked, await self._catalogue.rename(asked.document_id, title, self._clock(), by=by))

    @operation("POST /api/documents/{document_id}/trash", needs=Action.TRASH)
    async def trash_document(self, asked: Asked) -> Document:
        """Put a document into the trash. There it can be read, but not written."""
        by = asked.identity.user.user_id
        return await self._changed(asked, await self._catalogue.set_trashed(asked.document_id, self._clock(), by=by))

    @operation("POST /api/documents/{document_id}/restore", needs=Action.TRASH)
    async def restore_document(self, asked: Asked) -> Document:
        """Take a document out of the trash."""
        by = asked.identity.user.user_id
        return await self._changed(asked, await self._catalogue.set_trashed(asked.document_id, None, by=by))

    @operation("POST /api/documents/{document_id}/broadcast", needs=Action.BROADCAST, most_bytes=MAX_CONTENT_BYTES)
    async def broadcast(self, asked: Asked, body: Broadcast) -> None:
        """Tell everybody who has the document open something (`broadcast` event).

        Nobody keeps it. Pages that are not connected at this moment do not hear it.
        """
        try:
            payload = body.payload.encode()
        except UnicodeEncodeError:
            raise ProtocolError(Code.MALFORMED, "`payload` must not hold half of a surrogate pair.") from None
        self._open.broadcast(asked.document_id, payload, asked.identity.user)

    @operation("PUT /api/documents/{document_id}/format", needs=Action.SHARE)
    async def set_format_rule(self, asked: Asked, body: FormatChange) -> Document:
        """Let programs of other formats write the rich text, or let them no longer.

        They may delete what they do not know.
        """
        by, allowed = asked.identity.user.user_id, body.any_format
        return await self._changed(
            asked, await self._catalogue.allow_any_format(asked.document_id, allowed=allowed, by=by)
        )

    @operation("DELETE /api/documents/{document_id}", needs=Action.DELETE, errors={409})
    async def delete_document(self, asked: Asked) -> None:
        """Delete a document for ever. The document must be in the trash (else 409 `forbidden`)."""
        document_id, by = asked.document_id, asked.identity.user.user_id
        # The store looks at the trash in the same transaction, so a document that another node
        # restored a moment ago is not deleted.
        done = await self._catalogue.delete(document_id, by=by, only_trashed=True)
        if done is None:
            raise no_such_document()
        if done.deed is None:
            raise NotPossible("Only a document in the trash can be deleted for ever: put it there first.")
        self._open.tell(done)
        await self._open.until_closed(document_id)
        log.info("document_deleted", document=document_id)

    async def _entry(self, asked: Asked) -> Entry:
        entry = await self._catalogue.get(asked.document_id)
        if entry is None:
            raise no_such_document()
        return entry

    async def _shown(self, asked: Asked, entry: Entry) -> Document:
        placed = await self._placed(asked.identity.user.user_id, {asked.document_id: asked.ruling})
        return shown(entry, asked.ruling, placed[asked.document_id])

    async def _placed(self, reader: str, rulings: Mapping[DocumentId, Ruling]) -> Mapping[DocumentId, Placed]:
        shared = [document_id for document_id, ruling in rulings.items() if may(ruling.role, Action.SHARE)]
        return await self._shelf.placed(rulings, reader, shared)

    async def _changed(self, asked: Asked, done: Done | None) -> Document:
        if done is None or done.entry is None:
            raise no_such_document()
        if done.deed is not None:
            self._open.tell(done)
        return await self._shown(asked, done.entry)


def shown(entry: Entry, ruling: Ruling, placed: Placed) -> Document:
    """Return a document's entry as a person with this ruling sees it, who has placed it so."""
    return Document(
        entry.document_id,
        entry.title,
        entry.created_at.isoformat(),
        entry.updated_at.isoformat(),
        entry.trashed_at.isoformat() if entry.trashed_at else None,
        entry.size,
        ruling.role,
        ruling.owner,
        entry.format,
        entry.any_format,
        entry.preview,
        None if entry.edited_by is None else Editor(entry.edited_by.user_id, entry.edited_by.name),
        placed.starred,
        placed.opened_at.isoformat() if placed.opened_at else None,
        list(placed.labels),
        placed.requests,
    )


def id_from(secret: str) -> DocumentId:
    """Derive the id of a document that was made under a secret."""
    digest = hashlib.sha256(secret.encode()).digest()
    return DocumentId(base64.urlsafe_b64encode(digest).decode()[:ID_CHARACTERS])


def clean_labels(labels: list[str]) -> list[str]:
    """Clean labels with `clean_text`. Of labels that differ only in case, the first one stays.

    Raises ProtocolError (malformed, too_large, too_many).
    """
    cleaned: dict[str, str] = {}
    for label in filter(None, map(clean_text, labels[: 10 * MAX_LABELS])):
        if len(label) > MAX_LABEL:
            raise ProtocolError(Code.TOO_LARGE, f"A label may have {MAX_LABEL} characters at most.")
        cleaned.setdefault(label.casefold(), label)
    if len(cleaned) > MAX_LABELS:
        raise ProtocolError(Code.TOO_MANY, f"A document may have {MAX_LABELS} labels at most.")
    return list(cleaned.values())


def clean_title(title: str) -> str:
    """Clean a title with `clean_text`. An empty title becomes `UNTITLED`, which is no given title.

    Raises ProtocolError(too_large) if the title is longer than MAX_TITLE.
    """
    cleaned = clean_text(title)
    if len(cleaned) > MAX_TITLE:
        raise ProtocolError(Code.TOO_LARGE, f"A title may have {MAX_TITLE} characters at most.")
    return cleaned or UNTITLED
