"""The part of the store port that says who has access: grants, links and visits, known people, secrets, the record of changes.

Promises, beside those of server/store/base.py:

1. **One owner at most.** Whoever is granted `owner` while somebody else is owner takes their place;
   the former owner becomes an editor.
2. **Every change is counted.** What changes somebody's access raises the document's `version` in
   the same transaction and answers with the new one, so that whoever knows a version knows whether
   they have missed something. A visit changes nobody's access.
3. **A visit has force** only while the document has a link and the visit was made by the very link
   it has now.
4. **The record outlives the document.** Grants and visits go with it.

User ids are texts that another part of the server has vouched for, or `INVITED` followed by an
address in lower case.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import User

INVITED = "email:"
"""What the user id of somebody begins with who was invited by their address, and has not signed in yet."""

DEEDS_KEPT = 1000
"""Per document, the last ones: whoever trashes and restores over and over fills no more than this, and what others did lately stays."""

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


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done to a document, by whom."""

    at: datetime
    actor_id: str
    action: str
    document_id: DocumentId
    details: Mapping[str, str]


class Sharing(Protocol):
    """Who has access to which document. What changes access answers with its new version; None: there is no such document."""

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        """What these documents say of these users, read at one moment; absent documents are left out."""

    async def people(self, document_id: DocumentId) -> Sequence[Person]:
        """Everybody with a grant, owner first, then who has visited with force and has none."""

    async def grant(self, document_id: DocumentId, user_id: str, role: Role) -> int | None:
        """Give somebody a role; `Role.OWNER` takes it from whoever has it. An owner who is granted less leaves the document without."""

    async def revoke(self, document_id: DocumentId, user_id: str) -> int | None:
        """Take somebody's grant and visit away."""

    async def set_link(self, document_id: DocumentId, link: Link) -> int | None:
        """Replace the link, unless the document's is of a later generation: then nothing changes, and the version is the present one."""

    async def visit(self, document_id: DocumentId, user_id: str) -> None:
        """Remember that somebody has come by the link as it is now."""

    async def redeem(self, invited: str, user_id: str) -> Mapping[DocumentId, int]:
        """Turn what was granted to one user id over to another, who keeps the stronger role; the versions of what has changed."""


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


class Audit(Protocol):
    """The record of who has changed what somebody else may do."""

    async def record(self, deed: Deed) -> None:
        """Write something down. Of each document the last DEEDS_KEPT are kept, so that nobody fills the store by doing and undoing."""

    async def list(self, document_id: DocumentId, limit: int = 200) -> Sequence[Deed]:
        """What was done to a document, the last first."""
