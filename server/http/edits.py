"""Edits in the REST API: content that programs append, insert, replace and delete.

An edit goes through a document's room like anybody's: the same gate, the same rights, the same log.
It is seen by all at once, and durable when the answer comes. The log says who made it.

An edit is made in the sandbox, from the document as it is then. When others write meanwhile, it is
made anew, a few times. What they write after that is merged, as between any two people.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Protocol

from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from crdt.budget import Account
from crdt.content.blocks import id_of, name_of
from crdt.content.edits import MOST_EDITS, AnchorComment, Append, Edit, Made, Order, Replacement, Sent, Source
from crdt.content.proposing import Proposer
from crdt.content.schema import SCHEMA
from crdt.errors import Code, EpochChanged, ProtocolError, Unavailable
from crdt.ids import ClientId, DocumentId, Epoch, Seq
from crdt.permissions import Action, Role, forbidden
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import Format
from crdt.yjs.limits import GateLimits
from crdt.yjs.varint import check_state_vector
from server.auth.base import Identity
from server.http.documents import MAX_CONTENT_BYTES
from server.http.errors import BlockNow, Conflict, NoPrecondition, WrongMediaType
from server.http.once import ABOUT, Once, Receipt
from server.http.operation import Asked, operation
from server.http.requests import body_of
from server.store.base import Store

FORMAT = Format(SCHEMA.name, SCHEMA.version)
"""The format that edits are made for."""

MOST_TRIES = 3
"""How often an edit is made because others write meanwhile."""

CATCHING_UP = 40
"""How often a room is looked at that has not heard of a revision yet, each time after a pause."""

_PAUSE = 0.05
_REVISION = re.compile(r"(\d{1,16})\.(\d{1,16})", re.ASCII)
_SENT_AS: dict[str, Sent] = {"text/markdown": "markdown", "text/html": "html", "application/json": "json"}

_Revision = Annotated[
    str | None, Meta(description="the revision that the edits build on, as reading has given it; null for appends")
]


class Edits(Struct, forbid_unknown_fields=True):
    """Edits to make one after the other, all or none.

    An edit is made if the blocks that it changes are unchanged since `base_revision`, and the block
    that it stands beside is still there. What others have written elsewhere does not matter.
    """

    edits: Annotated[
        list[Edit],
        Meta(
            min_length=1,
            max_length=MOST_EDITS,
            description=f"a list of 1 to {MOST_EDITS} edits: append, insert, replace, delete, replace_text or comment",
        ),
    ]
    base_revision: _Revision = None
    suggest: Annotated[
        bool, Meta(description="make suggestions of the edits, which leave the text as it is until they are accepted")
    ] = False

    def __post_init__(self) -> None:
        if self.base_revision is None and not all(isinstance(edit, Append) for edit in self.edits):
            raise ValueError("`base_revision` is missing: it must be the revision in which you have read the blocks.")


class Edited(Struct):
    """The document's revision with the edits, which are durable.

    `blocks` are the ids of the new blocks, in the order in which they were made. `lost` names what
    the content held and a document cannot hold.
    """

    revision: str
    blocks: list[str]
    lost: list[str]


class Author(Protocol):
    """Port to a seat of the server's own in a document (server/doors/direct.py)."""

    client_id: ClientId
    state: bytes
    state_vector: bytes
    seq: Seq
    epoch: Epoch
    stale: bool

    async def join(self) -> None:
        """Read the document again."""

    async def write(self, *updates: bytes) -> Seq:
        """Write updates, and return the row by which they are durable."""

    def take_news(self) -> list[bytes]:
        """Return the updates of others since the last call."""


class Authors(Protocol):
    """Port to the door by which the server's own authors come in."""

    def author(
        self, document_id: DocumentId, identity: Identity, *, agent_for: str | None, declares: Format | None
    ) -> AbstractAsyncContextManager[Author]:
        """Yield an author who has joined. Raises ManyhandsError."""


class EditMaker(Protocol):
    """The part of the sandbox that makes edits."""

    async def edit(self, state: bytes, limits: GateLimits, order: Order | Replacement, person: str) -> Made:
        """Make a person's edits in a document; raises ProtocolError."""


Plan = Callable[[Author], Awaitable[Order | Replacement]]
"""Says what to do in the document as an author has read it."""

Revision = tuple[Epoch, Seq]


class Editing:
    """Makes edits, and writes them by an author. `address`: as in ContentsApi."""

    def __init__(
        self, store: Store, authors: Authors, maker: EditMaker, limits: GateLimits, address: str | None = None
    ) -> None:
        self._log = store.log
        self._authors = authors
        self._maker = maker
        self._limits = limits
        self._address = address

    async def check(self, asked: Asked, source: Source) -> None:
        """Read a content for nothing but the refusals that this may raise."""
        order = Order(ClientId(1), self._base(asked), (Append(source.content, source.form),))
        await self._maker.edit(b"", self._limits, order, asked.account.person)

    async def begin(self, asked: Asked, document_id: DocumentId, source: Source) -> None:
        """Write the content of a document, if nobody has written there yet."""

        async def plan(author: Author) -> Order:
            edits = (Append(source.content, source.form),) if author.seq == 0 else ()
            return Order(author.client_id, self._base(asked), edits)

        await self._write(asked, document_id, None, plan, Receipt(), is_new=True)

    async def edit(self, asked: Asked, body: Edits, receipt: Receipt) -> Edited:
        """Make edits in a document.

        Raises ProtocolError: `conflict`, or the refusal of an edit or its author.
        """
        document_id = asked.document_id
        built_on = None if body.base_revision is None else _parsed(body.base_revision)
        name, at = secrets.token_hex(8), time.time_ns() // 1_000_000

        async def plan(author: Author) -> Order:
            since = () if built_on is None else await self._since(document_id, author, built_on)
            proposer = Proposer(asked.identity.user.user_id, name, at)
            edits = tuple(body.edits)
            return Order(author.client_id, self._base(asked), edits, since, proposer, body.suggest)

        return await self._write(asked, document_id, built_on, plan, receipt)

    async def replace(self, asked: Asked, source: Source, if_match: str, receipt: Receipt) -> Edited:
        """Make a document say what a content says, if it is at a revision that `If-Match` names.

        Raises ProtocolError: `conflict`, or the refusal of the content or its author.
        """
        wanted = [(Epoch(int(epoch)), Seq(int(seq))) for epoch, seq in _REVISION.findall(if_match)]

        async def plan(author: Author) -> Replacement:
            if if_match.strip() != "*" and (author.epoch, author.seq) not in wanted:
                message = "The document has changed since the revision of If-Match: read it again."
                raise Conflict(message, _revision(author.epoch, author.seq), is_precondition=True)
            return Replacement(author.client_id, self._base(asked), source)

        return await self._write(asked, asked.document_id, wanted[0] if wanted else None, plan, receipt)

    async def find(self, asked: Asked, proof: str, promised: Edited) -> Edited | None:
        """Return the answer to edits that were promised, if the document has them."""
        block_id = id_of(proof)
        if block_id is None:
            return None
        client_id, end = block_id
        async with self._author(asked, asked.document_id, None) as author:
            if check_state_vector(author.state_vector or b"\0").get(client_id, 0) < end:
                return None
            return replace(promised, revision=_revision(author.epoch, author.seq))

    def _author(
        self, asked: Asked, document_id: DocumentId, declares: Format | None
    ) -> AbstractAsyncContextManager[Author]:
        return self._authors.author(document_id, asked.identity, agent_for=asked.identity.agent_for, declares=declares)

    async def _format(self, document_id: DocumentId) -> Format | None:
        """Return the format to declare in a document.

        A document without a format belongs to an editor that declares none. To declare one would
        lock that editor out.
        """
        head = (await self._log.heads([document_id])).get(document_id)
        return None if head is None or head.format is None else FORMAT

    async def _write(
        self,
        asked: Asked,
        document_id: DocumentId,
        built_on: Revision | None,
        plan: Plan,
        receipt: Receipt,
        *,
        is_new: bool = False,
    ) -> Edited:
        declares = FORMAT if is_new else await self._format(document_id)
        async with self._author(asked, document_id, declares) as author:
            if built_on is not None:
                await _catch_up(author, built_on)
            for tries_left in reversed(range(MOST_TRIES)):
                made = await self._made(await plan(author), author, asked.account)
                if author.stale or (tries_left and author.take_news()):
                    await author.join()
                    continue
                if made.conflicts:
                    message = "Blocks have changed since the revision that the edit builds on, or are gone."
                    blocks = [BlockNow(name, Raw(block)) for name, block in made.conflicts]
                    raise Conflict(message, _revision(author.epoch, author.seq), blocks)
                edited = Edited(_revision(author.epoch, author.seq), made.blocks, made.lost)
                if made.update:
                    # What adds nothing has no clock to find it by, and may be done twice.
                    _, end = made.clocks
                    await receipt.promise(name_of((author.client_id, end)) if end else "", edited)
                    edited.revision = _revision(author.epoch, await author.write(made.update))
                return edited
        raise Unavailable("The document changes too fast for the edit to be made.")

    async def _made(self, order: Order | Replacement, author: Author, account: Account) -> Made:
        lease = account.lease(None)
        try:
            lease.grow(len(author.state))
            return await self._maker.edit(author.state, self._limits, order, account.person)
        finally:
            lease.release()

    async def _since(self, document_id: DocumentId, author: Author, built_on: Revision) -> tuple[bytes, ...] | None:
        """Return what others have written since a revision, as far as the author has read.

        Return None if the log does not have all of it any more.
        """
        _, seq = built_on
        if seq >= author.seq:
            return ()
        rows = await self._log.read(document_id, seq)
        if rows is None or any(row.damaged for row in rows):
            return None
        return tuple(update for row in rows if row.seq <= author.seq for update in decode_batch(row.batch))

    def _base(self, asked: Asked) -> str:
        url = asked.request.url
        return f"{url.scheme}://{url.netloc}" if self._address is None else self._address.rstrip("/")


class EditsApi:
    """Edits over HTTP. `most_bytes`: most bytes of a content that replaces a document."""

    def __init__(self, editing: Editing, once: Once, most_bytes: int) -> None:
        self._editing = editing
        self._once = once
        self._most_bytes = most_bytes

    @operation(
        "POST /api/documents/{document_id}/edits",
        needs=Action.SUGGEST,
        errors={409, 413, 422},
        most_bytes=MAX_CONTENT_BYTES,
        headers=ABOUT,
    )
    async def edit_content(self, asked: Asked, body: Edits) -> Edited:
        """Edit blocks of a document, all at once or not at all.

        Everybody sees the edits at once, and they are durable. If a block that an edit changes has
        changed since `base_revision`, or is gone, nothing is done, and the answer (409 `conflict`)
        has these blocks as they are now.

        With `suggest` the edits become suggestions of the person. Commenters may do that, and
        anchor comments, and nothing else.
        """
        if not (body.suggest or all(isinstance(edit, AnchorComment) for edit in body.edits)):
            _check_writes(asked.ruling.role)
        return await self._run(asked, body, lambda receipt: self._editing.edit(asked, body, receipt))

    @operation(
        "PUT /api/documents/{document_id}/content",
        needs=Action.WRITE,
        files=tuple(_SENT_AS),
        errors={409, 412, 413, 422, 428},
        answers={200: Edited},
        headers={**ABOUT, "If-Match": "the ETag that reading has given, or * for any revision"},
    )
    async def replace_content(self, asked: Asked) -> Edited:
        """Replace all that a document says by Markdown, HTML or ProseMirror's JSON.

        `If-Match` must name the revision that is replaced, or `*` for any (412 `conflict` if it is
        another one). Blocks that say the same stay as they are, with carets and comments in them,
        and with what the content's form cannot say. In a line that has changed, the words that stay
        are not touched.
        """
        named = asked.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if named not in _SENT_AS:
            raise WrongMediaType(f"The content must be one of these: {', '.join(_SENT_AS)}.")
        if_match = asked.request.headers.get("if-match")
        if if_match is None:
            raise NoPrecondition
        async with body_of(asked.request, asked.account, self._most_bytes) as content:
            source = Source(_SENT_AS[named], content)
            return await self._run(
                asked, (if_match, content), lambda receipt: self._editing.replace(asked, source, if_match, receipt)
            )

    async def _run(self, asked: Asked, said: object, act: Callable[[Receipt], Awaitable[Edited]]) -> Edited:
        return await self._once.run(
            asked, Edited, said, act, lambda proof, promised: self._editing.find(asked, proof, promised)
        )


def _check_writes(role: Role) -> None:
    if not role.may_write:
        raise forbidden(role, Action.WRITE)


async def _catch_up(author: Author, revision: Revision) -> None:
    """Wait until an author has read a revision, which another node may have written just now.

    Raises EpochChanged, or Unavailable.
    """
    epoch, seq = revision
    for _ in range(CATCHING_UP):
        if author.epoch != epoch:
            raise EpochChanged(author.epoch)
        if author.seq >= seq:
            return
        await asyncio.sleep(_PAUSE)
        await author.join()
    raise Unavailable("This node has not heard yet of the revision that the edit builds on.")


def _parsed(revision: str) -> Revision:
    found = _REVISION.fullmatch(revision)
    if found is None:
        raise ProtocolError(Code.MALFORMED, "`base_revision` must be a revision as reading has given it.")
    return Epoch(int(found[1])), Seq(int(found[2]))


def _revision(epoch: Epoch, seq: Seq) -> str:
    return f"{epoch}.{seq}"
