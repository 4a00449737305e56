"""Who has access, in memory: the sharing port and its neighbours as dictionaries."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Protocol

from crdt.ids import DocumentId
from crdt.permissions import Role, strongest
from server.store.base import Whose
from server.store.sharing_base import DEEDS_KEPT, MAX_VISITS, Deed, KnownUser, Link, Person, Standing
from server.store.users import shown


@dataclass(slots=True)
class AccessList:
    """One document's access. Grants are in the order in which they were given; the last visit is the last."""

    link: Link
    version: int = 0
    grants: dict[str, Role] = field(default_factory=dict)
    visits: dict[str, bytes | None] = field(default_factory=dict)

    @property
    def owner(self) -> str | None:
        """Whose it is."""
        return next((user_id for user_id, role in self.grants.items() if role is Role.OWNER), None)

    @property
    def visitors(self) -> list[str]:
        """Who has visited with force, the last one first."""
        if self.link.role is None:
            return []
        return [user_id for user_id, token_hash in reversed(self.visits.items()) if token_hash == self.link.token_hash]

    def put(self, user_id: str, role: Role) -> None:
        """Grant something."""
        former = self.owner
        if role is Role.OWNER and former is not None:
            self.grants[former] = Role.EDITOR
        self.grants[user_id] = role

    def raised(self) -> int:
        """Count a change."""
        self.version += 1
        return self.version

    def concerns(self, whose: Whose, *, in_trash: bool, new: bool) -> bool:
        """Whether the document is in somebody's list. `new`: it is among the newest of those that nobody owns."""
        owned = self.owner == whose.user_id
        if whose.shared is False:
            return owned
        came = whose.user_id in self.grants or whose.user_id in self.visitors
        given = came and not owned and not in_trash
        if whose.shared:
            return given
        return owned or given or (whose.with_ownerless and self.owner is None and (new or came))


class _Document(Protocol):
    access: AccessList


class MemorySharing:
    """The sharing port over the documents' access lists."""

    def __init__(self, documents: Mapping[DocumentId, _Document], users: "MemoryUsers") -> None:
        self._documents = documents
        self._users = users

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        """Copy out what concerns these users."""
        return {
            document_id: self._standing(found, user_ids)
            for document_id in document_ids
            if (found := self._list(document_id)) is not None
        }

    def _standing(self, found: AccessList, user_ids: Collection[str]) -> Standing:
        return Standing(
            found.version,
            found.link,
            None if found.owner is None else self._users.called(found.owner).user,
            {user_id: role for user_id, role in found.grants.items() if user_id in user_ids},
            frozenset(found.visitors) & frozenset(user_ids),
        )

    async def people(self, document_id: DocumentId) -> Sequence[Person]:
        """Everybody with a grant, then visitors."""
        found = self._list(document_id)
        if found is None:
            return []
        given = sorted(found.grants.items(), key=lambda item: item[1] is not Role.OWNER)
        people = [self._person(user_id, role) for user_id, role in given]
        came = [user_id for user_id in found.visitors if user_id not in found.grants]
        role = found.link.role or Role.VIEWER
        return people + [replace(self._person(user_id, role), via="link") for user_id in came]

    def _person(self, user_id: str, role: Role) -> Person:
        known = self._users.called(user_id)
        return Person(known.user, known.email, role, "grant")

    async def grant(self, document_id: DocumentId, user_id: str, role: Role) -> int | None:
        """Give somebody a role."""
        found = self._list(document_id)
        if found is None:
            return None
        found.put(user_id, role)
        return found.raised()

    async def revoke(self, document_id: DocumentId, user_id: str) -> int | None:
        """Take somebody's grant and visit away."""
        found = self._list(document_id)
        if found is None:
            return None
        found.grants.pop(user_id, None)
        found.visits.pop(user_id, None)
        return found.raised()

    async def set_link(self, document_id: DocumentId, link: Link) -> int | None:
        """Replace the link."""
        found = self._list(document_id)
        if found is None:
            return None
        if found.link.generation > link.generation:
            return found.version
        found.link = link
        return found.raised()

    async def visit(self, document_id: DocumentId, user_id: str) -> None:
        """Remember that somebody has come by the link."""
        found = self._list(document_id)
        if found is None or found.link.role is None:
            return
        found.visits.pop(user_id, None)
        found.visits[user_id] = found.link.token_hash
        if len(found.visits) > MAX_VISITS:
            del found.visits[next(iter(found.visits))]

    async def redeem(self, invited: str, user_id: str) -> Mapping[DocumentId, int]:
        """Turn grants over."""
        versions: dict[DocumentId, int] = {}
        for document_id, document in self._documents.items():
            grants = document.access.grants
            role = strongest(grants.pop(invited, None), grants.get(user_id)) if invited in grants else None
            if role is not None:
                document.access.put(user_id, role)
                versions[document_id] = document.access.raised()
        return versions

    def _list(self, document_id: DocumentId) -> AccessList | None:
        document = self._documents.get(document_id)
        return None if document is None else document.access


class MemoryUsers:
    """People in the order in which they were last seen."""

    def __init__(self, documents: Mapping[DocumentId, _Document]) -> None:
        self._documents = documents
        self._known: dict[str, KnownUser] = {}

    def called(self, user_id: str) -> KnownUser:
        """Somebody, known or not."""
        return self._known.get(user_id) or KnownUser(shown(user_id), "")

    async def remember(self, known: KnownUser) -> None:
        """Keep how somebody is called now."""
        self._known.pop(known.user.user_id, None)
        self._known[known.user.user_id] = known

    async def owned(self, user_id: str) -> int:
        """Count their documents."""
        return sum(document.access.owner == user_id for document in self._documents.values())

    async def known(self, user_ids: Collection[str]) -> Mapping[str, KnownUser]:
        """Those of them who are known."""
        return {user_id: self._known[user_id] for user_id in user_ids if user_id in self._known}

    async def by_email(self, email: str) -> KnownUser | None:
        """Whoever has this address."""
        return next((known for known in reversed(self._known.values()) if known.email == email), None)


class MemorySecrets:
    """Secrets by name."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """The secret of that name."""
        return self._secrets.setdefault(name, make)


class MemoryAudit:
    """Deeds as a list."""

    def __init__(self) -> None:
        self._deeds: list[Deed] = []

    async def record(self, deed: Deed) -> None:
        """Write something down."""
        self._deeds.append(replace(deed, at=deed.at.astimezone(UTC), details=dict(deed.details)))
        mine = [each for each in self._deeds if each.document_id == deed.document_id]
        if len(mine) > DEEDS_KEPT:
            self._deeds.remove(mine[0])

    async def list(self, document_id: DocumentId, limit: int = 200) -> Sequence[Deed]:
        """What was done to a document, the last first."""
        return [deed for deed in reversed(self._deeds) if deed.document_id == document_id][:limit]
