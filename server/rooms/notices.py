"""Notices of deeds: messages to the people of an open document, on this node and on the others.

A notice is a hint (crdt/protocol/hints.py), which `Driver.heed` carries out. A node that misses one
finds out by its next look at the store (server/rooms/head_poll.py).
"""

from crdt.errors import Code
from server.bus.base import AccessHint, ClosedHint, DocumentHint
from server.rooms.driver import info_of
from server.store.deeds_base import Done, Kind

Notice = AccessHint | ClosedHint | DocumentHint


def notice_of(done: Done) -> Notice | None:
    """Return the notice of a deed, or None if nothing that an open page shows has changed."""
    match done.deed and done.deed.kind:
        case Kind.DELETE:
            return ClosedHint(Code.DELETED, "This document was deleted.")
        case Kind.RENAME | Kind.TRASH | Kind.RESTORE if done.entry is not None:
            return DocumentHint(info_of(done.entry))
        case Kind.GRANT | Kind.REVOKE | Kind.LINK | Kind.TRANSFER | Kind.ADOPT | Kind.ACCEPT_INVITATION:
            return AccessHint(done.access_version)
        case _:
            return None
