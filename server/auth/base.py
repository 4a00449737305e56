"""The authentication port: credentials that a stranger shows become an identity, or a refusal.

What an identity may do in a document is not decided here (server/people/access.py does), except
where a token itself says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from crdt.errors import Code, ProtocolError
from crdt.permissions import Role
from crdt.protocol.messages import User
from crdt.protocol.requests import Guest

Kind = Literal["guest", "jwt", "oidc"]

EVERY_DOCUMENT = "*"
"""Stands for all documents in `Identity.document_roles`."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody whom the server vouches for.

    Attributes:
        user: as others see them.
        kind: by which way they have come.
        email: their address in lower case, if somebody trustworthy has verified it.
        expires_at: unix seconds after which this must not be relied upon any more; None: it lasts.
        document_roles: what a token itself says, by document id or `EVERY_DOCUMENT`.
        lasting: whether the same person will be known again. A guest who has shown no cookie may
            not be, so nothing is remembered of them: they own nothing and leave no visits.
    """

    user: User
    kind: Kind
    email: str | None = None
    expires_at: float | None = None
    document_roles: Mapping[str, Role] = field(default_factory=dict)
    lasting: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows: the session cookie's value, a token from elsewhere, and what a guest says of themselves."""

    cookie: str | None = field(repr=False)
    token: str | None = field(repr=False)
    guest: Guest


class Authenticator(Protocol):
    """One way to find out who somebody is."""

    async def identify(self, credentials: Credentials) -> Identity:
        """Recognise somebody; raises ProtocolError(unauthenticated), or Unavailable when it cannot be found out now."""


def may_create(identity: Identity) -> bool:
    """Whether somebody may make documents: not those whose token names the documents that it is for."""
    said = identity.document_roles
    return not said or (EVERY_DOCUMENT in said and said[EVERY_DOCUMENT].may_write)


def unauthenticated(reason: str) -> ProtocolError:
    """A refusal; the reason is a whole sentence."""
    return ProtocolError(Code.UNAUTHENTICATED, reason)


def somebody_else() -> ProtocolError:
    """What a connection is told when it brings another person's token."""
    return ProtocolError(
        Code.FORBIDDEN, "That is somebody else's token: this connection stays its person's. Connect anew."
    )
