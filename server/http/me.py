"""`/api/me` and `/api/session`: the current person, a guest's display name, token sessions."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from crdt.errors import Code, ProtocolError
from crdt.protocol.messages import User
from crdt.protocol.requests import Guest
from server.auth.appearance import NAME_CHARACTERS, is_color, shown_name
from server.auth.base import Authenticator, Credentials, Identity, Kind, may_create
from server.auth.cookies import MAX_CHARACTERS, SESSION, Cookie, GuestAuthenticator, forgotten, rename, session_cookie
from server.http.documents import Time
from server.http.middleware import give_cookie
from server.http.operation import Asked, operation

SignedIn = Callable[[Identity], Awaitable[None]]
"""Called with everybody who has just signed in."""


class Look(Struct, forbid_unknown_fields=True):
    """The name and the colour by which a guest wants to be shown."""

    name: Annotated[
        str | UnsetType,
        Meta(
            description="a text with something visible in it",
            extra_json_schema={"minLength": 1, "maxLength": 4 * NAME_CHARACTERS},
        ),
    ] = UNSET
    color: Annotated[
        str | UnsetType,
        Meta(description="six hexadecimal digits after a #", extra_json_schema={"pattern": "^#[0-9A-Fa-f]{6}$"}),
    ] = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.name, str) and (len(self.name) > 4 * NAME_CHARACTERS or not shown_name(self.name)):
            raise ValueError("`name` must be a text with something visible in it.")
        if isinstance(self.color, str) and not is_color(self.color):
            raise ValueError("`color` must be six hexadecimal digits after a #.")


class Token(Struct, forbid_unknown_fields=True):
    """A token that another application has signed."""

    token: Annotated[str, Meta(description="a string of ASCII characters", extra_json_schema={"pattern": "^[ -~]*$"})]

    def __post_init__(self) -> None:
        if not self.token.isascii():
            raise ValueError("`token` must be a string of ASCII characters.")


class Me(Struct):
    """The person who asks, and how the server knows them.

    `expires_at` is null if that does not end at a fixed time.
    """

    user: User
    kind: Kind
    email: str | None
    may_rename: bool
    may_create: bool
    expires_at: Time | None


class MeApi:
    """`/api/me` and `/api/session`.

    `now` returns unix seconds. `takes_tokens`: the authenticator accepts tokens.
    """

    def __init__(
        self, authenticator: Authenticator, signed_in: SignedIn, now: Callable[[], float], *, takes_tokens: bool
    ) -> None:
        self._authenticator = authenticator
        self._takes_tokens = takes_tokens
        self._signed_in = signed_in
        self._now = now

    @operation("GET /api/me")
    async def who_am_i(self, asked: Asked) -> Me:
        """Say who the server takes you for.

        Like every answer of the API, the answer to a newcomer sets their cookie.
        """
        identity, guests = asked.identity, self._authenticator
        if isinstance(guests, GuestAuthenticator) and guests.is_old(session_cookie(asked.request.scope)):
            give_cookie(asked.request, guests.cookie(identity.user))
        return _shown(asked, identity)

    @operation("PATCH /api/me")
    async def change_me(self, asked: Asked, body: Look) -> Me:
        """Change your name or colour. Guests only (else 403)."""
        guests = self._authenticator
        if not isinstance(guests, GuestAuthenticator):
            raise ProtocolError(Code.FORBIDDEN, "Your name comes from where you signed in: change it there.")
        look = Guest(None if body.name is UNSET else body.name, None if body.color is UNSET else body.color)
        identity = rename(asked.identity, look)
        give_cookie(asked.request, guests.cookie(identity.user))
        return _shown(asked, identity)

    @operation("POST /api/session")
    async def begin_session(self, asked: Asked, body: Token) -> Me:
        """Put a token into the session cookie. `jwt` only (else 403)."""
        if not self._takes_tokens:
            raise ProtocolError(Code.FORBIDDEN, "This server takes no tokens.")
        identity = await self._authenticator.identify(Credentials(None, body.token, Guest()))
        if len(body.token) > MAX_CHARACTERS - 256:
            raise ProtocolError(Code.TOO_LARGE, "The token is too long for a cookie: name fewer documents in it.")
        await self._signed_in(identity)
        seconds = max(1, int((identity.expires_at or self._now()) - self._now()))
        give_cookie(asked.request, Cookie(SESSION, body.token, seconds))
        return _shown(asked, identity)

    @operation("DELETE /api/session")
    async def end_session(self, asked: Asked) -> None:
        """Forget the session cookie."""
        give_cookie(asked.request, forgotten(SESSION))


def _shown(asked: Asked, identity: Identity) -> Me:
    asked.headers["Cache-Control"] = "no-store"
    ends = identity.expires_at
    return Me(
        identity.user,
        identity.kind,
        identity.email,
        may_rename=identity.kind == "guest",
        may_create=may_create(identity),
        expires_at=None if ends is None else datetime.fromtimestamp(ends, UTC).isoformat(),
    )
