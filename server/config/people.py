"""Settings of the people who are let in, and of the ways in which they sign in."""

from dataclasses import dataclass

from server.config import forms as form
from server.config.forms import setting


@dataclass(frozen=True, slots=True)
class PeopleSettings:
    """People, and how they sign in."""

    auth: str = setting(
        "guest",
        form.choice("guest", "jwt", "oidc"),
        "way",
        "guest: everybody comes in without an account; jwt: another application signs tokens for its people; "
        "oidc: people sign in with an identity provider",
    )
    default_link_role: str | None = setting(
        None,
        form.choice("none", "viewer", "commenter", "editor"),
        "role",
        "the role that the address of a new document gives everybody: editor for guests, because addresses cannot be guessed, "
        "else none",
    )
    rooms_by_name: str | None = setting(
        None,
        form.choice("on", "off"),
        "on or off",
        "whether a room of any name, at the doors of other Yjs protocols, makes a document on first use, for everybody who may "
        "make documents: on for guests, else off",
    )
    secret_key: str | None = setting(
        None,
        form.secret(32),
        "secret",
        "signs cookies and links; without it, a key is made once and kept in the database for all nodes",
        secret=True,
    )
    public_url: str | None = setting(
        None, form.PUBLIC_URL, "URL", "where people reach the server: identity providers send them back to it"
    )
    jwt_secret: str | None = setting(
        None, form.secret(32), "secret", "shared with the application that signs tokens with HS256", secret=True
    )
    jwt_public_key: str | None = setting(
        None, form.PUBLIC_KEY, "key", "the key of the application that signs tokens with RS256 or ES256", secret=True
    )
    jwt_jwks_url: str | None = setting(
        None, form.TRUSTED_URL, "URL", "where the application that signs tokens publishes its keys, and changes them"
    )
    jwt_issuer: str | None = setting(None, form.text(500), "text", "if it is set, tokens must name it as `iss`")
    jwt_audience: str | None = setting(
        None, form.text(500), "text", "if it is set, tokens must name it as `aud`; if not, they must not name one"
    )
    oidc_issuer: str | None = setting(
        None, form.TRUSTED_URL, "URL", "the identity provider, exactly as it calls itself"
    )
    oidc_client_id: str | None = setting(
        None, form.text(500), "text", "the name by which the identity provider knows this server"
    )
    oidc_client_secret: str | None = setting(
        None, form.text(1000), "secret", "a client without one is public, and relies on PKCE alone", secret=True
    )
    oidc_scopes: str = setting(
        "openid profile email", form.SCOPES, "words", "a person's id, name, and e-mail address for invitations"
    )
