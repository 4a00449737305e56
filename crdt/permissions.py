"""Who may what in a document: the roles, and the table of what each includes. Everything that refuses a person asks here.

A role belongs to a person in one document, by a grant or by a link. Everybody who may read is seen
by the others, viewers too.
"""

from collections.abc import Mapping
from enum import StrEnum

from crdt.errors import Code, ProtocolError


class Role(StrEnum):
    """What a person may do in a document; each includes the ones after it."""

    OWNER = "owner"
    EDITOR = "editor"
    COMMENTER = "commenter"
    VIEWER = "viewer"

    @property
    def may_write(self) -> bool:
        """Whether updates of this role are taken."""
        return may(self, Action.WRITE)


class Action(StrEnum):
    """What can be done with a document."""

    READ = "read"
    """Join it, fetch it, show one's cursor; see its entry and its attachments."""
    COMMENT = "comment"
    """Say something about the text without changing it."""
    WRITE = "write"
    """Send updates and uploads, attach files."""
    RENAME = "rename"
    """Give it another title."""
    SEE_PEOPLE = "see_people"
    """See who has access, and by what."""
    SHARE = "share"
    """Give and take roles, open and close the link, read the record of all that."""
    TRASH = "trash"
    """Put it into the trash and take it out."""
    DELETE = "delete"
    """Delete it for ever."""
    TRANSFER = "transfer"
    """Make somebody else its owner."""


_VIEWER = frozenset({Action.READ})
_COMMENTER = _VIEWER | {Action.COMMENT}
_EDITOR = _COMMENTER | {Action.WRITE, Action.RENAME, Action.SEE_PEOPLE}
_OWNER = _EDITOR | {Action.SHARE, Action.TRASH, Action.DELETE, Action.TRANSFER}

PERMISSIONS: Mapping[Role, frozenset[Action]] = {
    Role.OWNER: _OWNER,
    Role.EDITOR: _EDITOR,
    Role.COMMENTER: _COMMENTER,
    Role.VIEWER: _VIEWER,
}

_VERBS: Mapping[Action, str] = {
    Action.READ: "read it",
    Action.COMMENT: "comment on it",
    Action.WRITE: "change it",
    Action.RENAME: "rename it",
    Action.SEE_PEOPLE: "see who has access",
    Action.SHARE: "share it",
    Action.TRASH: "put it into the trash or take it out",
    Action.DELETE: "delete it",
    Action.TRANSFER: "give it to somebody else",
}

_BY_STRENGTH = (Role.OWNER, Role.EDITOR, Role.COMMENTER, Role.VIEWER)


def may(role: Role | None, action: Action) -> bool:
    """Whether the role includes this; nobody's role includes nothing."""
    return role is not None and action in PERMISSIONS[role]


def strongest(*roles: Role | None) -> Role | None:
    """The one that includes the others; None: there is none."""
    return next((role for role in _BY_STRENGTH if role in roles), None)


def forbidden(role: Role, action: Action) -> ProtocolError:
    """The refusal of what a role doesn't include."""
    return ProtocolError(Code.FORBIDDEN, f"You are {_called(role)} of this document: you may not {_VERBS[action]}.")


def _called(role: Role) -> str:
    return f"an {role}" if role[0] in "aeiou" else f"a {role}"
