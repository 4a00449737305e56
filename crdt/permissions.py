"""Permissions: the roles in a document, and the table of the actions that each role includes.

All code that refuses a person asks here. A person has a role in one document, by a grant or by a
link. Everybody who may read is seen by the others, viewers included.
"""

from collections.abc import Mapping
from enum import StrEnum

from crdt.errors import Code, ProtocolError


class Role(StrEnum):
    """A person's role in a document. Each role includes the ones after it."""

    OWNER = "owner"
    EDITOR = "editor"
    COMMENTER = "commenter"
    VIEWER = "viewer"

    @property
    def may_write(self) -> bool:
        return may(self, Action.WRITE)

    @property
    def only_suggests(self) -> bool:
        """Whether the person's updates must be suggestions and nothing else."""
        return may(self, Action.SUGGEST) and not may(self, Action.WRITE)


class Action(StrEnum):
    """An action on a document."""

    READ = "read"
    """Join and fetch the document, show one's cursor, see its entry and its attachments."""
    BROADCAST = "broadcast"
    """Send a message to everybody who has the document open."""
    COMMENT = "comment"
    """Say something about the text without changing it, and change what one has said."""
    RESOLVE = "resolve"
    """Resolve and assign what others have said about the text."""
    SUGGEST = "suggest"
    """Write suggestions and comments' marks into the text, which they leave as it is."""
    WRITE = "write"
    """Send updates and uploads, attach files."""
    RENAME = "rename"
    """Give the document another title."""
    SEE_PEOPLE = "see_people"
    """See who has access, and by which grant or link."""
    SHARE = "share"
    """Give and take roles, open and close the link, read the record of these changes."""
    MODERATE = "moderate"
    """Delete what others have said about the text."""
    TRASH = "trash"
    """Put the document into the trash, and take it out."""
    DELETE = "delete"
    """Delete the document for ever."""
    TRANSFER = "transfer"
    """Make somebody else the owner."""


_VIEWER = frozenset({Action.READ})
_COMMENTER = _VIEWER | {Action.BROADCAST, Action.COMMENT, Action.SUGGEST}
_EDITOR = _COMMENTER | {Action.RESOLVE, Action.WRITE, Action.RENAME, Action.SEE_PEOPLE}
_OWNER = _EDITOR | {Action.SHARE, Action.MODERATE, Action.TRASH, Action.DELETE, Action.TRANSFER}

PERMISSIONS: Mapping[Role, frozenset[Action]] = {
    Role.OWNER: _OWNER,
    Role.EDITOR: _EDITOR,
    Role.COMMENTER: _COMMENTER,
    Role.VIEWER: _VIEWER,
}

_VERBS: Mapping[Action, str] = {
    Action.READ: "read it",
    Action.BROADCAST: "send messages to everybody in it",
    Action.COMMENT: "comment on it",
    Action.RESOLVE: "resolve or assign others' threads in it",
    Action.SUGGEST: "suggest changes",
    Action.WRITE: "change it",
    Action.RENAME: "rename it",
    Action.SEE_PEOPLE: "see who has access",
    Action.SHARE: "share it",
    Action.MODERATE: "delete others' comments in it",
    Action.TRASH: "put it into the trash or take it out",
    Action.DELETE: "delete it",
    Action.TRANSFER: "give it to somebody else",
}

KEPT = 4
"""One part in so many of what the people of a document share is kept for those who may write."""

_BY_STRENGTH = (Role.OWNER, Role.EDITOR, Role.COMMENTER, Role.VIEWER)


def may(role: Role | None, action: Action) -> bool:
    """Whether the role includes the action. A person without a role may do nothing."""
    return role is not None and action in PERMISSIONS[role]


def share_of(most: int, role: Role) -> int:
    """Return how much of a limit that a document's people share may be used up with this role.

    So nobody who reads, comments or suggests can take a document from those who write it.
    """
    return most if may(role, Action.WRITE) else most - most // KEPT


def nearly_full() -> ProtocolError:
    """Return the refusal of whatever would take what is kept for those who may write."""
    return ProtocolError(
        Code.DOCUMENT_FULL,
        "The document is so full that only people who may edit can add to it. Ask one of them to make room: to accept or reject "
        "suggestions, or to delete something.",
    )


def strongest(*roles: Role | None) -> Role | None:
    """Return the role that includes all the others, or None if there is no role."""
    return next((role for role in _BY_STRENGTH if role in roles), None)


def forbidden(role: Role, action: Action) -> ProtocolError:
    """Return the refusal of an action that the role does not include."""
    return ProtocolError(Code.FORBIDDEN, f"You are {_called(role)} of this document: you may not {_VERBS[action]}.")


def not_a_suggestion(why: str) -> ProtocolError:
    """Return the refusal of an update that does more than the author may. `why` ends a sentence."""
    return ProtocolError(
        Code.NOT_A_SUGGESTION,
        f"You may suggest changes and comment here, but this change {why}. Nothing was written.",
    )


def _called(role: Role) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
