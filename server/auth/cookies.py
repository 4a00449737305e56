"""The session cookie's name and attributes, and how it is found among the others.

No script reads it (HttpOnly), no other site's page sends it along with what it asks of us
(SameSite=Lax). Over https it has the `__Host-` prefix: then no neighbouring host can plant one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SESSION = "manyhands"

SIGN_IN = "manyhands-sign-in"
"""Carries a sign-in from its beginning to its end."""

YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie as it is set. `seconds` 0: forget it."""

    name: str
    value: str = field(repr=False)
    seconds: int

    def header(self, *, secure: bool) -> str:
        """The value of a Set-Cookie header. `secure`: the browser speaks https with us."""
        attributes = f"Path=/; Max-Age={self.seconds}; HttpOnly; SameSite=Lax"
        return f"{full_name(self.name, secure=secure)}={self.value}; {attributes}" + ("; Secure" if secure else "")


def full_name(name: str, *, secure: bool) -> str:
    """What the cookie is called over http or https."""
    return f"__Host-{name}" if secure else name


def forgotten(name: str) -> Cookie:
    """A cookie that goes."""
    return Cookie(name, "", 0)


def session_cookie(scope: Mapping[str, Any]) -> str | None:
    """What a request of ASGI shows as its session cookie; over http or https is as the server has been told (trusted proxies)."""
    return request_cookie(scope, SESSION)


def request_cookie(scope: Mapping[str, Any], name: str) -> str | None:
    """A cookie of ours in a request of ASGI."""
    headers = (value.decode("latin-1") for key, value in scope.get("headers", ()) if key == b"cookie")
    return find_cookie(headers, name, secure=is_secure(scope))


def is_secure(scope: Mapping[str, Any]) -> bool:
    """Whether the browser speaks https with us."""
    return scope.get("scheme") in ("https", "wss")


def find_cookie(headers: Iterable[str], name: str, *, secure: bool) -> str | None:
    """The first cookie of that name in Cookie headers."""
    wanted = full_name(name, secure=secure)
    for header in headers:
        for pair in header.split(";"):
            found, equals, value = pair.strip().partition("=")
            if equals and found == wanted:
                return value.strip().strip('"')
    return None
