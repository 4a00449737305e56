"""`/api/me` and `/api/session`: the current person, a guest's display name, token sessions."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import Guest
from server.auth.appearance import NAME_CHARACTERS, is_color, shown_name
from server.auth.base import Authenticator, Credentials, Identity, may_create
from server.auth.cookies import SESSION, Cookie, forgotten, session_cookie
from server.auth.guest import GuestAuthenticator, rename
from server.auth.seal import MAX_CHARACTERS
from server.http.bodies import read_json
from server.http.identity import give_cookie
from server.http.routing import identity_of, resource

SignedIn = Callable[[Identity], Awaitable[None]]
"""Told of everybody who has just signed in."""


class MeApi:
    """`/api/me` and `/api/session`. `now`: unix seconds; `takes_tokens`: whether the authenticator does."""

    def __init__(
        self, authenticator: Authenticator, signed_in: SignedIn, now: Callable[[], float], *, takes_tokens: bool
    ) -> None:
        self._authenticator = authenticator
        self._takes_tokens = takes_tokens
        self._signed_in = signed_in
        self._now = now

    def routes(self) -> list[Route]:
        """The two addresses, below /api."""
        return [
            resource("/me", {"GET": self._get, "PATCH": self._rename}),
            resource("/session", {"POST": self._begin, "DELETE": self._end}),
        ]

    async def _get(self, request: Request) -> Response:
        identity, guests = identity_of(request), self._authenticator
        if isinstance(guests, GuestAuthenticator) and guests.is_old(session_cookie(request.scope)):
            give_cookie(request, guests.cookie(identity.user))
        return _answer(identity)

    async def _rename(self, request: Request) -> Response:
        guests = self._authenticator
        if not isinstance(guests, GuestAuthenticator):
            raise ProtocolError(Code.FORBIDDEN, "Your name comes from where you signed in: change it there.")
        identity = rename(identity_of(request), _look(await read_json(request, ["name", "color"])))
        give_cookie(request, guests.cookie(identity.user))
        return _answer(identity)

    async def _begin(self, request: Request) -> Response:
        token = (await read_json(request, ["token"])).get("token")
        if not self._takes_tokens:
            raise ProtocolError(Code.FORBIDDEN, "This server takes no tokens.")
        if not isinstance(token, str) or not token.isascii():
            raise ProtocolError(Code.MALFORMED, "`token` must be a string of ASCII characters.")
        identity = await self._authenticator.identify(Credentials(None, token, Guest()))
        if len(token) > MAX_CHARACTERS - 256:
            raise ProtocolError(Code.TOO_LARGE, "The token is too long for a cookie: name fewer documents in it.")
        await self._signed_in(identity)
        seconds = max(1, int((identity.expires_at or self._now()) - self._now()))
        give_cookie(request, Cookie(SESSION, token, seconds))
        return _answer(identity)

    async def _end(self, request: Request) -> Response:
        give_cookie(request, forgotten(SESSION))
        return Response(status_code=204)


def _look(body: dict[str, Any]) -> Guest:
    name, color = body.get("name"), body.get("color")
    if "name" in body and (not isinstance(name, str) or len(name) > 4 * NAME_CHARACTERS or not shown_name(name)):
        raise ProtocolError(Code.MALFORMED, "`name` must be a text in which there is something to be seen.")
    if "color" in body and not is_color(color):
        raise ProtocolError(Code.MALFORMED, "`color` must be six hexadecimal digits after a #.")
    return Guest(name, color)


def _answer(identity: Identity) -> Response:
    user, ends = identity.user, identity.expires_at
    body = {
        "user": {"id": user.user_id, "name": user.name, "color": user.color},
        "kind": identity.kind,
        "email": identity.email,
        "may_rename": identity.kind == "guest",
        "may_create": may_create(identity),
        "expires_at": None if ends is None else datetime.fromtimestamp(ends, UTC).isoformat(),
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
