"""Keys as operators write them, and as key sets publish them: what cannot verify safely is refused."""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from server.auth.tokens import VerifyingKey

MIN_SECRET = 32
"""Characters: a shorter HMAC secret can be found out from one token."""

MIN_RSA_BITS = 2048


def secret_key(text: str) -> VerifyingKey:
    """A secret shared with whoever signs; raises ValueError."""
    if len(text.encode()) < MIN_SECRET:
        raise ValueError(f"at least {MIN_SECRET} characters")
    return VerifyingKey(text.encode(), "HS256")


def public_key(pem: str) -> VerifyingKey:
    """A public key as PEM text; raises ValueError."""
    try:
        return _usable(load_pem_public_key(pem.encode()))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("a public key in PEM, RSA of at least 2048 bits or EC on P-256") from None


def published_key(jwk: Mapping[str, Any]) -> VerifyingKey | None:
    """One key of a key set; None: it is not for verifying, or not of a kind that we take. Symmetric keys are never taken."""
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
