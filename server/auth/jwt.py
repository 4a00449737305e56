"""People of another application, which signs short-lived tokens (JWT) for them.

The claims are `sub` (the person's id) and `exp` (at most a day ahead). Optional claims are `name`,
`color`, `email` and `documents`, an object of roles by document id or `*`. The address counts as
verified by the application, unless `email_verified` is false. A stolen token is valid until its
`exp`, even if the person has a newer one. That is why tokens should be short-lived.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from crdt.ids import is_document_id
from crdt.permissions import Role
from server.auth.appearance import person
from server.auth.base import EVERY_DOCUMENT, Credentials, Identity, unauthenticated
from server.auth.tokens import LEEWAY_SECONDS, KeySource, Rules, expiry_of, read_token

LONGEST_SECONDS = 24 * 3600.0
"""Seconds. A token that is valid for longer is refused, because nobody can take it back."""

MAX_DOCUMENTS = 300

_USER_ID = re.compile(r"[A-Za-z0-9_.:@|+=~-]{1,128}\Z")
_EMAIL = re.compile(r"[^\s@\x00-\x1f]{1,128}@[^\s@\x00-\x1f]{1,125}\Z")


class JwtAuthenticator:
    """Recognises people by a token: the one they send, or the one in their session cookie.

    `clock` returns unix seconds.
    """

    def __init__(self, keys: KeySource, rules: Rules, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._rules = rules
        self._clock = clock

    async def identify(self, credentials: Credentials) -> Identity:
        """Read the token.

        Raises ProtocolError(unauthenticated) with the reason, or Unavailable while keys cannot be
        fetched.
        """
        token = credentials.token or credentials.cookie
        if not token:
            raise unauthenticated("Send a token: people of this server sign in to another application.")
        now = self._clock()
        return identity_of(await read_token(token, self._keys, self._rules, now), now)


def identity_of(claims: Mapping[str, Any], now: float) -> Identity:
    """Make an identity from a token's verified claims.

    Raises ProtocolError(unauthenticated) if a claim does not have its form.
    """
    expires_at = expiry_of(claims)
    if expires_at > now + LONGEST_SECONDS + LEEWAY_SECONDS:
        raise unauthenticated("The token is valid for too long: `exp` may be a day ahead at most.")
    user_id = claims.get("sub")
    if not isinstance(user_id, str) or not _USER_ID.match(user_id) or user_id.startswith("email:"):
        raise unauthenticated(
            "The token's `sub` must be 1 to 128 letters, digits or _.:@|+=~- and not begin with `email:`."
        )
    name, color = _text(claims, "name"), _text(claims, "color")
    return Identity(
        user=person(user_id, name, color=color),
        kind="jwt",
        email=verified_email(claims, unless_said=True),
        expires_at=expires_at,
        document_roles=_document_roles(claims.get("documents")),
    )


def verified_email(claims: Mapping[str, Any], *, unless_said: bool) -> str | None:
    """Return the address in lower case, if the token's issuer has verified it.

    `unless_said` tells whether an address without `email_verified` counts as verified.
    """
    email = claims.get("email")
    verified = claims.get("email_verified", unless_said)
    is_verified = verified is True or verified == "true"
    return email.lower() if is_verified and isinstance(email, str) and _EMAIL.match(email) else None


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise unauthenticated(f"The token's `{name}` must be a text.")
    return value


def _document_roles(value: object) -> Mapping[str, Role]:
    if value is None:
        return MappingProxyType({})
    if not isinstance(value, dict) or len(value) > MAX_DOCUMENTS:
        raise unauthenticated(f"The token's `documents` must be an object with {MAX_DOCUMENTS} roles at most.")
    roles = {}
    for document_id, role in value.items():
        if document_id != EVERY_DOCUMENT and not is_document_id(document_id):
            raise unauthenticated("The token's `documents` has a key that is neither a document's id nor `*`.")
        if role not in list(Role):
            raise unauthenticated(f"The token's `documents` has a role that is none of {', '.join(Role)}.")
        roles[document_id] = Role(role)
    return MappingProxyType(roles)
