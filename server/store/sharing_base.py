"""The part of the store port that says who has access: grants, links and visits, known people, and secrets.

Promises, beside those of server/store/base.py:

1. **One owner at most.** Whoever is granted `owner` while somebody else is owner takes their place;
   the former owner becomes an editor. Nothing else makes an owner less: what would leave a document
   without its owner changes nothing, and there is no deed.
2. **Every change is counted.** What changes somebody's access raises the document's `version` and
   writes a deed in the same transaction, and answers with both. So whoever knows a version knows
   whether they have missed something. A visit changes nobody's access.
3. **A visit has force** only while the document has a link and the visit was made by the very link
   it has now.
4. **Gone with the document.** Its grants and visits are deleted with it.

User ids are texts that another part of the server has vouched for, or `INVITED` followed by an
address in lower case.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store.deeds_base import OPERATOR, Done

INVITED = "email:"
"""What the user id of somebody begins with who was invited by their address, and has not signed in yet."""

MAX_VISITS = 1000
"""People kept per document who came by its link; the ones who came first are forgotten, and come by the link again."""


@dataclass(frozen=True, slots=True)
class Link:
    """What whoever has the link may do. `role` None: the link opens nothing.

    `token_hash`: SHA-256 of the token that must come with the address; None: the address alone is
    enough. `generation` counts how often the link was made anew, and is part of what its token is
    derived from.
    """

    role: Role | None = None
    token_hash: bytes | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What a document says of some users: their grants, and which of them have visited with force.

    `version`: of the document's access; `owner`: as remembered, None: it has none.
    """

    version: int
    link: Link
    owner: User | None
    grants: Mapping[str, Role]
    visitors: frozenset[str]


@dataclass(frozen=True, slots=True)
class KnownUser:
    """Somebody who was granted something, has visited or has signed in."""

    user: User
    kind: str
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with access to a document, and by what. Whoever is not known by name is called by their id or address."""

    user: User
    email: str | None
    role: Role
    via: Literal["grant", "link"]


class Sharing(Protocol):
    """Who has access to which document. `by`: the user id of whoever changes it; None: there is no such document."""

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        """What these documents say of these users, read at one moment; absent documents are left out."""

    async def people(self, document_id: DocumentId) -> Sequence[Person]:
        """Everybody with a grant, owner first, then who has visited with force and has none."""

    async def grant(self, document_id: DocumentId, user_id: str, role: Role, *, by: str = OPERATOR) -> Done | None:
        """Give somebody a role; `Role.OWNER` takes it from whoever has it. For an owner nothing else changes anything."""

    async def adopt(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        """Make somebody the owner, unless the document has one: then nothing changes, and there is no deed."""

    async def revoke(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        """Take somebody's grant and visit away, unless they are the owner: then nothing changes, and there is no deed."""

    async def set_link(self, document_id: DocumentId, link: Link, *, by: str = OPERATOR) -> Done | None:
        """Replace the link, unless the document's is of a later generation: then nothing changes, and there is no deed."""

    async def visit(self, document_id: DocumentId, user_id: str) -> None:
        """Remember that somebody has come by the link as it is now."""

    async def redeem(self, invited: str, user_id: str) -> Sequence[Done]:
        """Turn what was granted to one user id over to another, who keeps the stronger role, and whose deeds they are."""


class Users(Protocol):
    """People by their id."""

    async def remember(self, known: KnownUser) -> None:
        """Keep how somebody is called now."""

    async def known(self, user_ids: Collection[str]) -> Mapping[str, KnownUser]:
        """Those of them who are known."""

    async def owned(self, user_id: str) -> int:
        """How many documents are theirs, in the trash or not."""

    async def by_email(self, email: str) -> KnownUser | None:
        """Whoever has this verified address, in lower case; the one seen last if it was given to somebody else."""


class Secrets(Protocol):
    """Keys that all nodes share. Whoever reads the database can read them."""

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """The secret of that name; `make` becomes it if there is none yet, and of many who try at once one wins."""
