"""People who sign in with an identity provider (OpenID Connect): the sign-in, the session cookie.

The flow is the authorization code with PKCE, state and nonce. The data that a sign-in needs at its
end is in a sealed cookie of the browser that began it. So nobody can be made to end a sign-in that
somebody else began. Sessions are sealed cookies as well, and nothing of them is kept here. A stolen
session cookie is therefore valid until its twelve hours are over.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any

from crdt.protocol.messages import User
from server.auth.appearance import person
from server.auth.base import Credentials, Identity, unauthenticated
from server.auth.cookies import SESSION, SIGN_IN, Cookie, Seal, SecretKey
from server.auth.jwt import verified_email
from server.auth.oidc_provider import OidcProvider

SESSION_SECONDS = 12 * 3600
"""A working day."""

SIGN_IN_SECONDS = 600
"""Time to find one's password and second factor."""

MAX_NEXT = 1000
"""Characters of the address to come back to."""


class OidcAuthenticator:
    """Recognises people by their session cookie. `clock` returns unix seconds."""

    def __init__(self, key: SecretKey, clock: Callable[[], float]) -> None:
        self._seal = Seal(key, "oidc", SESSION_SECONDS, clock)

    async def identify(self, credentials: Credentials) -> Identity:
        """Open the session cookie. Raises ProtocolError(unauthenticated)."""
        match self._seal.open(credentials.cookie):
            case {
                "id": str(user_id),
                "name": str(name),
                "color": str(color),
                "email": email,
                "sealed_at": float() | int() as since,
            }:
                return Identity(
                    User(user_id, name, color),
                    "oidc",
                    email=email if isinstance(email, str) else None,
                    expires_at=since + SESSION_SECONDS,
                )
            case _:
                raise unauthenticated("Sign in first, or again: a sign-in lasts for twelve hours.")

    def cookie(self, identity: Identity) -> Cookie:
        """Return the cookie of a new session that begins now."""
        user = identity.user
        facts = {"id": user.user_id, "name": user.name, "color": user.color, "email": identity.email}
        return Cookie(SESSION, self._seal.close(facts), SESSION_SECONDS)


class OidcSignIn:
    """Sign-ins, from the first click to the identity."""

    def __init__(
        self, provider: OidcProvider, sessions: OidcAuthenticator, key: SecretKey, clock: Callable[[], float]
    ) -> None:
        self.sessions = sessions
        self._provider = provider
        self._seal = Seal(key, "sign-in", SIGN_IN_SECONDS, clock)

    async def begin(self, next_path: str | None) -> tuple[str, Cookie]:
        """Begin a sign-in that ends at `next_path`.

        Return the address to send the browser to, and the cookie that it must bring back.
        Raises Unavailable while the provider does not answer.
        """
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (24, 24, 48))
        url = await self._provider.authorization_url(state, nonce, verifier)
        facts = {"state": state, "nonce": nonce, "verifier": verifier, "next": local_path(next_path)}
        return url, Cookie(SIGN_IN, self._seal.close(facts), SIGN_IN_SECONDS)

    async def finish(self, query: Mapping[str, str], carried: str | None) -> tuple[Identity, str]:
        """End a sign-in. Return the identity, and the path to go to.

        `query` is what the provider's redirect says, `carried` the sign-in cookie. Raises
        ProtocolError(unauthenticated) or Unavailable.
        """
        match self._seal.open(carried):
            case {"state": str(state), "nonce": str(nonce), "verifier": str(verifier), "next": str(next_path)}:
                pass
            case _:
                raise unauthenticated("This sign-in was begun in another browser, or too long ago. Begin again.")
        if not _same(query.get("state"), state):
            raise unauthenticated(
                "This answer belongs to another sign-in than the one begun in this browser. Begin again."
            )
        if "error" in query or "code" not in query:
            raise unauthenticated("The identity provider has not let you in.")
        claims = await self._provider.redeem(query["code"], query.get("iss"), verifier)
        if not _same(claims.get("nonce"), nonce):
            raise unauthenticated("The identity provider's answer belongs to another sign-in. Begin again.")
        return await self._identity(claims), next_path

    async def _identity(self, claims: Mapping[str, Any]) -> Identity:
        email = verified_email(claims, unless_said=False)
        names = [claims.get(name) for name in ("name", "preferred_username", "nickname")]
        shown = [name for name in names if isinstance(name, str)]
        user_id = _user_id(self._provider.issuer, str(claims["sub"]))
        return Identity(person(user_id, *shown, email and email.partition("@")[0]), "oidc", email=email)


def local_path(path: str | None) -> str:
    """Return the path if it leads to a page of this server, else the front page.

    So no link can send people to another site.
    """
    if path is None or len(path) > MAX_NEXT or not path.startswith("/") or path[1:2] in ("/", "\\"):
        return "/"
    # Browsers drop tabs and line ends, and take a backslash for a slash.
    strange = (
        "\\" in path
        or not path.isascii()
        or any(ord(character) <= 0x20 or ord(character) == 0x7F for character in path)
    )
    return "/" if strange else path


def _user_id(issuer: str, subject: str) -> str:
    name = hashlib.sha256(f"{issuer}\0{subject}".encode(errors="surrogatepass")).digest()
    return "oidc-" + urlsafe_b64encode(name).decode()[:22]


def _same(given: object, wanted: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode(errors="surrogatepass"), wanted.encode())
