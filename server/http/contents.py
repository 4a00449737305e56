"""Contents in the REST API: what a document says, as JSON, Markdown, HTML or plain text.

A content is made of the log as the store has it, in the sandbox. So it includes all that is
acknowledged when somebody asks, whichever node took it, and no document is opened for it.
"""

import asyncio
import gzip
import re
import unicodedata
import zlib
from collections.abc import Mapping
from typing import Annotated, Literal, Protocol
from urllib.parse import quote

from msgspec import Meta, Struct, field
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from crdt.budget import Account
from crdt.content.schema import SCHEMA
from crdt.content.suggested import View
from crdt.content.writing import Form, Wanted, Written
from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.permissions import Action
from crdt.protocol.row import Stored
from crdt.yjs.limits import GateLimits
from server.auth.cookies import Seal
from server.http.operation import Asked, operation
from server.http.requests import weights_of
from server.observe import log
from server.people.access import no_such_document
from server.sandbox import SandboxRejected
from server.store.base import Head, Loaded, Store

MEDIA_TYPES: Mapping[Form, str] = {
    Form.JSON: "application/json",
    Form.MARKDOWN: "text/markdown",
    Form.HTML: "text/html",
    Form.TEXT: "text/plain",
}

REVISION = "Manyhands-Revision"
"""The header that names the revision of an answer."""

LEFT_OUT = "Manyhands-Left-Out"
"""The header that names what a form leaves out of a document."""

_ENDINGS = {Form.JSON: "json", Form.MARKDOWN: "md", Form.HTML: "html", Form.TEXT: "txt"}
_LANGUAGE = re.compile(r"\s*([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\s*(?:[,;]|$)")
_USUAL_LANGUAGE = "en"
_MOST_NAME = 100
"""Characters of a file's name without its ending."""

_WORTH_PACKING = 1_000
"""Bytes from which on an answer is packed. Over a slow line, a first visit waits for the words."""

_PACKING_LEVEL = 4
"""Of zlib: 60 blocks of prose take a millisecond."""

UNREADABLE = "This document cannot be read. Everything is kept: tell the operator of this server."


class Choice(Struct, forbid_unknown_fields=True):
    """The form of a content."""

    form: Annotated[
        Literal["json", "markdown", "html", "text"] | None,
        Meta(description="json, markdown, html or text; absent: what the header Accept asks for, or json"),
    ] = field(name="as", default=None)
    blocks: Annotated[
        int, Meta(ge=0, description="a whole number of at least 0: how many blocks from the beginning; 0: all")
    ] = 0
    view: Annotated[
        Literal["without", "inline", "accepted"],
        Meta(
            description="without, inline or accepted: whether suggestions are left out, marked, or read as if all "
            "were accepted"
        ),
    ] = "without"
    pictures: Annotated[
        Literal["own", "signed"],
        Meta(
            description="own or signed: whether pictures have their own address, or one by which anybody fetches "
            "them for an hour"
        ),
    ] = "own"
    download: Annotated[
        Literal["true", "false"], Meta(description="true or false: whether a browser is to save it as a file")
    ] = "false"


class ContentWriter(Protocol):
    """The part of the sandbox that writes contents."""

    async def content(self, stored: Stored, limits: GateLimits, wanted: Wanted, person: str) -> Written:
        """Write a document's content for a person.

        Raises SandboxRejected if the document cannot be read.
        """


class ContentsApi:
    """Contents over HTTP. `address` is the server's own, if it knows it, without a path."""

    def __init__(
        self,
        store: Store,
        writer: ContentWriter,
        limits: GateLimits,
        address: str | None = None,
        seals: Seal | None = None,
    ) -> None:
        self._seals = seals
        self._log = store.log
        self._writer = writer
        self._limits = limits
        self._address = address

    @operation(
        "GET /api/documents/{document_id}/content",
        needs=Action.READ,
        answers={200: tuple(MEDIA_TYPES.values()), 304: None},
        errors={409, 413},
    )
    async def get_content(self, asked: Asked, query: Choice) -> Response:
        """Read what a document says, with all that is acknowledged.

        JSON is ProseMirror's and holds everything. In the other forms, what this release does not
        know is named. `Manyhands-Left-Out` names what Markdown or HTML leaves out of this document.
        `Manyhands-Revision` holds the revision: the epoch, a dot and the last row of the log. JSON
        has it too, as `revision`, and in `blocks` the id of each block. `ETag` holds the revision.
        In HTML more follows, because a page has a title.
        """
        form = _form(asked.request) if query.form is None else Form(query.form)
        head = (await self._log.heads([asked.document_id])).get(asked.document_id)
        if head is None:
            raise no_such_document()
        _check_format(head, form)
        base, language = self._base(asked.request), _language(asked.request)
        wanted = Wanted(form, base, head.title, language, query.blocks or None, view=View(query.view))
        headers = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Accept-Language"}
        tag = _tag(f"{head.epoch}.{head.seq}", wanted)
        is_signed = query.pictures == "signed"
        if not is_signed and tag in asked.request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={**headers, "ETag": tag})
        loaded = await self._log.load(asked.document_id)
        if loaded is None:
            raise no_such_document()
        revision = f"{loaded.epoch}.{loaded.head}"
        made = await self._written(loaded, replace(wanted, revision=revision), asked.account)
        content = made.content
        if made.left_out:
            headers[LEFT_OUT] = ", ".join(made.left_out)
        headers |= {"ETag": _tag(revision, wanted), REVISION: revision}
        if is_signed:
            # Each answer has other addresses, and they end.
            content = self._signed(content, asked.document_id, wanted.base)
            headers["Cache-Control"] = "no-store"
        if query.download == "true":
            headers["Content-Disposition"] = disposition(head.title, _ENDINGS[form])
        if form is Form.HTML:
            # The page is what people have written. Nothing in it may run, or ask another server.
            allowed = f"default-src 'none'; style-src 'unsafe-inline'; img-src {wanted.base}; sandbox allow-same-origin"
            headers["Content-Security-Policy"] = allowed
        packed = content if is_signed else await _packed(content, asked.request, headers)
        return Response(packed, headers=headers, media_type=MEDIA_TYPES[form])

    def _signed(self, content: bytes, document_id: DocumentId, base: str) -> bytes:
        """Return a content with signed addresses for the pictures of its document."""
        seals = self._seals
        if seals is None:
            return content
        own = f"/api/documents/{re.escape(document_id)}/attachments/([0-9a-f]{{64}})"

        def signed(found: re.Match[bytes]) -> bytes:
            seal = seals.close({"document": document_id, "sha256": found[1].decode()})
            return f"{base}/api/picture?seal={seal}".encode()

        return re.sub(f"(?:{re.escape(base)})?{own}".encode(), signed, content)

    async def _written(self, loaded: Loaded, wanted: Wanted, account: Account) -> Written:
        lease = account.lease(None)
        try:
            lease.grow(len(loaded.snapshot or b"") + sum(len(row.batch) for row in loaded.rows))
            return await self._writer.content(loaded, self._limits, wanted, account.person)
        except SandboxRejected as error:
            log.warning("content_unread", document=loaded.document_id, reason=error.message)
            if error.code in (Code.TOO_COSTLY, Code.TOO_LARGE):
                raise ProtocolError(error.code, error.message) from error
            raise ProtocolError(Code.QUARANTINED, UNREADABLE) from error
        finally:
            lease.release()

    def _base(self, request: Request) -> str:
        if self._address is not None:
            return self._address.rstrip("/")
        return f"{request.url.scheme}://{request.url.netloc}"


async def _packed(content: bytes, request: Request, headers: dict[str, str]) -> bytes:
    """Return a content as the client wants it sent, and name the packing in the headers."""
    if len(content) < _WORTH_PACKING or not weights_of(request.headers.get("accept-encoding", "")).get("gzip"):
        return content
    headers["Content-Encoding"] = "gzip"
    return await asyncio.to_thread(gzip.compress, content, _PACKING_LEVEL, mtime=0)


def disposition(title: str, ending: str) -> str:
    """Return the header that names a file after a title (RFC 6266)."""
    kept = "".join(each for each in title if each in " _.-" or unicodedata.category(each)[0] in "LNM")
    name = f"{' '.join(kept.split()).strip('.')[:_MOST_NAME].strip() or 'Document'}.{ending}"
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    named = plain if plain.partition(".")[0].strip() else f"Document.{ending}"
    return f"attachment; filename=\"{named}\"; filename*=UTF-8''{quote(name, safe='')}"


def _check_format(head: Head, form: Form) -> None:
    """Raise a refusal if the rich text has a format that only JSON can hold."""
    if form is not Form.JSON and head.format is not None and head.format.name != SCHEMA.name:
        message = f"This document has the format {head.format}, which this server does not know. Ask for JSON."
        raise ProtocolError(Code.OTHER_FORMAT, message)


def _form(request: Request) -> Form:
    """Return the form that a client accepts most gladly, or JSON."""
    forms = {media_type: form for form, media_type in MEDIA_TYPES.items()}
    weights = weights_of(request.headers.get("accept", ""))
    best = max((each for each in weights if each in forms), key=weights.__getitem__, default="")
    return forms[best] if weights.get(best) else Form.JSON


def _language(request: Request) -> str:
    """Return the language of the person who asks, for a document whose language nobody has said."""
    found = _LANGUAGE.match(request.headers.get("accept-language", ""))
    return found[1] if found else _USUAL_LANGUAGE


def _tag(revision: str, wanted: Wanted) -> str:
    if wanted.view is not View.WITHOUT:
        revision = f"{revision}-{wanted.view}"
    if wanted.blocks is not None:
        revision = f"{revision}-{wanted.blocks}"
    if wanted.form is not Form.HTML:
        return f'"{revision}"'
    more = zlib.crc32(f"{wanted.title}\0{wanted.language}".encode("utf-8", "replace"))
    return f'"{revision}-{more:08x}"'
