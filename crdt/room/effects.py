"""Effects: what a room asks its surroundings to do, as plain data.

server/rooms/driver.py carries effects out in order. In tests a simulation does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from crdt.errors import Code
from crdt.ids import Epoch, Seq, UpdateId
from crdt.protocol.hints import Hint
from crdt.protocol.messages import ClosedMessage, Refused, Request, ServerMessage
from crdt.protocol.row import AuthorKeys, Contributor, Found
from crdt.rescue.rescue import Said
from crdt.room.session import Session
from crdt.suggestions.judge import Entry

Asked = tuple[Session, Request]
"""A session that awaits an answer, and the request that the answer is for."""


class AppendRow(Struct, frozen=True):
    """Commit this batch to the log as a row. At most one append is under way per room.

    Then call `committed`, or the verb for another outcome: `append_failed`, `append_refused`,
    `append_overtaken` or `append_behind`.

    Attributes:
        known: the last row that the room had applied.
        moves: the row must follow on `known` at once, because it may move words, or was proven to
            be harmless there.
        heirs: which characters live on where since this row (crdt/protocol/links.py).
    """

    update_id: UpdateId
    epoch: Epoch
    batch: bytes
    author_keys: AuthorKeys
    contributors: tuple[Contributor, ...]
    known: Seq
    moves: bool = False
    heirs: bytes = b""


class Rescue(Struct, frozen=True):
    """Find out which words would die of these updates in the row after `known`.

    Then call `rescued`.
    """

    known: Seq
    said: tuple[Said, ...]


class Proof(NamedTuple):
    """A moment of a room's document, in which something was proven to be only suggestions.

    The proof holds as long as everything behind that moment comes from this node: the node puts
    its own rows in the order in which they were taken.

    Attributes:
        life: how often the document had been loaded again.
        foreign: how many rows of other nodes had been applied since.
    """

    life: int
    foreign: int


class Prove(Struct, frozen=True):
    """Find out which suggestions of the row after `known` are nothing else.

    Then call `proven`.
    """

    known: Seq
    entries: tuple[Entry, ...]


class Broadcast(Struct, frozen=True):
    """Say this to these sessions, except perhaps to `but`, encoded once.

    `sessions` is the same tuple as long as the same people listen.
    """

    sessions: tuple[Session, ...]
    message: ServerMessage
    but: Session | None = None


class Acknowledge(Struct, frozen=True):
    """Acknowledge these requests: what they wrote is durable by row `seq` of the log."""

    requests: Sequence[Asked]
    seq: Seq


class Refuse(Struct, frozen=True):
    """Refuse one request."""

    session: Session
    request: Request
    refused: Refused


class Dismiss(Struct, frozen=True):
    """Tell these sessions why they are no longer in the room. Their seats are free."""

    sessions: tuple[Session, ...]
    message: ClosedMessage


class Publish(Struct, frozen=True):
    """Tell the other nodes."""

    hint: Hint


class ReadRows(Struct, frozen=True):
    """Read the log after row `after`, because rows are missing. Then call `fetched`."""

    after: Seq


class Reload(Struct, frozen=True):
    """Load the document again, because the replica in memory is in doubt. Then call `reloaded`.

    Attributes:
        failed: the document engine has failed.
        folded: fold the log first, because its last row is cheaper to read in a snapshot than to
            apply.
    """

    reason: str
    failed: bool = False
    folded: bool = False


class KeepAside(Struct, frozen=True):
    """Store these updates of rows, which do not apply, with their stand-ins.

    Then call `kept_aside`.
    """

    epoch: Epoch
    found: tuple[Found, ...]


class Ended(Struct, frozen=True):
    """The room is over, and every session has been told. Unload the room and write nothing more."""

    code: Code


Effect = (
    AppendRow
    | Rescue
    | Prove
    | Broadcast
    | Acknowledge
    | Refuse
    | Dismiss
    | Publish
    | ReadRows
    | Reload
    | KeepAside
    | Ended
)
