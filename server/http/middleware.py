"""Middleware around the HTTP side, in the order in which a request meets it.

1. `OriginMiddleware` refuses names that are not ours, and changes that another site's page asks
   for. This one surrounds everything, Socket.IO included.
2. `VersionedApp` (versions.py) leads addresses with a version to the operations. Others skip it.
3. `ApiCors` lets pages of allowed origins read the API's answers.
4. `HeadersMiddleware` tells browsers what to forbid our pages. Over https, browsers are also told
   to use https alone from then on. A trusted proxy says whether a request came over https.
5. `RatesMiddleware` refuses an address that asks too much, before anything is looked up. Pages and
   health are not counted. They are served from memory, and monitoring may look often.
6. `IdentityMiddleware` surrounds the API alone. It identifies every request once, before its route.
   The answer to a newcomer sets the cookie that makes them known.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crdt.budget import Rate, TokenBucket, address_group
from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import Guest
from server.auth.base import Authenticator, Credentials, Identity
from server.auth.cookies import Cookie, GuestAuthenticator, is_secure, session_cookie
from server.http.errors import STATUS, NotSignedIn
from server.http.plain_pages import refused
from server.observe import address_shown, log
from server.people.services import Services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """The names that this server answers to, and the origins whose pages may change something.

    1. A request must name us by an address, or by a name that is ours. Otherwise a stranger could
       make their page's name point at us (DNS rebinding), and the page would count as our own. An
       address cannot be made to point elsewhere, so any address is good.
    2. A request that changes something must not come from another origin's page, because the page
       would borrow its visitor's cookie. Browsers say where a page is from. Other programs say
       nothing, and are let through, because they have only their own cookies.

    Args:
        allowed: further origins that are ours, as browsers write them.
        host: the name or address that the server listens on.
        any_name: switches the first rule off.
    """

    def __init__(self, allowed: Sequence[str], host: str, *, any_name: bool = False) -> None:
        self._allowed = frozenset(allowed)
        self._names = {"localhost", host.lower(), *(urlsplit(origin).hostname or "" for origin in allowed)}
        self._any_name = any_name

    def know(self, host: str | None) -> bool:
        """Whether the request's Host is one of our names.

        A request without a Host is let through, because no browser sends one.
        """
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
        # Older browsers send Origin alone. So do all browsers over plain http, unless the host is
        # localhost. The origin's scheme may differ from ours behind a proxy that ends TLS.
        return origin is None or _netloc_of(origin) == headers.get("host", "").lower() != ""


class OriginMiddleware:
    """Refuses what `Origins` does not permit.

    It surrounds everything, Socket.IO included, and wraps neither `receive` nor `send`.
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # Returning the application's own awaitable keeps no frame of ours during the connection.
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) > 1:
            # A proxy before us may have read the first Host, and we would read the second.
            code, message = Code.MALFORMED, "A request must name one host. This one has several Host headers."
        elif not self._origins.know(headers.get("host")):
            code = Code.WRONG_HOST
            message = "This server does not go by that name. To allow the name, set MANYHANDS_ALLOWED_ORIGINS."
        elif _changes(scope) and not self._origins.permit_change(headers):
            code = Code.WRONG_ORIGIN
            message = "Pages from elsewhere may not change anything here. If they should: MANYHANDS_ALLOWED_ORIGINS."
        else:
            return self._app(scope, receive, send)
        origin, host = address_shown(headers.get("origin")), address_shown(headers.get("host"))
        log.warning("origin_refused", reason=message, origin=origin, host=host)
        if scope["type"] == "websocket":
            return send({"type": "websocket.close", "code": 1008})
        readable = _ANY_PAGE if scope["path"].startswith(SOCKET_IO) else None
        return refused(scope, code, message, STATUS[code], readable)(scope, receive, send)


SOCKET_IO = "/socket.io/"

_ANY_PAGE = {"Access-Control-Allow-Origin": "*"}
"""For a sentence that is the same for all: a page that embeds a document can show it."""


def _changes(scope: Scope) -> bool:
    # Socket.IO checks every request itself, even the GET of long polling.
    return scope["type"] == "http" and scope["method"] not in SAFE_METHODS and not scope["path"].startswith(SOCKET_IO)


def _netloc_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _name_of(host: str) -> str:
    """Return the host in lower case, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


@lru_cache(maxsize=64)  # few entries, because strangers' names may be long
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
        # The editor sets widths and colours on elements, and its libraries add style sheets.
        "style-src 'self' 'unsafe-inline'",
        # 'self' includes our own WebSocket.
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


_POLICY = "Content-Security-Policy"

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""Header for answers over https: one year, for this host alone.

Hosts below this one are left out, because they may belong to other servers.
"""


class HeadersMiddleware:
    """Adds HEADERS to HTTP answers, and STRICT_TRANSPORT where it applies.

    `frame_ancestors`: origins whose pages may show ours in a frame. What people have written, and
    other answers with a policy of their own, are shown in no frame.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: Sequence[str] = ()) -> None:
        self._app = app
        self._framed = None
        if frame_ancestors:
            allowed = f"frame-ancestors {' '.join(frame_ancestors)}"
            self._framed = CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", allowed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        orders = HEADERS | STRICT_TRANSPORT if scope["scheme"] == "https" else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                is_framed = self._framed is not None and _POLICY not in headers
                for name, value in orders.items():
                    headers.setdefault(name, value)
                if is_framed and self._framed is not None:
                    headers[_POLICY] = self._framed
                    del headers["X-Frame-Options"]  # which cannot name origins
            await send(message)

        await self._app(scope, receive, with_headers)


class ApiCors(CORSMiddleware):
    """Lets pages of allowed origins read the API's answers (CORS).

    Such a page brings a token of its own: cookies are not sent along. Changes by other pages are
    refused before (`OriginMiddleware`).
    """

    def __init__(self, app: ASGIApp, allowed_origins: Sequence[str]) -> None:
        super().__init__(
            app,
            allow_origins=allowed_origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"),
            expose_headers=(
                "Content-Disposition",
                "ETag",
                "Location",
                "Manyhands-Left-Out",
                "Manyhands-Revision",
                "Retry-After",
            ),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


COUNTED = ("/api/", "/sign-")
"""Beginnings of the paths that are counted: the API, and the sign-in, which asks a provider."""


class ApiRates(Struct, frozen=True):
    """Rates of one address: its requests, the documents it makes, and its requests for access.

    `clock` returns monotonic seconds.
    """

    requests: Rate = Rate(100, 1000)
    creations: Rate = Rate(10, 100)
    clock: Callable[[], float] = time.monotonic
    asks: Rate = Rate(1 / 30, 20)


class Shares:
    """The share of each address group under one rate. `clock` returns monotonic seconds.

    The table of shares is bounded. A group that has asked for nothing for long has its whole share
    again, and needs no entry in the table. Beyond `places` entries, the group that was quiet
    longest loses its entry. Each takes some 250 bytes. An attacker who has more addresses cannot be
    kept out by counting addresses.
    """

    def __init__(self, rate: Rate, clock: Callable[[], float], places: int = 20_000) -> None:
        self._rate = rate
        self._clock = clock
        self._places = places
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, address: str) -> float:
        """Take one token of the address's group.

        Return 0, or the seconds after which there will be a token.
        """
        name, now = address_group(address), self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(self._rate, now)
            if len(self._buckets) > self._places:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(name)
        return bucket.take(1, now)


class RatesMiddleware:
    """Answers 429 to an address that asks too much."""

    def __init__(self, app: ASGIApp, rates: ApiRates) -> None:
        self._app = app
        self._requests = Shares(rates.requests, rates.clock)
        self._dear = {
            "/api/documents": Shares(rates.creations, rates.clock),
            "/api/access-requests": Shares(rates.asks, rates.clock),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = self._seconds(scope)
        if seconds > 0:
            message = f"Too many requests in too short a time. Try again in {math.ceil(seconds)} s."
            answer = refused(scope, Code.RATE_LIMITED, message, 429, {"Retry-After": str(math.ceil(seconds))})
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _seconds(self, scope: Scope) -> float:
        if scope["type"] != "http" or not scope["path"].startswith(COUNTED):
            return 0.0
        address = scope["client"][0] if scope.get("client") else ""
        seconds = self._requests.take(address)
        if seconds == 0 and scope["method"] == "POST" and (dear := self._dear.get(scope["path"])) is not None:
            return dear.take(address)
        return seconds


ANYBODYS = frozenset({"/api/session", "/api/openapi.json", "/api/picture"})
"""Addresses that need no identity.

`/api/session` makes and ends identities. The description is the same for everybody. A picture's
seal says that it may be fetched.
"""


class IdentityMiddleware:
    """Puts `identity` into the request's state, and sets the cookie that the handler put there.

    It raises refusals, so it must stand inside the exception handlers. `sign_in` is the path of the
    sign-in page, if there is one.
    """

    def __init__(self, app: ASGIApp, authenticator: Authenticator, sign_in: str | None = None) -> None:
        self._app = app
        self._authenticator = authenticator
        self._people = authenticator.people if isinstance(authenticator, Services) else authenticator
        self._sign_in = sign_in

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        if identity is None or identity.lasting or not isinstance(self._people, GuestAuthenticator):
            return None
        return self._people.cookie(identity.user)


def credentials_of(request: Request) -> Credentials:
    """Return what a request shows of its person: the session cookie, and the bearer token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return Credentials(session_cookie(request.scope), bearer or None, Guest())


def give_cookie(request: Request, cookie: Cookie) -> None:
    """Have the answer set a cookie."""
    request.state.cookie = cookie


def _set(cookie: Cookie, scope: Scope) -> tuple[bytes, bytes]:
    return b"set-cookie", cookie.header(secure=is_secure(scope)).encode("latin-1")
