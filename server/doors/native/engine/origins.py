"""Origins of web pages that may connect: our own, and those that the operator names.

Browsers do not keep a foreign page from opening a WebSocket. They only say in the Origin header
whose page it is. A request without this header comes from a program, which has only its own
cookies, or is a long-polling request of our own pages. Other pages may send a request without the
header as well, but cannot read the answer, and our cookies do not go with it (SameSite).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Origins:
    """`allowed`: origins beside the server's own, for example `https://example.org`."""

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self._allowed = frozenset(allowed)

    def allow(self, origin: str, environ: Mapping[str, Any]) -> bool:
        """Whether pages of `origin` may connect by this request.

        Our own origin is recognised by the Host header alone. A proxy that ends TLS and does not
        say so would otherwise turn the scheme into a refusal that nobody can explain.
        """
        if origin in self._allowed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        host = environ.get("HTTP_HOST", "").lower()
        own = parts.netloc.lower()
        return bool(own) and parts.scheme in _DEFAULT_PORTS and host in {own, own + _DEFAULT_PORTS[parts.scheme]}
