"""Attachments in the REST API: pictures that belong to a document, named by their content.

The sandbox checks a picture before it is stored. The headers of the answer keep browsers from
taking a picture for anything else.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Protocol

from msgspec import Meta, Struct
from starlette.responses import Response

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Action, share_of
from server.auth.cookies import Seal
from server.http.operation import DOCUMENT_ID, Asked, operation
from server.http.requests import body_of
from server.people.access import Access, NotPossible, no_such_document
from server.sandbox import ImageFacts
from server.store.base import Attachment as StoredAttachment
from server.store.base import Store

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")

_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}


PICTURES, LASTING = "pictures", 3600
"""Purpose and seconds of the seals with which pictures are fetched by whoever has the address."""

_SIGNED_HEADERS = {
    **_HEADERS,
    "Cache-Control": f"private, max-age={LASTING}",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers of pictures that pages of other sites show."""


class Sealed(Struct, forbid_unknown_fields=True):
    """A picture's address for a while."""

    seal: Annotated[str, Meta(description="the seal that `pictures=signed` has written into a content")]


class Attachment(Struct):
    """A stored picture.

    `sha256` is the hash of its content. `size` is in bytes, `width` and `height` are in pixels.
    """

    url: str
    sha256: str
    media_type: str
    size: int
    width: int
    height: int


class PictureSource(Struct, forbid_unknown_fields=True):
    """The document that has a picture already."""

    document_id: Annotated[
        str, Meta(description="the id of a document that the person may read", extra_json_schema=DOCUMENT_ID)
    ]


class ImageChecker(Protocol):
    """The part of the sandbox that checks pictures."""

    async def check_image(self, data: bytes, person: str) -> ImageFacts:
        """Return what a person's picture is.

        Raises ManyhandsError, with a sentence for the person, if the bytes are no picture.
        """


class UploadLimits(Struct, frozen=True):
    """Bounds of uploads.

    Attributes:
        upload_bytes: most bytes of one file.
        document_bytes: most bytes of all files of a document.
        uploads: most uploads of one person, under way or waiting. A folder of pictures that is
            dropped into a page fits.
    """

    upload_bytes: int
    document_bytes: int
    uploads: int = 32


AT_ONCE = 2
"""Uploads of one person that are read at once. Further ones wait, unread."""

WAITING_SECONDS = 60.0
"""Longest wait of an upload for its turn. No browser waits longer."""


class _Line:
    """One person's uploads, and the turns that they wait for."""

    def __init__(self) -> None:
        self.uploads = 0
        self.turns = asyncio.Semaphore(AT_ONCE)


class AttachmentsApi:
    """Pictures over HTTP."""

    def __init__(
        self, store: Store, access: Access, images: ImageChecker, limits: UploadLimits, seals: Seal | None = None
    ) -> None:
        self._seals = seals
        self._store = store
        self._access = access
        self._images = images
        self._limits = limits
        self._lines: dict[str, _Line] = {}

    @operation(
        "POST /api/documents/{document_id}/attachments",
        answers={201: Attachment},
        needs=Action.SUGGEST,
        files=IMAGES,
        errors={409},
    )
    async def attach(self, asked: Asked) -> Attachment:
        """Add a picture to a document. The body is the picture's bytes: PNG, JPEG, GIF or WebP."""
        document_id = asked.document_id
        await self._require_open(document_id)
        person = asked.account.person
        async with self._place(person), body_of(asked.request, asked.account, self._limits.upload_bytes) as data:
            facts = await self._images.check_image(data, person)
            sha256 = hashlib.sha256(data).hexdigest()
            kept = StoredAttachment(sha256, facts.media_type, data)
            if not await self._store.attachments.put(document_id, kept, most_bytes=self._most(asked)):
                raise no_such_document()
        url = asked.headers["Location"] = f"/api/documents/{document_id}/attachments/{sha256}"
        return Attachment(url, sha256, facts.media_type, len(data), facts.width, facts.height)

    def _most(self, asked: Asked) -> int:
        return share_of(self._limits.document_bytes, asked.ruling.role)

    @operation("PUT /api/documents/{document_id}/attachments/{sha256}", needs=Action.SUGGEST, errors={409})
    async def copy_attachment(self, asked: Asked, body: PictureSource) -> None:
        """Add a picture that another document has. The person must be able to read that document.

        The picture then belongs to both documents, and stays when either is deleted.
        """
        document_id, sha256 = asked.document_id, _sha256_of(asked)
        if not is_document_id(body.document_id):
            raise no_such_document()
        source_id = DocumentId(body.document_id)
        await self._access.require(asked.identity, source_id, Action.READ)
        await self._require_open(document_id)
        most = self._most(asked)
        if not await self._store.attachments.copy(document_id, source_id, sha256, most_bytes=most):
            raise _no_such_attachment()

    @operation(
        "GET /api/documents/{document_id}/attachments/{sha256}", needs=Action.READ, answers={200: IMAGES, 304: None}
    )
    async def get_attachment(self, asked: Asked) -> Response:
        """Fetch a picture. An address always has the same bytes."""
        sha256 = _sha256_of(asked)
        attachment = await self._store.attachments.fetch(asked.document_id, sha256)
        if attachment is None:
            raise _no_such_attachment()
        headers = {**_HEADERS, "ETag": f'"{sha256}"'}
        if sha256 in asked.request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(attachment.data, headers=headers, media_type=attachment.media_type)

    @operation("GET /api/picture", answers={200: IMAGES}, errors={404})
    async def get_signed_picture(self, _asked: Asked, query: Sealed) -> Response:
        """Fetch a picture by a signed address, which is valid for an hour. It needs no identity."""
        facts = None if self._seals is None else self._seals.open(query.seal)
        match facts:
            case {"document": str(document_id), "sha256": str(sha256)}:
                attachment = await self._store.attachments.fetch(DocumentId(document_id), sha256)
            case _:
                attachment = None
        if attachment is None:
            raise _no_such_attachment()
        return Response(attachment.data, headers=_SIGNED_HEADERS, media_type=attachment.media_type)

    async def _require_open(self, document_id: DocumentId) -> None:
        """Raise a refusal unless the document is there and out of the trash."""
        entry = await self._store.catalogue.get(document_id)
        if entry is None:
            raise no_such_document()
        if entry.trashed_at is not None:
            raise NotPossible("This document is in the trash: restore it first.")

    @asynccontextmanager
    async def _place(self, person: str) -> AsyncIterator[None]:
        """Wait for an upload's turn among the same person's uploads.

        So nobody waits for another person's slow upload. Raises ProtocolError(too_many).
        """
        line = self._lines.setdefault(person, _Line())
        if line.uploads >= self._limits.uploads:
            raise _too_many()
        line.uploads += 1
        try:
            try:
                async with asyncio.timeout(WAITING_SECONDS):
                    await line.turns.acquire()
            except TimeoutError:
                raise _too_many() from None
            try:
                yield
            finally:
                line.turns.release()
        finally:
            line.uploads -= 1
            if not line.uploads:
                del self._lines[person]


def _sha256_of(asked: Asked) -> str:
    sha256: str = asked.request.path_params["sha256"]
    if not _SHA256.match(sha256):
        raise no_such_document()
    return sha256


def _no_such_attachment() -> ProtocolError:
    return ProtocolError(Code.NOT_FOUND, "There is no such attachment.")


def _too_many() -> ProtocolError:
    return ProtocolError(Code.TOO_MANY, "Too many of your files are being uploaded at once: try again in a moment.")
