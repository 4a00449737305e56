"""Messages of the native protocol: what the server says to a session, and the values in it.

How a message travels is the gateway's affair. server/PROTOCOL.md is the reference for clients.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NewType

from msgspec import Struct, to_builtins

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, Epoch, PresenceId, Seq
from crdt.permissions import Role as Role

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

Request = NewType("Request", object)
"""A door's mark for one awaited answer; opaque to everybody else.

None stands for a request without an awaited answer.
"""


class User(Struct, frozen=True, rename={"user_id": "id"}):
    """A person, as the server vouches for them. `color` is `#rrggbb`."""

    user_id: str
    name: str
    color: str


_write_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class PresenceChange:
    """One session's presence as others see it. With `state` None, the session is gone."""

    presence_id: PresenceId
    client_id: ClientId
    user: User
    state: dict[str, Json] | None

    @cached_property
    def text(self) -> str:
        """The change as JSON, in ASCII.

        Written once for everybody who is told of the change: now, on joining later, or by another
        node.
        """
        user = to_builtins(self.user)
        return _write_json(
            {"presence_id": self.presence_id, "client_id": self.client_id, "user": user, "state": self.state}
        )


def write_changes(changes: Sequence[PresenceChange]) -> str:
    """Write a list of changes as JSON."""
    return f"[{','.join([change.text for change in changes])}]"


Durability = Literal["ok", "waiting"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what a room accepts, in bytes unless said otherwise. Every join announces some.

    Attributes:
        update_bytes: one batch, however it arrives.
        part_bytes: one message with document content in it, either way; larger things travel in
            parts.
        presence_bytes: one presence state as JSON. A cursor, a selection and a name fit many times
            over.
        document_bytes: content a document may grow to (sum of accepted batches since its snapshot,
            and the snapshot).
        waiting_bytes: batches of one room that wait for the store; past it updates are refused as
            `unavailable`.
        backlog_bytes: unsent data of one connection; past it the session falls behind.
        members: sessions in one room.
    """

    update_bytes: int = 16 * 2**20
    part_bytes: int = 256 * 2**10
    presence_bytes: int = 4096
    document_bytes: int = 20 * 2**20
    waiting_bytes: int = 20 * 2**20
    backlog_bytes: int = 2 * 2**20
    members: int = 2000


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """The part of the catalogue that an open page shows. `trashed_at` is ISO 8601."""

    title: str
    trashed_at: str | None

    def check_change(self) -> None:
        """Raise ProtocolError(forbidden) if nobody may change the document now."""
        if self.trashed_at is not None:
            raise ProtocolError(Code.FORBIDDEN, "The document is in the trash. Restore it to change it.")


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """A client's words on joining.

    Attributes:
        state_vector: Yjs v1 bytes, unchecked.
        key: see "Client ids" in PROTOCOL.md.
        seq: the client has everything of this epoch's log up to this row.
        after: the last row that the client has applied.
    """

    state_vector: bytes
    client_id: ClientId
    key: str | None = None
    epoch: Epoch | None = None
    seq: Seq | None = None
    after: Seq | None = None


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    """Everything that a session needs to begin.

    Attributes:
        missing: the missing update. Empty for a client that lacks nothing. None if it comes in
            `chunk_count` parts of together `chunk_bytes`.
        state_vector: empty if the client lacks nothing and has nothing more either.
        set_aside: how many changes are kept out of the document, because the document engine does
            not take them.
    """

    role: Role
    missing: bytes | None
    chunk_count: int
    chunk_bytes: int
    state_vector: bytes
    seq: Seq
    epoch: Epoch
    presence: tuple[PresenceChange, ...]
    presence_id: PresenceId
    durability: Durability
    quarantined: bool
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class UpdateMessage:
    """Durable changes. All receivers share one object, so that it is encoded once."""

    seq: Seq
    batch: bytes


@dataclass(frozen=True, slots=True)
class PresenceMessage:
    """Sessions that came, moved or went."""

    changes: tuple[PresenceChange, ...]


@dataclass(frozen=True, slots=True)
class ResyncMessage:
    """The session has missed updates and must join again."""


@dataclass(frozen=True, slots=True)
class RoleMessage:
    """The role of this person from now on."""

    role: Role


@dataclass(frozen=True, slots=True)
class DurabilityMessage:
    """Whether the store takes appends."""

    durability: Durability


@dataclass(frozen=True, slots=True)
class DocumentMessage:
    """The catalogue's entry changed."""

    info: DocumentInfo


@dataclass(frozen=True, slots=True)
class ClosedMessage:
    """This session is over; the connection stays."""

    code: Code
    message: str


ServerMessage = (
    UpdateMessage | PresenceMessage | ResyncMessage | RoleMessage | DurabilityMessage | DocumentMessage | ClosedMessage
)
"""A message from a room to its sessions.

`draining` is the gateway's own event, because it concerns connections.
"""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A batch is durable at `seq`."""

    seq: Seq


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch was not taken; `code` and `message` say why."""

    code: Code
    message: str
