"""Which names this server answers to, and whose pages may change something.

1. A request must name us by an address or by a name that is ours. Otherwise a stranger's page,
   whose own name was made to point at us (DNS rebinding), would count as our own. An address cannot
   be made to point elsewhere, so any address is good.
2. A request that changes something must not come from another origin's page, which would borrow its
   visitor's cookie. Browsers say where a page is from; other programs say nothing, and are let
   through: they have only the cookies that are their own.
"""

import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from crdt.errors import Code
from server.http.errors import refusal

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Origins:
    """The rules above, for one server.

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers, status = Headers(scope=scope), 403
        if len(headers.getlist("host")) > 1:
            # A proxy before us may have gone by the one, and we would go by the other.
            status, message = 400, "A request names one host, once."
        elif not self._origins.know(headers.get("host")):
            message = "This server does not go by that name. If it should: MANYHANDS_ALLOWED_ORIGINS."
        elif _changes(scope) and not self._origins.permit_change(headers):
            message = "Pages from elsewhere may not change anything here."
        else:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(Code.FORBIDDEN if status == 403 else Code.MALFORMED, message, status)(scope, receive, send)


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
