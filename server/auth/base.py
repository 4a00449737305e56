"""The authentication port: it turns a stranger's credentials into an identity, or refuses them.

server/people/access.py decides what an identity may do in a document, except for roles that a token
itself names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from crdt.errors import Code, ProtocolError
from crdt.permissions import Role
from crdt.protocol.messages import User
from crdt.protocol.requests import Guest

Kind = Literal["guest", "jwt", "oidc", "service"]

EVERY_DOCUMENT = "*"
"""The key for all documents in `Identity.document_roles`."""


class Identity(Struct, frozen=True):
    """A person whom the server has recognised.

    Attributes:
        user: the person as others see them.
        kind: the way by which the person has signed in.
        email: the person's address in lower case, if somebody trustworthy has verified it.
        expires_at: unix seconds after which the identity is not valid any more, or None.
        document_roles: roles that the token itself names, by document id or `EVERY_DOCUMENT`.
        agent_for: for a program that writes by itself, the user id of the person that it writes
            for, or empty for nobody else. None for a person.
        lasting: whether the same person will be recognised again. A guest without a cookie may not
            be. So nothing is stored for such a guest: they own nothing and leave no visits.
    """

    user: User
    kind: Kind
    email: str | None = None
    expires_at: float | None = None
    document_roles: Mapping[str, Role] = msgspec.field(default_factory=dict)
    lasting: bool = True
    agent_for: str | None = None


@dataclass(frozen=True, slots=True)
class Credentials:
    """The session cookie's value, a token, and the name and colour that a guest asks for."""

    cookie: str | None = field(repr=False)
    token: str | None = field(repr=False)
    guest: Guest


class Authenticator(Protocol):
    """One way to sign in."""

    async def identify(self, credentials: Credentials) -> Identity:
        """Recognise a person.

        Raises ProtocolError(unauthenticated), or Unavailable if the check cannot be made now.
        """


def may_create(identity: Identity) -> bool:
    """Whether a person may create documents.

    A person whose token names documents may not, unless the token lets them write in all documents.
    """
    roles = identity.document_roles
    return not roles or (EVERY_DOCUMENT in roles and roles[EVERY_DOCUMENT].may_write)


def unauthenticated(reason: str) -> ProtocolError:
    """Return a refusal. `reason` is a whole sentence."""
    return ProtocolError(Code.UNAUTHENTICATED, reason)


def somebody_else() -> ProtocolError:
    """Return the refusal of another person's token on a connection."""
    return ProtocolError(
        Code.FORBIDDEN, "This token belongs to somebody else, and a connection keeps its person. Connect anew."
    )
