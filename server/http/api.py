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
from crdt.permissions import Action, Role
from crdt.protocol.answers import encode_user
from crdt.protocol.messages import DocumentInfo
from server.auth.base import may_create
from server.http.bodies import read_json
from server.http.errors import Conflict, not_found
from server.http.routing import document_id_of, identity_of, resource
from server.http.titles import clean_text, clean_title
from server.observe import log
from server.people.access import Access, Ruling
from server.rooms import info_of
from server.store.base import Catalogue, Entry

MAX_PAGE = 200
DEFAULT_PAGE = 100

_LIST_PARAMETERS = ("query", "trashed", "shared", "limit", "cursor")


class OpenDocuments(Protocol):
    """The documents that pages have open now, as far as the catalogue concerns them."""

    def announce(self, document_id: DocumentId, info: DocumentInfo) -> None:
        """Tell open pages of a new title, or of the trash."""

    async def evict(self, document_id: DocumentId, code: Code, message: str) -> None:
        """Close a document for everybody."""


class DocumentsApi:
    """The catalogue over HTTP.

    `clock` tells the time of day, in UTC; `link_role`: what a new document's address lets everybody
    do; `most_owned`: documents of one person, give or take those that are made at the same moment.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        access: Access,
        open_documents: OpenDocuments,
        clock: Callable[[], datetime],
        link_role: Role | None = Role.EDITOR,
        most_owned: int = 10_000,
    ) -> None:
        self._catalogue = catalogue
        self._access = access
        self._open = open_documents
        self._clock = clock
        self._link_role = link_role
        self._most_owned = most_owned
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
        identity = identity_of(request)
        if not may_create(identity):
            raise ProtocolError(Code.FORBIDDEN, "Your token is for certain documents: you may not make others.")
        if await self._access.owned(identity) >= self._most_owned:
            message = f"You own {self._most_owned} documents, as many as one may. Delete some for ever first."
            raise ProtocolError(Code.TOO_MANY, message)
        await self._access.remember(identity)
        owner = identity.user.user_id if identity.lasting else None
        entry = await self._catalogue.create(
            document_id, title, epoch, self._clock(), owner=owner, link_role=self._link_role
        )
        made = as_json(entry, Ruling(Role.OWNER, 0, identity.user if owner else None))
        return JSONResponse(made, 201, {"Location": f"/api/documents/{document_id}"})

    async def _list(self, request: Request) -> Response:
        given, identity = request.query_params, identity_of(request)
        if strange := set(given) - set(_LIST_PARAMETERS):
            raise ProtocolError(Code.MALFORMED, f"Unknown in the query: {', '.join(sorted(strange))[:100]}.")
        page = await self._catalogue.find(
            clean_text(given.get("query", "")[:1000]),
            trashed=_flag(given, "trashed") or False,
            limit=_limit(given),
            cursor=given.get("cursor") or None,
            whose=self._access.list_of(identity, shared=_flag(given, "shared")),
        )
        rulings = await self._access.rulings(identity, [entry.document_id for entry in page.entries])
        shown = [as_json(entry, rulings[entry.document_id]) for entry in page.entries if entry.document_id in rulings]
        return JSONResponse({"documents": shown, "cursor": page.cursor})

    async def _get(self, request: Request) -> Response:
        ruling = await self._allowed(request, Action.READ)
        return JSONResponse(as_json(await self._entry(request), ruling))

    async def _rename(self, request: Request) -> Response:
        ruling = await self._allowed(request, Action.RENAME)
        title = _title(await read_json(request, ["title"]), default=None)
        return self._changed(await self._catalogue.rename(document_id_of(request), title, self._clock()), ruling)

    async def _put_in_trash(self, request: Request) -> Response:
        ruling = await self._allowed(request, Action.TRASH)
        await read_json(request, [])
        async with self._trash:
            entry = await self._entry(request)
            if entry.trashed_at is not None:
                return JSONResponse(as_json(entry, ruling))
            trashed = await self._catalogue.set_trashed(entry.document_id, self._clock())
        return await self._recorded(request, "trash", self._changed(trashed, ruling))

    async def _restore(self, request: Request) -> Response:
        ruling = await self._allowed(request, Action.TRASH)
        await read_json(request, [])
        async with self._trash:
            restored = await self._catalogue.set_trashed(document_id_of(request), None)
        return await self._recorded(request, "restore", self._changed(restored, ruling))

    async def _delete(self, request: Request) -> Response:
        await self._allowed(request, Action.DELETE)
        async with self._trash:
            entry = await self._entry(request)
            if entry.trashed_at is None:
                raise Conflict("Only a document in the trash can be deleted for ever: put it there first.")
            await self._evict(entry.document_id)
            await self._catalogue.delete(entry.document_id)
            await self._evict(entry.document_id)  # who joined between the two
        log.info("document_deleted", document=entry.document_id)
        return await self._recorded(request, "delete", Response(status_code=204))

    async def _allowed(self, request: Request, action: Action) -> Ruling:
        return await self._access.require(identity_of(request), document_id_of(request), action)

    async def _recorded(self, request: Request, action: str, done: Response) -> Response:
        await self._access.record(identity_of(request), action, document_id_of(request))
        return done

    async def _evict(self, document_id: DocumentId) -> None:
        await self._open.evict(document_id, Code.DELETED, "This document was deleted.")

    async def _entry(self, request: Request) -> Entry:
        entry = await self._catalogue.get(document_id_of(request))
        if entry is None:
            raise not_found()
        return entry

    def _changed(self, entry: Entry | None, ruling: Ruling) -> Response:
        if entry is None:
            raise not_found()
        self._open.announce(entry.document_id, info_of(entry))
        return JSONResponse(as_json(entry, ruling))


def as_json(entry: Entry, ruling: Ruling) -> dict[str, Any]:
    """A `document` of the REST API, as somebody sees it."""
    return {
        "id": entry.document_id,
        "title": entry.title,
        "created_at": entry.created_at.isoformat(),
        "updated_at": entry.updated_at.isoformat(),
        "trashed_at": entry.trashed_at.isoformat() if entry.trashed_at else None,
        "size": entry.size,
        "role": ruling.role.value,
        "owner": None if ruling.owner is None else encode_user(ruling.owner),
    }


def _title(body: dict[str, Any], *, default: str | None) -> str:
    title = body.get("title", default)
    if not isinstance(title, str):
        raise ProtocolError(Code.MALFORMED, "`title` must be a string.")
    return clean_title(title)


def _flag(given: QueryParams, name: str) -> bool | None:
    match given.get(name):
        case None:
            return None
        case "true":
            return True
        case "false":
            return False
        case _:
            raise ProtocolError(Code.MALFORMED, f"`{name}` must be true or false.")


def _limit(given: QueryParams) -> int:
    text = given.get("limit", str(DEFAULT_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and 1 <= int(text) <= MAX_PAGE):
        raise ProtocolError(Code.MALFORMED, f"`limit` must be a whole number from 1 to {MAX_PAGE}.")
    return int(text)
