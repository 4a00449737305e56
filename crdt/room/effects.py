"""Effects: what a room asks its surroundings to do, as plain data.

server/rooms/driver.py carries them out, in order; in tests a simulation does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from crdt.errors import Code
from crdt.ids import Epoch, Seq, UpdateId
from crdt.protocol.hints import Hint
from crdt.protocol.messages import ClosedMessage, Refused, Request, ServerMessage
from crdt.protocol.row import AuthorKeys, Contributor, Found
from crdt.room.session import Session

Asked = tuple[Session, Request]
"""Who waits for an answer, and to what."""


@dataclass(frozen=True, slots=True)
class AppendRow:
    """Commit this batch to the log; then call `committed`, or what else came of it. At most one is under way per room."""

    update_id: UpdateId
    epoch: Epoch
    batch: bytes
    author_keys: AuthorKeys
    contributors: tuple[Contributor, ...]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Say this to these sessions, except perhaps one, encoded once. The same people are the same tuple."""

    sessions: tuple[Session, ...]
    message: ServerMessage
    but: Session | None = None


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Say to all who ask that what they wrote is durable by this row of the log."""

    requests: Sequence[Asked]
    seq: Seq


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse one request."""

    session: Session
    request: Request
    refused: Refused


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Tell these sessions why they are in the room no more; their seats are free."""

    sessions: tuple[Session, ...]
    message: ClosedMessage


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the other nodes."""

    hint: Hint


@dataclass(frozen=True, slots=True)
class ReadRows:
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


Effect = AppendRow | Broadcast | Acknowledge | Refuse | Dismiss | Publish | ReadRows | Reload | KeepAside | Ended
