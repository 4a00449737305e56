"""The REST API's sharing: who has access to a document, the link, and the record of who has changed that."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crdt.errors import Code, ProtocolError
from crdt.permissions import Role
from crdt.protocol.answers import encode_user
from server.http.bodies import read_json
from server.http.errors import Conflict
from server.http.routing import Endpoint, document_id_of, identity_of, resource
from server.people.sharing import LinkView, LinkWish, NotPossible, SharingDesk
from server.store.sharing_base import INVITED, Deed, Person

MAX_USER_ID = 200
MAX_EMAIL = 254
"""Characters; RFC 5321 allows no longer address."""


class SharingApi:
    """Sharing over HTTP."""

    def __init__(self, desk: SharingDesk) -> None:
        self._desk = desk

    def routes(self) -> list[Route]:
        """Everything below /api that concerns access."""
        person = {"PUT": _asked(self._grant), "DELETE": _asked(self._revoke)}
        return [
            resource("/documents/{document_id}/people", {"GET": self._view, "POST": _asked(self._invite)}),
            resource("/documents/{document_id}/people/{user_id:path}", person),
            resource("/documents/{document_id}/link", {"PUT": _asked(self._set_link)}),
            resource("/documents/{document_id}/audit", {"GET": self._deeds}),
        ]

    async def _view(self, request: Request) -> Response:
        view = await self._desk.view(identity_of(request), document_id_of(request))
        people = [_person(person) for person in view.people]
        return JSONResponse({"people": people, "link": _link(view.link)})

    async def _invite(self, request: Request) -> Response:
        identity, document_id = identity_of(request), document_id_of(request)
        body = await read_json(request, ["email", "user_id", "role"])
        role = _given_role(body)
        match body:
            case {"email": email} if "user_id" not in body:
                user_id = await self._desk.invite(identity, document_id, _email(email), role)
            case {"user_id": given} if "email" not in body:
                user_id = _user_id(given)
                await self._desk.grant(identity, document_id, user_id, role)
            case _:
                raise ProtocolError(Code.MALFORMED, "Say who: either `email` or `user_id`.")
        return JSONResponse({"user_id": user_id, "role": role.value}, 201)

    async def _grant(self, request: Request) -> Response:
        identity, document_id = identity_of(request), document_id_of(request)
        role = _role((await read_json(request, ["role"])).get("role"))
        user_id = _user_id(request.path_params["user_id"])
        await self._desk.grant(identity, document_id, user_id, role)
        return JSONResponse({"user_id": user_id, "role": role.value})

    async def _revoke(self, request: Request) -> Response:
        user_id = _user_id(request.path_params["user_id"])
        await self._desk.revoke(identity_of(request), document_id_of(request), user_id)
        return Response(status_code=204)

    async def _set_link(self, request: Request) -> Response:
        identity, document_id = identity_of(request), document_id_of(request)
        body = await read_json(request, ["role", "renew", "address_alone"])
        if "role" not in body:
            raise ProtocolError(Code.MALFORMED, "`role` is missing; it is null for a link that opens nothing.")
        role = None if body["role"] is None else _given_role(body)
        wish = LinkWish(role, _yes_or_no(body, "renew") or False, _yes_or_no(body, "address_alone"))
        return JSONResponse(_link(await self._desk.set_link(identity, document_id, wish)))

    async def _deeds(self, request: Request) -> Response:
        deeds = await self._desk.deeds(identity_of(request), document_id_of(request))
        return JSONResponse({"audit": [deed_as_json(deed) for deed in deeds]})


def _asked(change: Endpoint) -> Endpoint:
    """An endpoint that answers what cannot be done as things stand as a conflict."""

    async def endpoint(request: Request) -> Response:
        try:
            return await change(request)
        except NotPossible as refusal:
            raise Conflict(refusal.message) from None

    return endpoint


def _person(person: Person) -> dict[str, Any]:
    return {
        "user": encode_user(person.user),
        "email": person.email or (person.user.name if person.user.user_id.startswith(INVITED) else None),
        "role": person.role.value,
        "via": person.via,
    }


def _link(link: LinkView) -> dict[str, Any]:
    role = None if link.role is None else link.role.value
    return {"role": role, "address_alone": link.address_alone, "url": link.path}


def deed_as_json(deed: Deed) -> dict[str, Any]:
    """One line of a document's record."""
    return {
        "at": deed.at.isoformat(),
        "actor_id": deed.actor_id,
        "action": deed.action,
        "details": dict(deed.details),
    }


def _role(value: object) -> Role:
    if not isinstance(value, str) or value not in set(Role):
        raise ProtocolError(Code.MALFORMED, f"`role` must be one of {', '.join(Role)}.")
    return Role(value)


def _given_role(body: dict[str, Any]) -> Role:
    role = _role(body.get("role"))
    if role is Role.OWNER:
        raise ProtocolError(Code.MALFORMED, "`role` must be editor, commenter or viewer: ownership is transferred.")
    return role


def _email(value: object) -> str:
    text = _text(value, "email", MAX_EMAIL)
    name, at, host = text.rpartition("@")
    if not (name and at and "." in host.strip(".")) or any(character.isspace() for character in text):
        raise ProtocolError(Code.MALFORMED, "`email` must be an e-mail address.")
    return text


def _user_id(value: object) -> str:
    return _text(value, "user_id", MAX_USER_ID + len(INVITED))


def _text(value: object, name: str, most: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= most or not value.isprintable():
        raise ProtocolError(Code.MALFORMED, f"`{name}` must be a text of 1 to {most} characters.")
    return value


def _yes_or_no(body: dict[str, Any], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise ProtocolError(Code.MALFORMED, f"`{name}` must be true or false.")
    return value
