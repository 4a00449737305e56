"""Sharing in the store port: grants, links and visits, known people, and secrets.

Promises, beside those of server/store/base.py:

1. **One owner at most.** A person who is granted `owner` takes the place of the present owner, who
   becomes an editor. No other change takes the owner's role away. A change that would leave a
   document without its owner changes nothing, and there is no deed.
2. **Every change is counted.** A change of somebody's access raises the document's `version`, and
   writes a deed, in the same transaction. The answer holds both. So a node that knows a version can
   tell whether it has missed a change. A visit changes nobody's access.
3. **A visit has force** only while the document has a link, and only if the visit was made by that
   very link.
4. **Gone with the document.** Its grants and visits are deleted with it.

A user id is a text that another part of the server has vouched for, or `INVITED` followed by an
address in lower case.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, Protocol

from msgspec import Struct

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store.deeds_base import OPERATOR, Done

INVITED = "email:"
"""Beginning of the user id of a person who was invited by their address, until they sign in."""

MAX_VISITS = 1000
"""Visits that are kept per document. The oldest are forgotten, and need the link again."""


class Link(Struct, frozen=True):
    """A document's link.

    Attributes:
        role: the role that the link gives, or None if the link opens nothing.
        token_hash: SHA-256 of the token that must come with the address, or None if the address
            alone is enough.
        generation: the number of times that the link was renewed. The token is derived from it,
            among other things.
    """

    role: Role | None = None
    token_hash: bytes | None = None
    generation: int = 0


class Standing(Struct, frozen=True):
    """The access of some users to a document: their grants, and who of them visited with force.

    `version` is the version of the document's access. `owner` is None if the document has none.
    """

    version: int
    link: Link
    owner: User | None
    grants: Mapping[str, Role]
    visitors: frozenset[str]


class KnownUser(Struct, frozen=True):
    """A person who was granted a role, has visited a document, or has signed in."""

    user: User
    kind: str
    email: str | None = None


class Person(Struct, frozen=True):
    """A person with access to a document, by a grant or by the link.

    A person whose name is not known is called by their id or address.
    """

    user: User
    email: str | None
    role: Role
    via: Literal["grant", "link"]


class Sharing(Protocol):
    """The access to documents.

    `by` is the user id of the person who makes a change. Changes return None if there is no such
    document.
    """

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        """Read some users' access to some documents at one moment, without absent documents."""

    async def people(self, document_id: DocumentId) -> Sequence[Person]:
        """Read everybody with a grant, owner first, then visitors with force who have no grant."""

    async def grant(self, document_id: DocumentId, user_id: str, role: Role, *, by: str = OPERATOR) -> Done | None:
        """Give somebody a role. `Role.OWNER` takes the role from the present owner.

        A lesser role for the owner changes nothing, and there is no deed.
        """

    async def adopt(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        """Make somebody the owner.

        If the document has an owner, nothing changes, and there is no deed.
        """

    async def revoke(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        """Take somebody's grant and visit away.

        If they are the owner, nothing changes, and there is no deed.
        """

    async def set_link(self, document_id: DocumentId, link: Link, *, by: str = OPERATOR) -> Done | None:
        """Replace the link.

        If the document's link is of a later generation, nothing changes, and there is no deed.
        """

    async def visit(self, document_id: DocumentId, user_id: str) -> None:
        """Store that somebody has come by the present link."""

    async def redeem(self, invited: str, user_id: str) -> Sequence[Done]:
        """Turn the grants of an invitation over to a user id.

        If both have a grant in a document, the stronger role stays. The deeds are the user's.
        """


class Users(Protocol):
    """People by their id."""

    async def remember(self, known: KnownUser) -> None:
        """Store a person's present name, colour and address."""

    async def known(self, user_ids: Collection[str]) -> Mapping[str, KnownUser]:
        """Return those of the people who are known."""

    async def owned(self, user_id: str) -> int:
        """Count the documents that a person owns, in the trash or not."""

    async def by_email(self, email: str) -> KnownUser | None:
        """Find the person with this verified address, in lower case.

        If several people have had the address, return the one who was stored last.
        """


class Secrets(Protocol):
    """Keys that all nodes share. Everybody who can read the database can read the keys."""

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """Return the secret of that name. If there is none yet, `make` becomes the secret.

        If several nodes try at once, one wins, and all of them get its secret.
        """
