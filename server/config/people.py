"""Settings of the people who are let in, and of the ways in which they sign in."""

from dataclasses import dataclass
from typing import Annotated

from server.config import forms as form
from server.config.forms import Setting


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """People, and how they sign in."""

    auth: Annotated[
        str,
        Setting(
            form.choice("guest", "jwt", "oidc"),
            "way",
            "guest: everybody comes in without an account; jwt: another application signs tokens for its people; "
            "oidc: people sign in with an identity provider",
        ),
    ] = "guest"
    default_link_role: Annotated[
        str | None,
        Setting(
            form.choice("none", "viewer", "commenter", "editor"),
            "role",
            "the role that the address of a new document gives everybody: editor for guests, because addresses cannot be guessed, "
            "else none",
        ),
    ] = None
    secret_key: Annotated[
        str | None,
        Setting(
            form.secret(32),
            "secret",
            "signs cookies and links; without it, a key is made once and kept in the database for all nodes",
            secret=True,
        ),
    ] = None
    public_url: Annotated[
        str | None,
        Setting(form.PUBLIC_URL, "URL", "where people reach the server: identity providers send them back to it"),
    ] = None
    jwt_secret: Annotated[
        str | None,
        Setting(form.secret(32), "secret", "shared with the application that signs tokens with HS256", secret=True),
    ] = None
    jwt_public_key: Annotated[
        str | None,
        Setting(
            form.PUBLIC_KEY, "key", "the key of the application that signs tokens with RS256 or ES256", secret=True
        ),
    ] = None
    jwt_jwks_url: Annotated[
        str | None,
        Setting(
            form.TRUSTED_URL, "URL", "where the application that signs tokens publishes its keys, and changes them"
        ),
    ] = None
    jwt_issuer: Annotated[
        str | None,
        Setting(form.text(500), "text", "if it is set, tokens must name it as `iss`"),
    ] = None
    jwt_audience: Annotated[
        str | None,
        Setting(form.text(500), "text", "if it is set, tokens must name it as `aud`; if not, they must not name one"),
    ] = None
    oidc_issuer: Annotated[
        str | None,
        Setting(form.TRUSTED_URL, "URL", "the identity provider, exactly as it calls itself"),
    ] = None
    oidc_client_id: Annotated[
        str | None,
        Setting(form.text(500), "text", "the name by which the identity provider knows this server"),
    ] = None
    oidc_client_secret: Annotated[
        str | None,
        Setting(form.text(1000), "secret", "a client without one is public, and relies on PKCE alone", secret=True),
    ] = None
    oidc_scopes: Annotated[
        str,
        Setting(form.SCOPES, "words", "a person's id, name, and e-mail address for invitations"),
    ] = "openid profile email"
