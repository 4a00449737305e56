"""Who asks: every request to the API is identified once, before its route; a newcomer's answer brings the cookie that makes them known."""

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import Guest
from server.auth.base import Authenticator, Credentials, Identity
from server.auth.cookies import Cookie, is_secure, session_cookie
from server.auth.guest import GuestAuthenticator
from server.http.errors import NotSignedIn

ANYBODYS = frozenset({"/api/session", "/api/openapi.json"})
"""Addresses that need no identity: what makes and ends one, and what is the same for everybody."""


class IdentityMiddleware:
    """Puts `identity` into the request's state, and into the answer the cookie that is found there.

    Must stand where refusals that are raised become answers. `sign_in`: where people can sign in,
    if anywhere.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, sign_in: str | None = None) -> None:
        self._app = app
        self._authenticator = authenticator
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if scope["path"] not in ANYBODYS:
            state["identity"] = await self._identify(Request(scope))

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = state.get("cookie") or self._newcomers(state.get("identity"))
                if cookie is not None:
                    message["headers"] = [*message.get("headers", ()), _set(cookie, scope)]
            await send(message)

        await self._app(scope, receive, with_cookie)

    async def _identify(self, request: Request) -> Identity:
        try:
            return await self._authenticator.identify(credentials_of(request))
        except ProtocolError as refused:
            if refused.code is Code.UNAUTHENTICATED:
                raise NotSignedIn(refused.message, self._sign_in) from None
            raise

    def _newcomers(self, identity: Identity | None) -> Cookie | None:
        if identity is None or identity.lasting or not isinstance(self._authenticator, GuestAuthenticator):
            return None
        return self._authenticator.cookie(identity.user)


def credentials_of(request: Request) -> Credentials:
    """What a request shows: a bearer token stands above the cookie."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return Credentials(session_cookie(request.scope), bearer or None, Guest())


def give_cookie(request: Request, cookie: Cookie) -> None:
    """Have the answer set a cookie."""
    request.state.cookie = cookie


def _set(cookie: Cookie, scope: Scope) -> tuple[bytes, bytes]:
    return b"set-cookie", cookie.header(secure=is_secure(scope)).encode("latin-1")
