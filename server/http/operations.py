"""What can be asked over HTTP, one entry for each method of each address: what it takes, and everything it may answer.

Whoever adds a route adds its entry here and its line in server/PROTOCOL.md; a test compares the
three.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.http.api import DEFAULT_PAGE, MAX_PAGE
from server.http.schemas import DOCUMENT_ID, SHA256, USER_ID

IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")

_ALWAYS = frozenset({400, 401, 403, 429, 503})
"""What any address below /api may answer: bad headers, nobody known, another site's page, too fast, no store."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        name: for programs that are generated from the description.
        method: in capitals.
        path: with its parameters in braces.
        summary: one sentence.
        answers: what each status without error brings: a schema's name, media types, or nothing.
        errors: further statuses, beside those that are always possible; each brings an `Error`.
        query: names in PARAMETERS.
        body: the schema of the JSON that is taken.
        body_required: whether it may be left out.
        file_types: media types of a body that is a file.
    """

    name: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, str | tuple[str, ...] | None]
    errors: frozenset[int] = frozenset()
    query: tuple[str, ...] = ()
    body: str | None = None
    body_required: bool = False
    file_types: tuple[str, ...] = field(default=())

    @property
    def path_parameters(self) -> list[str]:
        """The names in braces."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def statuses(self) -> frozenset[int]:
        """Everything that it may be answered with."""
        taken = frozenset({413, 415}) if self.body is not None else frozenset()
        always = _ALWAYS if self.path.startswith("/api/") else frozenset({403})
        return frozenset(self.answers) | self.errors | always | taken


def _parameter(name: str, place: str, schema: Mapping[str, Any], meaning: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": meaning}


PARAMETERS: Mapping[str, Any] = {
    "document_id": _parameter("document_id", "path", DOCUMENT_ID, "The document"),
    "sha256": _parameter("sha256", "path", SHA256, "Of the file's content"),
    "query": _parameter("query", "query", {"type": "string"}, "Part of a title, in any case"),
    "trashed": _parameter("trashed", "query", {"type": "string", "enum": ["true", "false"]}, "What is in the trash"),
    "shared": _parameter(
        "shared", "query", {"type": "string", "enum": ["true", "false"]}, "Other people's, or one's own"
    ),
    "user_id": _parameter("user_id", "path", USER_ID, "A person, or `email:` and the address of one who is invited"),
    "limit": _parameter(
        "limit",
        "query",
        {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
        "Documents at once",
    ),
    "cursor": _parameter("cursor", "query", {"type": "string"}, "From the answer before; the next ones"),
}

_ID = "/api/documents/{document_id}"
_ABSENT = frozenset({404})
_CONFLICT = frozenset({404, 409})

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "createDocument", "POST", "/api/documents", "Make an empty document.", {201: "Document"}, body="NewDocument"
    ),
    Operation(
        "listDocuments",
        "GET",
        "/api/documents",
        "List documents, last edited first.",
        {200: "Documents"},
        query=("query", "trashed", "shared", "limit", "cursor"),
    ),
    Operation("getDocument", "GET", _ID, "Look at a document's entry.", {200: "Document"}, _ABSENT),
    Operation(
        "renameDocument",
        "PATCH",
        _ID,
        "Give a document another title; open pages are told.",
        {200: "Document"},
        _ABSENT,
        body="Title",
        body_required=True,
    ),
    Operation("deleteDocument", "DELETE", _ID, "Delete a trashed document for ever.", {204: None}, _CONFLICT),
    Operation(
        "trashDocument",
        "POST",
        _ID + "/trash",
        "Put a document into the trash: it can be read, not written.",
        {200: "Document"},
        _ABSENT,
        body="Nothing",
    ),
    Operation(
        "restoreDocument",
        "POST",
        _ID + "/restore",
        "Take a document out of the trash.",
        {200: "Document"},
        _ABSENT,
        body="Nothing",
    ),
    Operation(
        "attach",
        "POST",
        _ID + "/attachments",
        "Keep a picture with a document.",
        {201: "Attachment"},
        _CONFLICT | {413, 415},
        file_types=IMAGES,
    ),
    Operation(
        "getAttachment",
        "GET",
        _ID + "/attachments/{sha256}",
        "Fetch a picture.",
        {200: IMAGES, 304: None},
        _ABSENT,
    ),
    Operation("seePeople", "GET", _ID + "/people", "See who has access, and by what.", {200: "People"}, _ABSENT),
    Operation(
        "invite",
        "POST",
        _ID + "/people",
        "Give somebody a role, by e-mail address or id.",
        {201: "Grant"},
        _CONFLICT,
        body="Invitation",
        body_required=True,
    ),
    Operation(
        "changeRole",
        "PUT",
        _ID + "/people/{user_id}",
        "Give somebody another role; `owner` hands the document over.",
        {200: "Grant"},
        _CONFLICT,
        body="Role",
        body_required=True,
    ),
    Operation(
        "removePerson", "DELETE", _ID + "/people/{user_id}", "Take access away, or leave.", {204: None}, _CONFLICT
    ),
    Operation(
        "setLink",
        "PUT",
        _ID + "/link",
        "Say what the link lets everybody do who has it, and make a new one if wished.",
        {200: "Link"},
        _CONFLICT,
        body="LinkWish",
        body_required=True,
    ),
    Operation("seeAudit", "GET", _ID + "/audit", "See who has changed access.", {200: "Deeds"}, _ABSENT),
    Operation("whoAmI", "GET", "/api/me", "Who the server takes you for.", {200: "Me"}),
    Operation("changeMe", "PATCH", "/api/me", "Go by another name or colour, as a guest.", {200: "Me"}, body="Look"),
    Operation(
        "beginSession", "POST", "/api/session", "Put a token into the session cookie.", {200: "Me"}, body="Token"
    ),
    Operation("endSession", "DELETE", "/api/session", "Forget the session cookie.", {204: None}),
    Operation("describe", "GET", "/api/openapi.json", "This description.", {200: ("application/json",)}),
    Operation("health", "GET", "/health", "Whether the process lives.", {200: "Health"}),
    Operation("ready", "GET", "/ready", "Whether it can do its work.", {200: "Ready", 503: "NotReady"}),
)
