"""The REST API's documents: make, list, rename, trash, restore, delete."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch
from crdt.protocol import DocumentInfo
from server.http.bodies import read_json
from server.http.errors import Conflict, not_found
from server.http.routing import document_id_of, resource
from server.http.titles import clean_text, clean_title
from server.observe import log
from server.rooms import info_of
from server.store.base import Catalogue, Entry

MAX_PAGE = 200
DEFAULT_PAGE = 100

_LIST_PARAMETERS = ("query", "trashed", "limit", "cursor")


class OpenDocuments(Protocol):
    """The documents that pages have open now, as far as the catalogue concerns them."""

    def announce(self, document_id: DocumentId, info: DocumentInfo) -> None:
        """Tell open pages of a new title, or of the trash."""

    async def evict(self, document_id: DocumentId, code: Code, message: str) -> None:
        """Close a document for everybody."""


class DocumentsApi:
    """The catalogue over HTTP. `clock` tells the time of day, in UTC."""

    def __init__(self, catalogue: Catalogue, open_documents: OpenDocuments, clock: Callable[[], datetime]) -> None:
        self._catalogue = catalogue
        self._open = open_documents
        self._clock = clock
        self._trash = asyncio.Lock()  # what was restored a moment ago is not deleted

    def routes(self) -> list[Route]:
        """Everything below /api, except attachments."""
        return [
            resource("/documents", {"POST": self._create, "GET": self._list}),
            resource("/documents/{document_id}", {"GET": self._get, "PATCH": self._rename, "DELETE": self._delete}),
            resource("/documents/{document_id}/trash", {"POST": self._put_in_trash}),
            resource("/documents/{document_id}/restore", {"POST": self._restore}),
        ]

    async def _create(self, request: Request) -> Response:
        title = _title(await read_json(request, ["title"]), default="")
        document_id = DocumentId(secrets.token_urlsafe(16))
        epoch = Epoch(1 + secrets.randbelow(2**53 - 1))
        entry = await self._catalogue.create(document_id, title, epoch, self._clock())
        return JSONResponse(as_json(entry), 201, {"Location": f"/api/documents/{document_id}"})

    async def _list(self, request: Request) -> Response:
        given = request.query_params
        if strange := set(given) - set(_LIST_PARAMETERS):
            raise ProtocolError(Code.MALFORMED, f"Unknown in the query: {', '.join(sorted(strange))[:100]}.")
        page = await self._catalogue.find(
            clean_text(given.get("query", "")[:1000]),
            trashed=_trashed(given),
            limit=_limit(given),
            cursor=given.get("cursor") or None,
        )
        return JSONResponse({"documents": [as_json(entry) for entry in page.entries], "cursor": page.cursor})

    async def _get(self, request: Request) -> Response:
        return JSONResponse(as_json(await self._entry(request)))

    async def _rename(self, request: Request) -> Response:
        title = _title(await read_json(request, ["title"]), default=None)
        return self._changed(await self._catalogue.rename(document_id_of(request), title, self._clock()))

    async def _put_in_trash(self, request: Request) -> Response:
        await read_json(request, [])
        async with self._trash:
            entry = await self._entry(request)
            if entry.trashed_at is not None:
                return JSONResponse(as_json(entry))
            return self._changed(await self._catalogue.set_trashed(entry.document_id, self._clock()))

    async def _restore(self, request: Request) -> Response:
        await read_json(request, [])
        async with self._trash:
            return self._changed(await self._catalogue.set_trashed(document_id_of(request), None))

    async def _delete(self, request: Request) -> Response:
        async with self._trash:
            entry = await self._entry(request)
            if entry.trashed_at is None:
                raise Conflict("Only a document in the trash can be deleted for ever: put it there first.")
            await self._evict(entry.document_id)
            await self._catalogue.delete(entry.document_id)
            await self._evict(entry.document_id)  # who joined between the two
        log.info("document_deleted", document=entry.document_id)
        return Response(status_code=204)

    async def _evict(self, document_id: DocumentId) -> None:
        await self._open.evict(document_id, Code.DELETED, "This document was deleted.")

    async def _entry(self, request: Request) -> Entry:
        entry = await self._catalogue.get(document_id_of(request))
        if entry is None:
            raise not_found()
        return entry

    def _changed(self, entry: Entry | None) -> Response:
        if entry is None:
            raise not_found()
        self._open.announce(entry.document_id, info_of(entry))
        return JSONResponse(as_json(entry))


def as_json(entry: Entry) -> dict[str, Any]:
    """A `document` of the REST API."""
    return {
        "id": entry.document_id,
        "title": entry.title,
        "created_at": entry.created_at.isoformat(),
        "updated_at": entry.updated_at.isoformat(),
        "trashed_at": entry.trashed_at.isoformat() if entry.trashed_at else None,
        "size": entry.size,
    }


def _title(body: dict[str, Any], *, default: str | None) -> str:
    title = body.get("title", default)
    if not isinstance(title, str):
        raise ProtocolError(Code.MALFORMED, "`title` must be a string.")
    return clean_title(title)


def _trashed(given: QueryParams) -> bool:
    match given.get("trashed", "false"):
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ProtocolError(Code.MALFORMED, "`trashed` must be true or false.")


def _limit(given: QueryParams) -> int:
    text = given.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_PAGE):
        raise ProtocolError(Code.MALFORMED, f"`limit` must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)
