"""Cookies: the names and attributes of those that the server sets, and the search in a request.

No script can read them (HttpOnly), and requests from other sites' pages do not carry them
(SameSite=Lax). Over https their names have the prefix `__Host-`, so no neighbouring host can plant
one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SESSION = "manyhands"

SIGN_IN = "manyhands-sign-in"
"""The cookie that carries a sign-in from its beginning to its end."""

YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as the server sets it. With `seconds` 0 the browser forgets the cookie."""

    name: str
    value: str = field(repr=False)
    seconds: int

    def header(self, *, secure: bool) -> str:
        """Return the value of a Set-Cookie header. `secure` means that the browser uses https."""
        attributes = f"Path=/; Max-Age={self.seconds}; HttpOnly; SameSite=Lax"
        return f"{full_name(self.name, secure=secure)}={self.value}; {attributes}" + ("; Secure" if secure else "")


def full_name(name: str, *, secure: bool) -> str:
    """Return the cookie's name over http, or over https if `secure`."""
    return f"__Host-{name}" if secure else name


def forgotten(name: str) -> Cookie:
    """Return a cookie that makes the browser forget this name."""
    return Cookie(name, "", 0)


def session_cookie(scope: Mapping[str, Any]) -> str | None:
    """Return the session cookie of an ASGI request.

    The scope's scheme tells http from https. Trusted proxies set it.
    """
    return request_cookie(scope, SESSION)


def request_cookie(scope: Mapping[str, Any], name: str) -> str | None:
    """Return a cookie that the server has set, from an ASGI request."""
    headers = (value.decode("latin-1") for key, value in scope.get("headers", ()) if key == b"cookie")
    return find_cookie(headers, name, secure=is_secure(scope))


def is_secure(scope: Mapping[str, Any]) -> bool:
    """Whether the browser uses https."""
    return scope.get("scheme") in ("https", "wss")


def find_cookie(headers: Iterable[str], name: str, *, secure: bool) -> str | None:
    """Return the first cookie with this name in Cookie headers."""
    wanted = full_name(name, secure=secure)
    for header in headers:
        for pair in header.split(";"):
            found, equals, value = pair.strip().partition("=")
            if equals and found == wanted:
                return value.strip().strip('"')
    return None
