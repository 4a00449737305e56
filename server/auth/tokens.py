"""Tokens that others sign (JWT, RFC 7519): one text becomes claims that can be relied upon, or a refusal that names the reason.

1. The key decides which algorithm is good, never the token: a public key is no HMAC secret, and
   `none` is nobody's signature.
2. What a header says of where keys are (`jku`, `jwk`, `x5u`) is not looked at.
3. Nothing of a token is repeated in a refusal, nor written to the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn, Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from server.auth.base import unauthenticated

MAX_CHARACTERS = 16 * 2**10
"""A token with 300 documents in it fits."""

LEEWAY_SECONDS = 30.0
"""By how much the clock of whoever signs may be ahead of ours. Nobody gets longer by it."""

PublicKey = RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, and the one algorithm that it is good for."""

    key: PublicKey | bytes = field(repr=False)
    algorithm: str


class KeySource(Protocol):
    """Whose signatures count."""

    async def key_for(self, key_id: str | None, algorithm: str) -> VerifyingKey:
        """The key a token claims to be signed with; raises ProtocolError(unauthenticated), Unavailable."""


class FixedKey:
    """One key that the operator has set."""

    def __init__(self, key: VerifyingKey) -> None:
        self._key = key

    async def key_for(self, key_id: str | None, algorithm: str) -> VerifyingKey:  # noqa: ARG002 - there is only one
        """The one there is."""
        return self._key


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must say beside its signature. None: whatever it says; without an audience it must name none, though."""

    issuer: str | None
    audience: str | None


@dataclass(frozen=True, slots=True)
class Lifetime:
    """From when until when a token holds, in unix seconds."""

    not_before: float | None
    issued_at: float | None
    expires_at: float


async def read_token(token: str, keys: KeySource, rules: Rules, now: float) -> Mapping[str, Any]:
    """Check a token, its times included, and return its claims; `exp` is a number among them. `now`: unix seconds."""
    claims = _verified(token, await _key_of(token, keys), rules)
    lifetime = lifetime_of(claims)
    if lifetime.expires_at <= now:
        raise unauthenticated("The token has expired. Bring a fresh one.")
    starts = max(lifetime.not_before or 0.0, lifetime.issued_at or 0.0)
    if starts > now + LEEWAY_SECONDS:
        raise unauthenticated("The token is not valid yet. Compare the clocks of the two servers.")
    return claims


def lifetime_of(claims: Mapping[str, Any]) -> Lifetime:
    """The times in a token's claims; raises ProtocolError(unauthenticated) when they are none."""
    expires_at = _time(claims, "exp")
    if expires_at is None:
        raise unauthenticated("The token says no time at which it expires (`exp`).")
    return Lifetime(_time(claims, "nbf"), _time(claims, "iat"), expires_at)


async def _key_of(token: str, keys: KeySource) -> VerifyingKey:
    if len(token) > MAX_CHARACTERS:
        raise unauthenticated("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise unauthenticated("The token is no JWT.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        raise unauthenticated("The token is not signed.")
    key = await keys.key_for(key_id if isinstance(key_id, str) else None, algorithm)
    if key.algorithm != algorithm:
        raise unauthenticated(f"The token is not signed with {key.algorithm}, as this server wants it.")
    return key


def _verified(token: str, key: VerifyingKey, rules: Rules) -> Mapping[str, Any]:
    checks: dict[str, Any] = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            issuer=rules.issuer,
            audience=rules.audience,
            options=checks,  # type: ignore[arg-type]
        )
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    match error:
        case jwt.InvalidSignatureError():
            reason = "The token's signature is not that of a key this server trusts."
        case jwt.InvalidIssuerError():
            reason = "The token comes from another issuer (`iss`)."
        case jwt.InvalidAudienceError():
            reason = "The token is meant for another audience (`aud`)."
        case jwt.MissingRequiredClaimError():
            reason = f"The token lacks a claim that it needs: `{error.claim}`."
        case _:
            reason = "The token is no JWT that can be read."
    raise unauthenticated(reason) from None


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53 or not isfinite(value):
        raise unauthenticated(f"The token's `{name}` is no time: it must be a number of seconds since 1970.")
    return float(value)
