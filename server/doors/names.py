"""Names of documents at doors whose protocol has rooms: a document's id, or any name.

A name that nobody has used makes a document, if the setting allows it. The store keeps the name, so
it means the same document on every node and for ever, also after the document is deleted.
"""

from collections.abc import Callable
from datetime import datetime
from math import ceil

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Role
from crdt.protocol.messages import clean_text
from server.auth.base import Identity
from server.people.access import Access
from server.store.base import Catalogue, new_document_id, new_epoch

NAME_CHARACTERS = 255
"""Most characters of a name."""

NO_NAMES = "There is no such document. Here a room is the id of a document; with MANYHANDS_ROOMS_BY_NAME=on it may be any name."


async def existing(catalogue: Catalogue, name: str) -> DocumentId | None:
    """Return the document of a name, if there is one.

    Raises ProtocolError(malformed) for what is no name, and Unavailable.
    """
    if is_document_id(name) and await catalogue.get(DocumentId(name)) is not None:
        return DocumentId(name)
    if not 0 < len(name) <= NAME_CHARACTERS or not name.isprintable():
        raise ProtocolError(Code.MALFORMED, f"A name has 1 to {NAME_CHARACTERS} printable characters.")
    return await catalogue.named(name)


async def make_named(
    catalogue: Catalogue, name: str, now: datetime, *, by: str, owner: str | None, link_role: Role | None
) -> DocumentId:
    """Return a new document of a name, or the one that somebody else has made meanwhile."""
    title = clean_text(name)
    return await catalogue.create_named(
        name, new_document_id(), title, new_epoch(), now, by=by, owner=owner, link_role=link_role
    )


class NamedDocuments:
    """The documents of names.

    `makes`: whether a name may make a document. `take`: takes one token of an address's rate of new
    documents, and returns 0, or the seconds to wait. `clock` returns the time in UTC.
    """

    def __init__(  # noqa: PLR0913 - all that a document begins with
        self,
        catalogue: Catalogue,
        access: Access,
        take: Callable[[str], float],
        clock: Callable[[], datetime],
        *,
        makes: bool,
        link_role: Role | None = Role.EDITOR,
        most_owned: int = 10_000,
    ) -> None:
        self._catalogue = catalogue
        self._access = access
        self._take = take
        self._clock = clock
        self._makes = makes
        self._link_role = link_role
        self._most_owned = most_owned

    async def find(self, name: str, identity: Identity, address: str) -> DocumentId:
        """Return the document of a name, made if need be.

        What the person may do there is asked on joining. Raises ManyhandsError.
        """
        found = await existing(self._catalogue, name)
        if found is not None:
            return found
        if self._makes:
            return await self._make(name, identity, address)
        if is_document_id(name):
            return DocumentId(name)  # joining says that there is none
        raise ProtocolError(Code.NOT_FOUND, NO_NAMES)

    async def _make(self, name: str, identity: Identity, address: str) -> DocumentId:
        if seconds := self._take(address):
            raise ProtocolError(Code.RATE_LIMITED, f"Too many new documents. Try again in {ceil(seconds)} s.")
        owner = await self._access.may_make(identity, self._most_owned)
        by, link_role = identity.user.user_id, self._link_role
        return await make_named(self._catalogue, name, self._clock(), by=by, owner=owner, link_role=link_role)
