"""Sharing: an owner's changes of who has access to a document, and what they are shown of it.

Each method checks first whether the person may do this. The store keeps roles, the link and the
owner. server/rooms/rooms.py is told of every change, and changes or ends the open sessions.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Literal, cast

from msgspec import Meta, Struct

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.permissions import Action, Role, may
from crdt.protocol.messages import User
from server.auth.base import Identity
from server.people.access import Access, NotPossible, hash_token, no_such_document
from server.store.access_requests_base import AccessRequest
from server.store.base import Store
from server.store.deeds_base import NEWEST, Deed
from server.store.sharing_base import INVITED
from server.store.sharing_base import Link as StoredLink
from server.store.sharing_base import Person as StoredPerson

TOKEN_CHARACTERS = 22
"""Length of a link's token, in URL-safe base64: 132 bits."""


def derive_token(key: bytes, document_id: DocumentId, generation: int) -> str:
    """Derive the token of one generation of a document's link.

    A derived token can be shown again without being stored.
    """
    # Neither the document's id nor the generation can hold a colon, so no two pairs read the same.
    code = hmac.new(key, f"link:{document_id}:{generation}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(code).decode()[:TOKEN_CHARACTERS]


GivenRole = Literal["editor", "commenter", "viewer"]
GIVEN = "editor, commenter or viewer: ownership is transferred"


class LinkChange(Struct, forbid_unknown_fields=True):
    """A change of the link.

    `renew` makes a new link. People who have access only by an older link lose their access.
    """

    role: Annotated[GivenRole | None, Meta(description=f"{GIVEN}; or null, for a link that opens nothing")]
    renew: Annotated[bool | None, Meta(description="true or false: whether to make a new link")] = None
    address_alone: Annotated[
        bool | None, Meta(description="true or false: whether the document's address is the link; absent: as it is")
    ] = None


class Person(Struct):
    """Somebody with access.

    Until an invited person signs in, their user id is `email:` and the address of the invitation.
    """

    user: User
    email: str | None
    role: Role
    via: Literal["grant", "link"]


class Link(Struct):
    """The link. With `role` null the link opens nothing.

    `url` is an address on this server, which only owners are shown. It is null if the link's token
    cannot be derived any more. Renew the link then. `reopens` is true while the link is closed and
    will be the same one when a role is set again. Otherwise setting a role makes a new link, and an
    address that opened the document before stays closed.
    """

    role: GivenRole | None
    address_alone: bool
    url: str | None
    reopens: bool


class People(Struct):
    """Everybody who has access, the owner first, and the link."""

    people: list[Person]
    link: Link


class SharingDesk:
    """Shares documents in the name of people.

    `secret` returns the key that all nodes share; links' tokens are derived from it. `most_people`
    is how many people may be granted a role in one document. Grants at the same moment may exceed
    it by a few.
    """

    def __init__(self, store: Store, access: Access, secret: Callable[[], bytes], most_people: int = 1000) -> None:
        self._sharing = store.sharing
        self._requests = store.access_requests
        self._users = store.users
        self._deeds = store.deeds
        self._access = access
        self._secret = secret
        self._most_people = most_people

    async def view(self, identity: Identity, document_id: DocumentId) -> People:
        role = (await self._access.require(identity, document_id, Action.SEE_PEOPLE)).role
        people = await self._sharing.people(document_id)
        return People(
            [_shown(each) for each in people], self._link_view(role, document_id, await self._link_of(document_id))
        )

    async def deeds(
        self, identity: Identity, document_id: DocumentId, limit: int, before: int = NEWEST
    ) -> Sequence[Deed]:
        """Return deeds of the document's record before number `before`, the last one first."""
        await self._access.require(identity, document_id, Action.SHARE)
        return await self._deeds.list(document_id, limit, before)

    async def ask(self, identity: Identity, document_id: DocumentId) -> None:
        """Ask the owner of a document for access.

        Nobody learns by this whether there is such a document, or whether they were refused.
        """
        if not identity.lasting:
            raise NotPossible("To ask for access, let the server set its cookie first.")
        try:
            await self._access.ruling(identity, document_id, None)
        except ProtocolError as refused:
            if refused.code is not Code.NOT_FOUND:
                raise
            await self._access.remember(identity)
            done = await self._requests.ask(document_id, identity.user.user_id)
            if done is not None:
                self._access.tell(done)

    async def requests(self, identity: Identity, document_id: DocumentId) -> Sequence[AccessRequest]:
        """Return who asks for access, the first one first."""
        await self._access.require(identity, document_id, Action.SHARE)
        return await self._requests.waiting(document_id)

    async def refuse(self, identity: Identity, document_id: DocumentId, user_id: str) -> None:
        """Refuse somebody's request for access. They are not told, and cannot ask again."""
        await self._access.require(identity, document_id, Action.SHARE)
        act = partial(self._requests.refuse, document_id, user_id, by=identity.user.user_id)
        if not await self._access.change(identity, act):
            raise ProtocolError(Code.NOT_FOUND, "Nobody of this id asks for access to this document.")

    async def invite(self, identity: Identity, document_id: DocumentId, email: str, role: Role) -> str:
        """Grant a role to the person with this e-mail address, known here or not.

        Return the user id that the role was granted to.
        """
        await self._access.require(identity, document_id, Action.SHARE)
        known = await self._users.by_email(email.lower())
        user_id = INVITED + email.lower() if known is None else known.user.user_id
        await self.grant(identity, document_id, user_id, role)
        return user_id

    async def grant(self, identity: Identity, document_id: DocumentId, user_id: str, role: Role) -> None:
        """Give somebody a role. The owner's role is transferred."""
        owner = role is Role.OWNER
        await self._begin(identity, document_id, Action.TRANSFER if owner else Action.SHARE)
        people = [person for person in await self._sharing.people(document_id) if person.via == "grant"]
        if owner and user_id not in await self._users.known([user_id]):
            raise NotPossible("Only somebody who has been here can become the owner. Ask them to come here first.")
        if any(person.user.user_id == user_id and person.role is Role.OWNER for person in people):
            if owner:
                return
            raise _owner_stays()
        if len(people) >= self._most_people and all(person.user.user_id != user_id for person in people):
            message = f"A document can be given to {self._most_people} people. Remove somebody first."
            raise ProtocolError(Code.TOO_MANY, message)
        act = partial(self._sharing.grant, document_id, user_id, role, by=identity.user.user_id)
        if not await self._access.change(identity, act):
            raise _owner_stays()  # they have become the owner meanwhile

    async def revoke(self, identity: Identity, document_id: DocumentId, user_id: str) -> None:
        """Take away another person's access, or one's own.

        A person who comes by the link again still gets what the link gives.
        """
        if user_id == identity.user.user_id:
            await self._access.require(identity, document_id, Action.READ)
        else:
            await self._begin(identity, document_id, Action.SHARE)
        present = next((p for p in await self._sharing.people(document_id) if p.user.user_id == user_id), None)
        if present is None:
            raise ProtocolError(Code.NOT_FOUND, "There is no such person in this document.")
        if present.role is Role.OWNER:
            raise _owner_cannot_go()
        act = partial(self._sharing.revoke, document_id, user_id, by=identity.user.user_id)
        if not await self._access.change(identity, act):
            raise _owner_cannot_go()  # they have become the owner meanwhile

    async def set_link(self, identity: Identity, document_id: DocumentId, wish: LinkChange) -> Link:
        """Open the link, close it, or renew it. Return the link as it is afterwards."""
        role = await self._begin(identity, document_id, Action.SHARE)
        link = await self._link_of(document_id)
        wanted = _wanted(self._secret(), document_id, link, wish)
        if wanted != link:
            act = partial(self._sharing.set_link, document_id, wanted, by=identity.user.user_id)
            await self._access.change(identity, act)
            # Another page of the owner may have renewed the link meanwhile.
            wanted = await self._link_of(document_id)
        return self._link_view(role, document_id, wanted)

    async def _begin(self, identity: Identity, document_id: DocumentId, action: Action) -> Role:
        """Check that a person may change access, and make them the owner if there is none."""
        ruling = await self._access.require(identity, document_id, action)
        if ruling.owner is None and not identity.document_roles:
            if not identity.lasting:
                raise NotPossible(
                    "This document has no owner. To become its owner, let the server set its cookie first."
                )
            user_id = identity.user.user_id
            act = partial(self._sharing.adopt, document_id, user_id, by=user_id)
            if not await self._access.change(identity, act):
                # Somebody else has become the owner meanwhile, so the right is checked again.
                return await self._begin(identity, document_id, action)
        return ruling.role

    async def _link_of(self, document_id: DocumentId) -> StoredLink:
        standing = (await self._sharing.access([document_id], [])).get(document_id)
        if standing is None:
            raise no_such_document()
        return standing.link

    def _link_view(self, role: Role, document_id: DocumentId, link: StoredLink) -> Link:
        given = cast(GivenRole | None, link.role)  # nobody owns a document by its link
        address_alone = given is not None and link.token_hash is None
        reopens = given is None and link.token_hash is not None
        return Link(given, address_alone, self._path(role, document_id, link), reopens)

    def _path(self, role: Role, document_id: DocumentId, link: StoredLink) -> str | None:
        address = f"/d/{document_id}"
        if link.token_hash is None or link.role is None:
            return address if may(role, Action.SHARE) else None
        token = derive_token(self._secret(), document_id, link.generation)
        derivable = hash_token(token) == link.token_hash
        return f"{address}#link={token}" if may(role, Action.SHARE) and derivable else None


def _shown(person: StoredPerson) -> Person:
    invited = person.user.user_id.startswith(INVITED)
    return Person(person.user, person.email or (person.user.name if invited else None), person.role, person.via)


def _owner_stays() -> NotPossible:
    return NotPossible("The owner stays owner until somebody else is: transfer the document first.")


def _owner_cannot_go() -> NotPossible:
    return NotPossible("The owner cannot be removed: transfer the document first.")


def _wanted(key: bytes, document_id: DocumentId, link: StoredLink, wish: LinkChange) -> StoredLink:
    generation = link.generation + (1 if wish.renew else 0)
    was_address = link.role is not None and link.token_hash is None
    address_alone = was_address and not wish.renew if wish.address_alone is None else wish.address_alone
    if wish.role is None and not wish.renew:
        return StoredLink(None, link.token_hash, link.generation)
    token_hash = None if address_alone else hash_token(derive_token(key, document_id, generation))
    return StoredLink(None if wish.role is None else Role(wish.role), token_hash, generation)
