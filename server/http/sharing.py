"""Sharing in the REST API: the people of a document, its link, and the record of its deeds."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Action, Role
from crdt.protocol.messages import User
from server.http.documents import MAX_PAGE, Time
from server.http.operation import DOCUMENT_ID, Asked, operation
from server.people.sharing import GIVEN, GivenRole, Link, LinkChange, People, SharingDesk
from server.store.deeds_base import NEWEST
from server.store.deeds_base import Deed as StoredDeed
from server.store.sharing_base import INVITED

MAX_USER_ID = 200 + len(INVITED)
MAX_EMAIL = 254
"""Most characters of an e-mail address. RFC 5321 allows no longer one."""


class Invitation(Struct, forbid_unknown_fields=True):
    """A role for somebody, who is named either by their e-mail address or by their user id."""

    role: Annotated[GivenRole, Meta(description=GIVEN)]
    email: Annotated[
        str | UnsetType,
        Meta(
            description=f"an e-mail address of at most {MAX_EMAIL} characters",
            extra_json_schema={"format": "email", "maxLength": MAX_EMAIL},
        ),
    ] = UNSET
    user_id: Annotated[
        str | UnsetType,
        Meta(
            description=f"a text of 1 to {MAX_USER_ID} printable characters",
            extra_json_schema={"minLength": 1, "maxLength": MAX_USER_ID},
        ),
    ] = UNSET

    def __post_init__(self) -> None:
        if (self.email is UNSET) is (self.user_id is UNSET):
            raise ValueError("Say who: either `email` or `user_id`.")
        if isinstance(self.email, str):
            name, at, host = _text(self.email, "email", MAX_EMAIL).rpartition("@")
            if not (name and at and "." in host.strip(".")) or any(map(str.isspace, self.email)):
                raise ValueError("`email` must be an e-mail address.")
        if isinstance(self.user_id, str):
            _text(self.user_id, "user_id", MAX_USER_ID)


class RoleChange(Struct, forbid_unknown_fields=True):
    """The new role of somebody."""

    role: Annotated[Role, Meta(description=f"one of {', '.join(Role)}")]


class Grant(Struct):
    """The role that somebody has now."""

    user_id: str
    role: Role


class Wish(Struct, forbid_unknown_fields=True):
    """The document to which somebody asks for access."""

    document_id: Annotated[str, Meta(description="a document's id", extra_json_schema=DOCUMENT_ID)]

    def __post_init__(self) -> None:
        if not is_document_id(self.document_id):
            raise ValueError("`document_id` must be a document's id.")


class AccessRequest(Struct):
    """Somebody who asks for access. Give them a role, or refuse them."""

    user: User
    email: str | None
    asked_at: Time


class AccessRequests(Struct):
    """Everybody who asks for access, the first one first."""

    requests: list[AccessRequest]


class Deed(Struct):
    """One line of a document's record."""

    at: Time
    actor_id: str
    action: str
    details: dict[str, str]


class Part(Struct, forbid_unknown_fields=True):
    """The part of the record to see."""

    limit: Annotated[
        int, Meta(ge=1, le=MAX_PAGE, description=f"a whole number from 1 to {MAX_PAGE}: how many at once")
    ] = MAX_PAGE
    cursor: Annotated[
        int, Meta(ge=0, le=NEWEST, description="the cursor of the page before, for the next page; 0: the first page")
    ] = 0


class Deeds(Struct):
    """A page of a document's record, the last deed first. `cursor` is null on the last page."""

    audit: list[Deed]
    cursor: str | None


class SharingApi:
    """Sharing over HTTP."""

    def __init__(self, desk: SharingDesk) -> None:
        self._desk = desk

    @operation("GET /api/documents/{document_id}/people", needs=Action.SEE_PEOPLE, asks=False)
    async def see_people(self, asked: Asked) -> People:
        """See who has access, and by what."""
        return await self._desk.view(asked.identity, asked.document_id)

    @operation(
        "POST /api/documents/{document_id}/people", answers={201: Grant}, needs=Action.SHARE, asks=False, errors={409}
    )
    async def invite(self, asked: Asked, body: Invitation) -> Grant:
        """Give somebody a role, by e-mail address or id."""
        identity, document_id, role = asked.identity, asked.document_id, Role(body.role)
        if isinstance(body.email, str):
            return Grant(await self._desk.invite(identity, document_id, body.email, role), role)
        user_id = str(body.user_id)
        await self._desk.grant(identity, document_id, user_id, role)
        return Grant(user_id, role)

    @operation("PUT /api/documents/{document_id}/people/{user_id:path}", needs=Action.SHARE, asks=False, errors={409})
    async def change_role(self, asked: Asked, body: RoleChange) -> Grant:
        """Give somebody another role.

        `owner` transfers the document, and the former owner becomes an editor. The owner's own role
        cannot be changed (409).
        """
        user_id = _user_id(asked)
        await self._desk.grant(asked.identity, asked.document_id, user_id, body.role)
        return Grant(user_id, body.role)

    @operation(
        "DELETE /api/documents/{document_id}/people/{user_id:path}", needs=Action.SHARE, asks=False, errors={409}
    )
    async def remove_person(self, asked: Asked) -> None:
        """Take access away, or leave.

        The owner removes others, and everybody else leaves. The owner cannot be removed (409).
        """
        await self._desk.revoke(asked.identity, asked.document_id, _user_id(asked))

    @operation("POST /api/access-requests", errors={409})
    async def ask_for_access(self, asked: Asked, body: Wish) -> None:
        """Ask the owner of a document for access.

        The answer is the same whether or not there is such a document. A person whose request was
        refused may ask again, and nobody is told.
        """
        await self._desk.ask(asked.identity, DocumentId(body.document_id))

    @operation("GET /api/documents/{document_id}/requests", needs=Action.SHARE, asks=False)
    async def see_requests(self, asked: Asked) -> AccessRequests:
        """See who asks for access. Giving them a role takes the request away."""
        found = await self._desk.requests(asked.identity, asked.document_id)
        return AccessRequests([AccessRequest(each.user, each.email, each.asked_at.isoformat()) for each in found])

    @operation("DELETE /api/documents/{document_id}/requests/{user_id:path}", needs=Action.SHARE, asks=False)
    async def refuse_request(self, asked: Asked) -> None:
        """Refuse somebody's request for access. They are not told."""
        await self._desk.refuse(asked.identity, asked.document_id, _user_id(asked))

    @operation("PUT /api/documents/{document_id}/link", needs=Action.SHARE, asks=False, errors={409})
    async def set_link(self, asked: Asked, body: LinkChange) -> Link:
        """Set the role that the link gives, and make a new link if asked to."""
        return await self._desk.set_link(asked.identity, asked.document_id, body)

    @operation("GET /api/documents/{document_id}/audit", needs=Action.SHARE, asks=False)
    async def see_audit(self, asked: Asked, query: Part) -> Deeds:
        """See what was done to the document, and by whom: made, renamed, shared, trashed and so on.

        The record can be read here as long as the document exists. Afterwards `manyhands audit`
        shows it.
        """
        deeds = await self._desk.deeds(asked.identity, asked.document_id, query.limit + 1, query.cursor or NEWEST)
        shown = deeds[: query.limit]
        return Deeds([told(deed) for deed in shown], str(shown[-1].seq) if len(deeds) > len(shown) else None)


def told(deed: StoredDeed) -> Deed:
    """Return a deed as a line of the document's record."""
    return Deed(deed.at.isoformat(), deed.by, deed.kind, dict(deed.details))


def _user_id(asked: Asked) -> str:
    try:
        return _text(asked.request.path_params["user_id"], "user_id", MAX_USER_ID)
    except ValueError as error:
        raise ProtocolError(Code.MALFORMED, str(error)) from None


def _text(value: str, name: str, most: int) -> str:
    if not 1 <= len(value) <= most or not value.isprintable():
        raise ValueError(f"`{name}` must be a text of 1 to {most} printable characters.")
    return value
