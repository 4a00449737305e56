"""Access requests in the store port: people who have no access to a document, and ask for it.

1. **Once.** A person's request waits until it is granted or refused. A refused request stays, and
   asking again changes nothing. So nobody is asked twice.
2. **Granted is gone.** A grant of any role takes the person's request away, in its transaction.
3. **Recorded.** Asking and refusing are deeds (server/store/deeds_base.py).
4. **Bounded.** The last MAX_REQUESTS requests of each document are kept. The oldest are forgotten.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from crdt.ids import DocumentId
from crdt.protocol.messages import User
from server.store.deeds_base import Done

MAX_REQUESTS = 100
"""Requests that are kept per document. Everybody who knows an address may ask."""


class AccessRequest(Struct, frozen=True):
    """A request that waits for an answer."""

    user: User
    email: str | None
    asked_at: datetime


class AccessRequests(Protocol):
    """The requests for access. Changes return None for a document that does not exist."""

    async def ask(self, document_id: DocumentId, user_id: str) -> Done | None:
        """Store that somebody asks for access, unless they have asked before."""

    async def waiting(self, document_id: DocumentId) -> Sequence[AccessRequest]:
        """Read the requests that wait, the first one first."""

    async def refuse(self, document_id: DocumentId, user_id: str, *, by: str) -> Done | None:
        """Refuse a request, if it waits."""
