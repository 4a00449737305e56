"""Inbox in the REST API: what concerns one person, in all documents."""

# ruff: noqa: ARG002

from crdt.errors import Code, ProtocolError
from server.features.discussion.forms import Inbox, InboxChange, InboxQuery, Unread
from server.http.operation import Asked, operation


class InboxApi:
    """A person's inbox over HTTP."""

    @operation("GET /api/inbox")
    async def read_inbox(self, asked: Asked, query: InboxQuery) -> Inbox:
        """Read one's inbox, without what is in documents that are not open to one any more."""
        raise _not_open()

    @operation("GET /api/inbox/unread")
    async def count_unread(self, asked: Asked) -> Unread:
        """Count the unread entries of one's inbox."""
        raise _not_open()

    @operation("PATCH /api/inbox")
    async def change_inbox(self, asked: Asked, body: InboxChange) -> Unread:
        """Mark entries of one's inbox as read, or choose whether to get mail."""
        raise _not_open()


def _not_open() -> ProtocolError:
    return ProtocolError(Code.FORBIDDEN, "Discussions are not open on this server yet.")
