"""A node, and its view of who has access.

The view may be away, be slow, or change without a message to the node.
"""

import asyncio
from collections.abc import Collection, Mapping

from crdt.errors import Code, Unavailable
from crdt.ids import ClientId, DocumentId
from crdt.permissions import Role
from crdt.protocol.messages import ClosedMessage, JoinRequest, RoleMessage, User
from server.auth.base import Identity
from server.store.database import utc_now
from server.store.deeds_base import Done
from server.store.sharing import SqlSharing
from server.store.sharing_base import Link, Standing
from tests.harness.house import DOCUMENT, House
from tests.harness.memory_store import memory_store


class WaitingSharing(SqlSharing):
    """Sharing that can be away, or be slow between reading and answering."""

    away = False
    answering: "asyncio.Event | None" = None

    async def access(
        self, document_ids: Collection[DocumentId], user_ids: Collection[str]
    ) -> Mapping[DocumentId, Standing]:
        if self.away:
            raise Unavailable("The store cannot be reached.")
        read = await super().access(document_ids, user_ids)
        if self.answering is not None:
            await self.answering.wait()
        return read


def house(*, poll_seconds: float | None = None) -> tuple[House, WaitingSharing]:
    """Make a node, and its view of who has access."""
    store = memory_store()
    store.sharing = sharing = WaitingSharing(store.database, utc_now)
    return House(store, poll_seconds=poll_seconds), sharing


def said_to(house: House, name: str) -> list[Role | Code]:
    """Return the access that a person was told, in order."""
    messages = house.ears.said.get(name, [])
    return [
        message.role if isinstance(message, RoleMessage) else message.code
        for message in messages
        if isinstance(message, RoleMessage | ClosedMessage)
    ]


async def restrict(sharing: SqlSharing) -> Done:
    """Close the link by which everybody in a House has come, from another node."""
    done = await sharing.set_link(DOCUMENT, Link(None))
    assert done is not None
    return done


async def comes(node: House, name: str, user_id: str) -> Role:
    """Join an open document as a person with a name. Return the person's role."""
    identity = Identity(User(user_id, user_id.title(), "#336699"), "jwt")
    request = JoinRequest(b"\0", ClientId(sum(name.encode())))
    answer = await node.enter(name, DOCUMENT, request, identity)
    return answer.role
