"""What a room asks its surroundings to do: plain data, carried out in order by server/rooms/open_room.py (or by a simulation)."""

from collections.abc import Sequence
from dataclasses import dataclass

from crdt.errors import Code
from crdt.ids import ConnectionId, Epoch, Seq, UpdateId
from crdt.protocol.messages import PresenceChange, Refused, Request, ServerMessage
from crdt.protocol.row import AuthorKeys, Contributor, Found, Row

Asked = tuple[ConnectionId, Request]
"""Who waits for an answer, and to what."""


@dataclass(frozen=True, slots=True)
class Append:
    """Commit this batch to the log; then call `committed`, or what else came of it. At most one is under way per room."""

    update_id: UpdateId
    epoch: Epoch
    batch: bytes
    author_keys: AuthorKeys
    contributors: tuple[Contributor, ...]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Say this to these connections, except perhaps one of them, encoded once. The same people are the same tuple."""

    connections: tuple[ConnectionId, ...]
    message: ServerMessage
    but: ConnectionId | None = None


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Say to all who ask that what they wrote is durable by this row of the log; a connection that is gone needs no answer."""

    requests: Sequence[Asked]
    seq: Seq


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse one request; a connection that is gone needs no answer."""

    connection: ConnectionId
    request: Request
    refused: Refused


@dataclass(frozen=True, slots=True)
class PublishBatch:
    """Hint the other nodes at a row that this node appended."""

    row: Row


@dataclass(frozen=True, slots=True)
class PublishPresence:
    """Hint the other nodes at presence that changed here."""

    changes: tuple[PresenceChange, ...]


@dataclass(frozen=True, slots=True)
class AnnouncePresence:
    """Tell the other nodes of everybody here; `asks`: and ask them for the same."""

    people: tuple[PresenceChange, ...]
    asks: bool


@dataclass(frozen=True, slots=True)
class Fetch:
    """Rows are missing: read the log after `after`, then call `fetched`."""

    after: Seq


@dataclass(frozen=True, slots=True)
class Reload:
    """The replica in memory is in doubt: load the document again, then call `reloaded`.

    `failed`: the document engine has failed. `folded`: fold the log first, for its last row is
    cheaper to read in a snapshot than to apply.
    """

    reason: str
    failed: bool = False
    folded: bool = False


@dataclass(frozen=True, slots=True)
class KeepAside:
    """These updates of rows do not apply: store that, with what stands in for them; then call `kept_aside`."""

    epoch: Epoch
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """The room is over: every session has been told; unload it and write nothing more."""

    code: Code


Effect = (
    Append
    | Broadcast
    | Acknowledge
    | Refuse
    | PublishBatch
    | PublishPresence
    | AnnouncePresence
    | Fetch
    | Reload
    | KeepAside
    | Ended
)
