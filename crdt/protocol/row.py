"""Row of a document's log: as the store keeps it, as hints carry it, and as rooms take it in."""

from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from crdt.ids import ClientId, Epoch, Seq

AuthorKeys = tuple[tuple[ClientId, bytes], ...]
"""Client ids, each with the hash (16 bytes) of the key that it is bound to (crdt/room/session.py).
"""


class Contributor(Struct, frozen=True):
    """A person or program whose updates are in a row, under the name of that time.

    Attributes:
        kind: "person" or "agent", which is a program that writes by itself.
        on_behalf_of: the user id of the person that an agent writes for; empty if it writes for
            nobody else.
    """

    user_id: str
    name: str
    kind: str = "person"
    on_behalf_of: str = ""


WHOLE_ROW = -1
"""The position of a row whose bytes cannot even be split into updates."""


class SetAside(Struct, frozen=True):
    """An update of a row that is not applied, because the document engine does not take it.

    Attributes:
        position: its place in the batch, counted from 0, or `WHOLE_ROW`.
        stand_in: the batch that is applied and told in its place (crdt/log/stand_ins.py); empty for
            nothing.
        reason: a sentence for the operator.
    """

    position: int
    stand_in: bytes
    reason: str


class Found(Struct, frozen=True):
    """An update that a replay has set aside.

    `raw`: the update as it is stored, or the whole row's bytes.
    """

    seq: Seq
    set_aside: SetAside
    raw: bytes


class Row(Struct, frozen=True, eq=False):
    """A batch (crdt.protocol.batch.encode_batch) at its place in the log.

    Attributes:
        author_keys: the client ids that were bound when the batch was appended.
        set_aside: its updates that are not applied.
        damaged: the stored bytes are not those that were written, or are gone.
        at: when the row was appended, in microseconds since 1970; None if not known, as in rows of
            earlier versions.
        contributors: the names of those whose updates are in it, in order
            (server/store/contributors.py); empty if not known.
        heirs: which characters live on where since this row (crdt/protocol/links.py), or empty.
    """

    seq: Seq
    batch: bytes
    author_keys: AuthorKeys = ()
    set_aside: tuple[SetAside, ...] = ()
    damaged: bool = False
    at: int | None = None
    contributors: bytes = b""
    heirs: bytes = b""

    def __eq__(self, other: object) -> bool:
        """Whether two rows say the same, whenever that was."""
        return isinstance(other, Row) and self._said == other._said

    @property
    def _said(self) -> tuple[object, ...]:
        return self.seq, self.batch, self.author_keys, self.set_aside, self.damaged, self.heirs


class Stored(Struct, frozen=True):
    """A document as the store has it: a snapshot at `snapshot_seq`, then every row after it.

    Attributes:
        snapshot: None if the log has not been folded yet.
        set_aside: updates that are not applied, by row, including rows that are folded.
        set_aside_version: a number that changes whenever `set_aside` does.
        set_aside_open: number of these updates that the operator has not settled yet.
        memory: what the rescue remembers of the snapshot's past (crdt/rescue/memory.py).
        discussion_version: the version of the document's discussion.
    """

    epoch: Epoch
    snapshot: bytes | None
    snapshot_seq: Seq
    rows: Sequence[Row]
    author_keys: Mapping[ClientId, bytes]
    set_aside: Mapping[Seq, tuple[SetAside, ...]] = field(default_factory=dict)
    set_aside_version: int = 0
    set_aside_open: int = 0
    memory: bytes = b""
    discussion_version: int = 0
