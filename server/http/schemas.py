"""The JSON that the REST API takes and gives, as JSON Schema (2020-12, the dialect of OpenAPI 3.1)."""

from collections.abc import Mapping
from typing import Any

from crdt.errors import Code
from crdt.permissions import Role
from server.http.sharing import MAX_EMAIL, MAX_USER_ID
from server.http.titles import MAX_TITLE
from server.store.sharing_base import INVITED

_TEXT: Mapping[str, Any] = {"type": "string"}
_TIME: Mapping[str, Any] = {"type": "string", "format": "date-time"}
_NO_TIME: Mapping[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_COUNT: Mapping[str, Any] = {"type": "integer", "minimum": 0}
_TITLE: Mapping[str, Any] = {"type": "string", "maxLength": MAX_TITLE}
_ASKED_TITLE: Mapping[str, Any] = {
    "type": "string",
    "description": f"{MAX_TITLE} characters at most, once it is trimmed",
}
_NO_TEXT: Mapping[str, Any] = {"type": ["string", "null"]}
_FLAG: Mapping[str, Any] = {"type": "boolean"}
_PERHAPS: Mapping[str, Any] = {"type": ["boolean", "null"]}
_ROLES = [role.value for role in (Role.OWNER, Role.EDITOR, Role.COMMENTER, Role.VIEWER)]
_ROLE: Mapping[str, Any] = {"enum": _ROLES}
_EMAIL: Mapping[str, Any] = {"type": "string", "format": "email", "maxLength": MAX_EMAIL}
USER_ID: Mapping[str, Any] = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_USER_ID + len(INVITED),
    "description": "Printable characters alone",
}
SHA256: Mapping[str, Any] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
DOCUMENT_ID: Mapping[str, Any] = {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"}


def _given(optional: tuple[str, ...] = (), **properties: Mapping[str, Any]) -> dict[str, Any]:
    """What somebody sends: nothing else is taken."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _shown(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """What we send: all of it, and later versions may send more."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _list_of(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _reference(name)}


SCHEMAS: Mapping[str, Any] = {
    "Error": _shown(error=_shown(code={"type": "string", "enum": [code.value for code in Code]}, message=_TEXT)),
    "Nothing": _given(),
    "NewDocument": _given(("title",), title=_ASKED_TITLE),
    "Title": _given(title=_ASKED_TITLE),
    "Document": _shown(
        id=DOCUMENT_ID,
        title=_TITLE,
        created_at=_TIME,
        updated_at=_TIME,
        trashed_at=_NO_TIME,
        size=_COUNT,
        role=_ROLE,
        owner={"oneOf": [_reference("User"), {"type": "null"}]},
    ),
    "User": _shown(id=_TEXT, name=_TEXT, color={"type": "string", "pattern": "^#[0-9a-f]{6}$"}),
    "Person": _shown(user=_reference("User"), email=_NO_TEXT, role=_ROLE, via={"enum": ["grant", "link"]}),
    "Link": _shown(role={"enum": [*_ROLES[1:], None]}, address_alone=_FLAG, url=_NO_TEXT),
    "People": _shown(people=_list_of("Person"), link=_reference("Link")),
    "Invitation": {
        **_given(("email", "user_id"), email=_EMAIL, user_id=USER_ID, role={"enum": _ROLES[1:]}),
        "oneOf": [{"required": ["email"]}, {"required": ["user_id"]}],
    },
    "Role": _given(role=_ROLE),
    "Grant": _shown(user_id=_TEXT, role=_ROLE),
    "LinkWish": _given(
        ("renew", "address_alone"), role={"enum": [*_ROLES[1:], None]}, renew=_PERHAPS, address_alone=_PERHAPS
    ),
    "Deed": _shown(at=_TIME, actor_id=_TEXT, action=_TEXT, details={"type": "object"}),
    "Deeds": _shown(audit=_list_of("Deed")),
    "Documents": _shown(documents=_list_of("Document"), cursor={"type": ["string", "null"]}),
    "Attachment": _shown(
        url=_TEXT,
        sha256=SHA256,
        media_type=_TEXT,
        size=_COUNT,
        width=_COUNT,
        height=_COUNT,
    ),
    "Me": _shown(
        user=_reference("User"),
        kind={"enum": ["guest", "jwt", "oidc"]},
        email=_NO_TEXT,
        may_rename=_FLAG,
        may_create=_FLAG,
        expires_at=_NO_TIME,
    ),
    "Look": _given(("name", "color"), name=_TEXT, color={"type": "string", "pattern": "^#[0-9a-fA-F]{6}$"}),
    "Token": _given(token=_TEXT),
    "Health": _shown(status={"const": "ok"}, version=_TEXT),
    "Ready": _shown(status={"const": "ready"}),
    "NotReady": _shown(status={"const": "unavailable"}, reason=_TEXT),
}
