"""Cookies: how the server sets and finds them, the key that seals them, and guests, known by them.

No script can read them (HttpOnly), and requests from other sites' pages do not carry them
(SameSite=Lax). Over https their names have the prefix `__Host-`, so no neighbouring host can plant
one.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from itsdangerous import BadData, URLSafeSerializer

from crdt.errors import InvariantError
from crdt.protocol.messages import User
from crdt.protocol.requests import Guest
from server.auth.appearance import new_guest, renamed_guest
from server.auth.base import Credentials, Identity

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


KEY_BYTES = 32

MAX_CHARACTERS = 4096
"""Most characters of one cookie in browsers."""

Fact = str | float | None


class SharedSecrets(Protocol):
    """Secrets that all nodes share (`Secrets` in server/store/sharing_base.py)."""

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """Return the secret with this name. If there is none yet, `make` becomes the secret."""


class SecretKey:
    """The secret key, which signs cookies and links, usable after `open`.

    The key is the operator's text `configured`, or is made once and stored where all nodes find it.
    A person who has the key can pretend to be anybody. The key is never used directly: each purpose
    derives its own key.
    """

    def __init__(self, configured: str | None) -> None:
        self._key = None if configured is None else hashlib.sha256(configured.encode()).digest()

    async def open(self, shared: SharedSecrets) -> None:
        """Look the key up, or make it. Raises Unavailable."""
        if self._key is None:
            self._key = await shared.get_or_make("signing", secrets.token_bytes(KEY_BYTES))

    def derived(self, purpose: str) -> bytes:
        """Return the key for one purpose. It reveals nothing about the keys for other purposes."""
        if self._key is None:
            raise InvariantError("The secret key was asked for before it was looked up.")
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()


class Seal:
    """Seals for one purpose, valid for `seconds`. `clock` returns unix seconds.

    A seal is a text with facts that its carrier cannot change, for example a cookie. A seal is
    signed, not encrypted, so its carrier can read it. A seal for another purpose, of too great an
    age, or from somebody without the key is not accepted.
    """

    def __init__(self, key: SecretKey, purpose: str, seconds: int, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._key = key
        self._purpose = purpose
        self._clock = clock

    def close(self, facts: Mapping[str, Fact]) -> str:
        """Return facts sealed at the present time."""
        text = self._serializer().dumps({**facts, "sealed_at": round(self._clock(), 3)})
        return text if isinstance(text, str) else text.decode()

    def open(self, text: str | None) -> Mapping[str, Fact] | None:
        """Return the facts of a seal, with `sealed_at` in unix seconds.

        Return None for a seal that is broken, too old, or for another purpose.
        """
        if not text or len(text) > MAX_CHARACTERS:
            return None
        try:
            facts = self._serializer().loads(text)
        except (BadData, ValueError):  # ValueError: letters beyond ASCII
            return None
        sealed_at = facts.get("sealed_at") if isinstance(facts, dict) else None
        if not isinstance(sealed_at, float | int) or self._clock() - sealed_at >= self.seconds:
            return None
        return facts if isinstance(facts, dict) else None

    def _serializer(self) -> URLSafeSerializer:
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._key.derived("cookie"), salt=self._purpose, signer_kwargs=options)


RENEWED_AFTER = 30 * 24 * 3600
"""Seconds after which a cookie is made anew.

So a person who comes at least once a year stays the same person.
"""


class GuestAuthenticator:
    """Recognises people without an account by their cookies. `clock` returns unix seconds.

    A cookie that is missing, forged, altered, cut short or older than a year makes a newcomer, and
    is never an error.
    """

    def __init__(self, key: SecretKey, clock: Callable[[], float]) -> None:
        self._seal = Seal(key, "guest", YEAR, clock)
        self._clock = clock

    async def identify(self, credentials: Credentials) -> Identity:
        """Recognise a guest, and give them the name and colour that they ask for now.

        A newcomer's identity does not last, unless the browser is given a `cookie`.
        """
        facts = self._seal.open(credentials.cookie)
        match facts:
            case {"id": str(user_id), "name": str(name), "color": str(color)}:
                user = User(user_id, name, color)
                news = credentials.guest
                return Identity(user if news == Guest() else renamed_guest(user, news), "guest")
            case _:
                return Identity(new_guest(credentials.guest), "guest", lasting=False)

    def cookie(self, user: User) -> Cookie:
        """Return the cookie by which the browser is recognised as this person."""
        facts = {"id": user.user_id, "name": user.name, "color": user.color}
        return Cookie(SESSION, self._seal.close(facts), self._seal.seconds)

    def is_old(self, cookie: str | None) -> bool:
        """Whether a cookie is valid, but should be made anew."""
        facts = self._seal.open(cookie)
        sealed_at = None if facts is None else facts["sealed_at"]
        return isinstance(sealed_at, float | int) and self._clock() - sealed_at >= RENEWED_AFTER


def rename(identity: Identity, guest: Guest) -> Identity:
    """Return the same guest with another name or colour."""
    return Identity(renamed_guest(identity.user, guest), "guest", lasting=identity.lasting)
