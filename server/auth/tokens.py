"""Tokens that others sign (JWT, RFC 7519): verified claims or a refusal with its reason, and keys.

1. The key decides which algorithm is accepted, never the token. So a public key is not taken for an
   HMAC secret, and `none` is not taken for a signature.
2. Addresses of keys in a token's header (`jku`, `jwk`, `x5u`) are ignored.
3. No part of a token is repeated in a refusal, or written to the log.
4. Unsafe keys are refused, whether an operator sets them or an issuer publishes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NoReturn, Protocol

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from msgspec import Struct

from server.auth.base import unauthenticated

MAX_CHARACTERS = 16 * 2**10
"""Most characters of a token. A token with 300 documents fits."""

LEEWAY_SECONDS = 30.0
"""Seconds by which the issuer's clock may be ahead of ours. Tokens do not last longer for it."""

PublicKey = RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key, and the only algorithm that it is accepted for."""

    key: PublicKey | bytes = field(repr=False)
    algorithm: str


class KeySource(Protocol):
    """Keys whose signatures are accepted."""

    async def key_for(self, key_id: str | None, algorithm: str) -> VerifyingKey:
        """Return the key that a token names.

        Raises ProtocolError(unauthenticated) or Unavailable.
        """


class FixedKey:
    """A single key that the operator has set."""

    def __init__(self, key: VerifyingKey) -> None:
        self._key = key

    async def key_for(self, key_id: str | None, algorithm: str) -> VerifyingKey:  # noqa: ARG002 - there is only one
        return self._key


class Rules(Struct, frozen=True):
    """The issuer and the audience that a token must name.

    With `issuer` None, any issuer is accepted. With `audience` None, the token may not name one.
    """

    issuer: str | None
    audience: str | None


async def read_token(token: str, keys: KeySource, rules: Rules, now: float) -> Mapping[str, Any]:
    """Check a token and its times, and return its claims, with `exp` as a number.

    `now` is in unix seconds. Raises ProtocolError(unauthenticated) or Unavailable.
    """
    claims = _verified(token, await _key_of(token, keys), rules)
    if expiry_of(claims) <= now:
        raise unauthenticated("The token has expired. Send a fresh one.")
    starts = max(_time(claims, "nbf") or 0.0, _time(claims, "iat") or 0.0)
    if starts > now + LEEWAY_SECONDS:
        raise unauthenticated("The token is not valid yet. Compare the clocks of the two servers.")
    return claims


def expiry_of(claims: Mapping[str, Any]) -> float:
    """Return when a token expires, in unix seconds. Raises ProtocolError(unauthenticated)."""
    expires_at = _time(claims, "exp")
    if expires_at is None:
        raise unauthenticated("The token does not say when it expires (`exp`).")
    return expires_at


async def _key_of(token: str, keys: KeySource) -> VerifyingKey:
    if len(token) > MAX_CHARACTERS:
        raise unauthenticated("The token is too long.")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise unauthenticated("The token is not a JWT.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        raise unauthenticated("The token is not signed.")
    key = await keys.key_for(key_id if isinstance(key_id, str) else None, algorithm)
    if key.algorithm != algorithm:
        raise unauthenticated(f"The token is not signed with {key.algorithm}, as this server requires.")
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
            reason = "The token cannot be read as a JWT."
    raise unauthenticated(reason) from None


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53 or not isfinite(value):
        raise unauthenticated(f"The token's `{name}` is not a time: it must be a number of seconds since 1970.")
    return float(value)


MIN_SECRET = 32
"""Bytes. A shorter HMAC secret can be guessed from a single token."""

MIN_RSA_BITS = 2048


def secret_key(text: str) -> VerifyingKey:
    """Return the key for a secret that the tokens' issuer shares. Raises ValueError."""
    if len(text.encode()) < MIN_SECRET:
        raise ValueError(f"at least {MIN_SECRET} characters")
    return VerifyingKey(text.encode(), "HS256")


def public_key(pem: str) -> VerifyingKey:
    """Return the key for a public key in PEM. Raises ValueError."""
    try:
        return _usable(load_pem_public_key(pem.encode()))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("a public key in PEM, RSA of at least 2048 bits or EC on P-256") from None


def published_key(jwk: Mapping[str, Any]) -> VerifyingKey | None:
    """Return the key for an entry of a key set.

    Return None if the entry is not for verifying, or has another kind than RSA and EC. Symmetric
    keys are never taken.
    """
    if jwk.get("kty") not in ("RSA", "EC") or jwk.get("use", "sig") != "sig":
        return None
    try:
        key = _usable(jwt.PyJWK.from_dict(dict(jwk)).key)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        return None
    return key if jwk.get("alg", key.algorithm) == key.algorithm else None


def _usable(key: object) -> VerifyingKey:
    match key:
        case RSAPublicKey() if key.key_size >= MIN_RSA_BITS:
            return VerifyingKey(key, "RS256")
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return VerifyingKey(key, "ES256")
        case _:
            raise ValueError
