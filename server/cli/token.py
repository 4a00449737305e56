"""Tokens for operators: one made as another application would, or one checked, with the reason."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import jwt

from crdt.errors import ManyhandsError
from crdt.permissions import Role
from crdt.protocol.requests import Guest
from server.auth.base import Credentials
from server.auth.jwt import JwtAuthenticator, identity_of
from server.cli import CannotDo
from server.config.people import PeopleSettings
from server.people.ways_in import way_in

SHOWN = ("iss", "aud", "sub", "name", "email", "documents")
"""The claims of a token that are shown, beside its times."""


def mint(people: PeopleSettings, claims: Mapping[str, Any], minutes: float, now: float) -> str:
    """Sign a token with the configured secret.

    Raises CannotDo for a token that the server would refuse.
    """
    if people.jwt_secret is None:
        raise CannotDo(
            "Tokens are made with MANYHANDS_JWT_SECRET (and MANYHANDS_AUTH=jwt): set them as the server has them."
        )
    full: dict[str, Any] = {"iat": int(now), "exp": int(now + 60 * minutes), **claims}
    full |= {name: value for name, value in (("iss", people.jwt_issuer), ("aud", people.jwt_audience)) if value}
    try:
        identity_of(full, now)
    except ManyhandsError as refused:
        raise CannotDo(refused.message) from None
    return jwt.encode(full, people.jwt_secret, algorithm="HS256")


def document_roles(given: tuple[str, ...]) -> dict[str, str]:
    """Parse texts of the form `ID=role`. Raises CannotDo."""
    roles = {}
    for text in given:
        document_id, equals, role = text.rpartition("=")
        if not equals or role not in list(Role):
            raise CannotDo(f"--document takes ID=role or *=role, with one of {', '.join(Role)} as role.")
        roles[document_id] = role
    return roles


async def inspect(people: PeopleSettings, token: str) -> tuple[bool, str]:
    """Return whether the server would take a token, and the lines to print.

    The lines hold no part of the token that could be used.
    """
    lines = [f"{name}: {value}" for name, value in _claims_of(token).items()]
    authenticator = way_in(people, time.monotonic, time.time).authenticator
    if not isinstance(authenticator, JwtAuthenticator):
        return False, "\n".join([*lines, "This server takes no tokens: MANYHANDS_AUTH is not jwt."])
    try:
        identity = await authenticator.identify(Credentials(None, token, Guest()))
    except ManyhandsError as refused:
        return False, "\n".join([*lines, f"Refused: {refused.message}"])
    return True, "\n".join([*lines, f"Good: the server takes the token for {identity.user.user_id}."])


def _claims_of(token: str) -> dict[str, str]:
    """Return the claims to show. They are not verified."""
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        return {}
    said = {"alg": json.dumps(header.get("alg")), "kid": json.dumps(header.get("kid"))}
    said |= {name: json.dumps(claims[name]) for name in SHOWN if name in claims}
    return said | {name: _moment(claims[name]) for name in ("iat", "nbf", "exp") if name in claims}


def _moment(value: object) -> str:
    try:
        return datetime.fromtimestamp(float(str(value)), UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return json.dumps(value)
