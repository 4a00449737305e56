"""Keys from operators' settings and from published key sets. Unsafe keys are refused."""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from server.auth.tokens import VerifyingKey

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
