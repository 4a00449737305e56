"""Ways in: the authenticator that the settings ask for, and the parts that it needs.

Only the chosen way is imported. The libraries for tokens and identity providers take a third as
long to import as the rest of the server.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from crdt.permissions import Role
from server.auth.base import Authenticator
from server.auth.cookies import GuestAuthenticator, SecretKey
from server.config.people import PeopleSettings

if TYPE_CHECKING:
    from server.auth.jwt import JwtAuthenticator
    from server.auth.oidc import OidcSignIn
    from server.auth.tokens import KeySource

CALLBACK = "/sign-in/callback"


class WayIn(Struct, frozen=True):
    """The way in which people are known here.

    `key` must be opened before anybody comes. `sign_in` exists for `oidc` only.
    """

    key: SecretKey
    authenticator: Authenticator
    sign_in: "OidcSignIn | None" = None


def way_in(people: PeopleSettings, clock: Callable[[], float], now: Callable[[], float]) -> WayIn:
    """Make what the settings ask for. `clock`: monotonic seconds; `now`: unix seconds."""
    key = SecretKey(people.secret_key)
    match people.auth:
        case "jwt":
            return WayIn(key, _by_token(people, clock, now))
        case "oidc":
            return _by_provider(people, key, clock, now)
        case _:
            return WayIn(key, GuestAuthenticator(key, now))


def default_link_role(people: PeopleSettings) -> Role | None:
    """Return the role that a new document's address gives to everybody, or None for no role."""
    role = people.default_link_role or ("editor" if people.auth == "guest" else "none")
    return None if role == "none" else Role(role)


def rooms_by_name(people: PeopleSettings) -> bool:
    """Whether a name that nobody has used makes a document, at doors whose protocol has rooms."""
    return (people.rooms_by_name or ("on" if people.auth == "guest" else "off")) == "on"


def _by_token(people: PeopleSettings, clock: Callable[[], float], now: Callable[[], float]) -> "JwtAuthenticator":
    from server.auth.jwt import JwtAuthenticator
    from server.auth.tokens import Rules

    return JwtAuthenticator(_keys(people, clock), Rules(people.jwt_issuer, people.jwt_audience), now)


def _keys(people: PeopleSettings, clock: Callable[[], float]) -> "KeySource":
    from server.auth.jwks import JwksKeys
    from server.auth.tokens import FixedKey, public_key, secret_key

    if people.jwt_secret is not None:
        return FixedKey(secret_key(people.jwt_secret))
    if people.jwt_public_key is not None:
        return FixedKey(public_key(people.jwt_public_key))
    url = people.jwt_jwks_url or ""

    async def address() -> str:
        return url

    return JwksKeys(address, clock)


def _by_provider(people: PeopleSettings, key: SecretKey, clock: Callable[[], float], now: Callable[[], float]) -> WayIn:
    from server.auth.oidc import OidcAuthenticator, OidcSignIn
    from server.auth.oidc_provider import OidcClient, OidcProvider

    client = OidcClient(
        issuer=people.oidc_issuer or "",
        client_id=people.oidc_client_id or "",
        secret=people.oidc_client_secret,
        scopes=people.oidc_scopes,
        redirect_uri=(people.public_url or "") + CALLBACK,
    )
    sessions = OidcAuthenticator(key, now)
    return WayIn(key, sessions, OidcSignIn(OidcProvider(client, clock, now), sessions, key, now))
