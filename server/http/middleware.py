"""Middleware: what surrounds every answer, in the order in which a request meets it.

1. `OriginMiddleware` refuses names that are not ours, and changes that another site's page asks for.
   It stands around everything, Socket.IO included.
2. `HeadersMiddleware` tells browsers what to forbid our pages. Over https, as a trusted proxy says
   it is, they are told to come by nothing else from then on.
3. `RatesMiddleware` refuses an address that asks too much, before anything is looked up. Pages and
   health are not counted: they are served from memory, and whoever watches a server may look often.
4. `IdentityMiddleware` stands around the API alone: every request is identified once, before its
   route, and a newcomer's answer brings the cookie that makes them known.
"""

import ipaddress
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import Guest
from crdt.token_bucket import Rate
from server.address_groups import Shares
from server.auth.base import Authenticator, Credentials, Identity
from server.auth.cookies import Cookie, is_secure, session_cookie
from server.auth.guest import GuestAuthenticator
from server.http.errors import NotSignedIn, refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """Which names this server answers to, and whose pages may change something.

    1. A request must name us by an address or by a name that is ours. Otherwise a stranger's page,
       whose own name was made to point at us (DNS rebinding), would count as our own. An address
       cannot be made to point elsewhere, so any address is good.
    2. A request that changes something must not come from another origin's page, which would borrow
       its visitor's cookie. Browsers say where a page is from; other programs say nothing, and are
       let through: they have only the cookies that are their own.

    Args:
        allowed: further origins that are ours, as browsers write them.
        host: the name or address that the server listens on.
        any_name: do without the first rule.
    """

    def __init__(self, allowed: Sequence[str], host: str, *, any_name: bool = False) -> None:
        self._allowed = frozenset(allowed)
        self._names = {"localhost", host.lower(), *(urlsplit(origin).hostname or "" for origin in allowed)}
        self._any_name = any_name

    def know(self, host: str | None) -> bool:
        """Whether the request's Host is one of our names. Without one it is no browser's."""
        if self._any_name or host is None:
            return True
        name = _name_of(host)
        return name in self._names or name.endswith(".localhost") or _is_address(name)

    def permit_change(self, headers: Headers) -> bool:
        """Whether a request with these headers may change something."""
        origin = headers.get("origin")
        if origin in self._allowed:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        # Older browsers, and plain http on another host than localhost, say the origin alone. Its
        # scheme may differ from ours behind a proxy that ends TLS.
        return origin is None or _netloc_of(origin) == headers.get("host", "").lower() != ""


class OriginMiddleware:
    """Refuses what `Origins` does not permit. Stands around everything, Socket.IO included, and wraps no channel."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Be an ASGI application, which is no more part of a connection once the connection is let in."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        headers, status = Headers(scope=scope), 403
        if len(headers.getlist("host")) > 1:
            # A proxy before us may have gone by the one, and we would go by the other.
            status, message = 400, "A request names one host, once."
        elif not self._origins.know(headers.get("host")):
            message = "This server does not go by that name. If it should: MANYHANDS_ALLOWED_ORIGINS."
        elif _changes(scope) and not self._origins.permit_change(headers):
            message = "Pages from elsewhere may not change anything here."
        else:
            return self._app(scope, receive, send)
        if scope["type"] == "websocket":
            return send({"type": "websocket.close", "code": 1008})
        return refusal(Code.FORBIDDEN if status == 403 else Code.MALFORMED, message, status)(scope, receive, send)


def _changes(scope: Scope) -> bool:
    # Socket.IO has a check of its own for every request, long-polling's GET included.
    return (
        scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not scope["path"].startswith("/socket.io/")
    )


def _netloc_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name_of(host: str) -> str:
    """The host without its port, in lower case, without brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


@lru_cache(maxsize=64)  # the names of strangers may be long
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob: data:",
        # The editor sets widths and colours on elements, and its libraries add style sheets of
        # their own.
        "style-src 'self' 'unsafe-inline'",
        # Includes our own WebSocket.
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""For a year, and for this host alone: what its neighbours do is not for us to say."""


class HeadersMiddleware:
    """Adds HEADERS to HTTP answers, and STRICT_TRANSPORT where it applies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        orders = HEADERS | STRICT_TRANSPORT if scope["scheme"] == "https" else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in orders.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


COUNTED = ("/api/", "/sign-")
"""The API, and signing in, for which an identity provider is asked."""


@dataclass(frozen=True, slots=True)
class ApiRates:
    """Of one address: its requests, and the documents it makes. `clock`: monotonic seconds."""

    requests: Rate = Rate(100, 1000)
    creations: Rate = Rate(10, 100)
    clock: Callable[[], float] = time.monotonic


class RatesMiddleware:
    """Answers 429 to an address that asks too much."""

    def __init__(self, app: ASGIApp, rates: ApiRates) -> None:
        self._app = app
        self._requests = Shares(rates.requests, rates.clock)
        self._creations = Shares(rates.creations, rates.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        seconds = self._seconds(scope)
        if seconds > 0:
            message = f"Too many requests in too short a time. Try again in {math.ceil(seconds)} s."
            answer = refusal(Code.RATE_LIMITED, message, 429, {"Retry-After": str(math.ceil(seconds))})
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _seconds(self, scope: Scope) -> float:
        if scope["type"] != "http" or not scope["path"].startswith(COUNTED):
            return 0.0
        address = scope["client"][0] if scope.get("client") else ""
        seconds = self._requests.take(address)
        if seconds == 0 and scope["method"] == "POST" and scope["path"] == "/api/documents":
            return self._creations.take(address)
        return seconds


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
