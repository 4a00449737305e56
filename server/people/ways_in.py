"""Chooses by the settings how people are known here, and makes the parts of it."""

from collections.abc import Callable
from dataclasses import dataclass

from crdt.permissions import Role
from server.auth.base import Authenticator
from server.auth.guest import GuestAuthenticator
from server.auth.jwks import JwksKeys
from server.auth.jwt import JwtAuthenticator
from server.auth.key_text import public_key, secret_key
from server.auth.oidc import OidcAuthenticator, OidcSignIn
from server.auth.oidc_provider import OidcClient, OidcProvider
from server.auth.secret import SecretKey
from server.auth.tokens import FixedKey, KeySource, Rules
from server.config.people import People

CALLBACK = "/sign-in/callback"


@dataclass(frozen=True, slots=True)
class WayIn:
    """How people are known. `key` must be opened before anybody comes; `sign_in` is there for `oidc` only."""

    key: SecretKey
    authenticator: Authenticator
    sign_in: OidcSignIn | None = None


def way_in(people: People, clock: Callable[[], float], now: Callable[[], float]) -> WayIn:
    """Make what the settings ask for. `clock`: seconds that only grow, `now`: unix seconds."""
    key = SecretKey(people.secret_key)
    match people.auth:
        case "jwt":
            rules = Rules(people.jwt_issuer, people.jwt_audience)
            return WayIn(key, JwtAuthenticator(_keys(people, clock), rules, now))
        case "oidc":
            sign_in = OidcSignIn(OidcProvider(_client(people), clock, now), key, now)
            return WayIn(key, OidcAuthenticator(key, now), sign_in)
        case _:
            return WayIn(key, GuestAuthenticator(key, now))


def default_link_role(people: People) -> Role | None:
    """What the address of a new document lets everybody do; None: nothing."""
    role = people.default_link_role or ("editor" if people.auth == "guest" else "none")
    return None if role == "none" else Role(role)


def _keys(people: People, clock: Callable[[], float]) -> KeySource:
    if people.jwt_secret is not None:
        return FixedKey(secret_key(people.jwt_secret))
    if people.jwt_public_key is not None:
        return FixedKey(public_key(people.jwt_public_key))
    url = people.jwt_jwks_url or ""

    async def address() -> str:
        return url

    return JwksKeys(address, clock)


def _client(people: People) -> OidcClient:
    return OidcClient(
        issuer=people.oidc_issuer or "",
        client_id=people.oidc_client_id or "",
        secret=people.oidc_client_secret,
        scopes=people.oidc_scopes,
        redirect_uri=(people.public_url or "") + CALLBACK,
    )
