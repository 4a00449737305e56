"""One document on one node: the replica, what the gate knows of it, and its place in the log.

Rows may arrive in any order and more than once; they are followed in the log's order, each once.
Rows ahead of their turn are held. What does not apply when a document is replayed is set aside
(crdt/log/replay.py). A document that cannot be replayed even so is quarantined: it holds what could
be replayed, and takes no more.

Reading a document is ten times faster than indexing it for the gate. A large snapshot is therefore
indexed later: call `read_gate` in a thread, then `learn`. Code that needs the index earlier builds
it on the spot.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from crdt.errors import ProtocolError
from crdt.gate.admission import Admission, MayWrite
from crdt.gate.engine_cost import PLENTY
from crdt.gate.gate import Knowledge
from crdt.ids import ClientId, Epoch, Seq
from crdt.log.document import Afford, Damaged, Document, Engine, apply_update
from crdt.log.replay import InspectedRow, Replay
from crdt.log.stand_ins import missing_past, stood_in_for
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import JoinRequest
from crdt.protocol.row import Found, Row, SetAside
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect, inspect_batch
from crdt.yjs.state_vector import check_state_vector, encode_state_vector
from crdt.yjs.wrapping import open_snapshot


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as the store has it: snapshot (None: none yet) at `snapshot_seq`, then every row after it.

    Attributes:
        set_aside: what is not applied, by row, folded or not.
        set_aside_version: a number that changes whenever that does.
        set_aside_open: how many of them the operator has not settled yet.
    """

    epoch: Epoch
    snapshot: bytes | None
    snapshot_seq: Seq
    rows: Sequence[Row]
    author_keys: Mapping[ClientId, bytes]
    set_aside: Mapping[Seq, tuple[SetAside, ...]] = field(default_factory=dict)
    set_aside_version: int = 0
    set_aside_open: int = 0


LEARN_AT_ONCE_BYTES = 32 * 2**10
"""Of a snapshot up to this size the gate learns at once, in some 3 ms."""


DEAR = 2 * PLENTY
"""Nanoseconds that another node's row may cost the engine, by a bound that few rows come near to (crdt/gate/engine_cost.py)."""


OF_A_BYTE, OF_A_STRUCT, OF_A_CLIENT, OF_A_VALUE = 2, 500, 1500, 200
"""Bytes of memory for a byte of the document, a struct or deleted range, a client id, and a value in a list or an object."""

UNLEARNED = 20
"""Bytes of memory for a byte of a document of which it is not known what is in it."""


class Spared(Exception):
    """A row's turn has come that is not to be applied here: read it in a snapshot."""


class Replica:
    """The document in memory. `seq` is the last row applied; the gate's knowledge may be ahead of it by what is in flight."""

    judging = False
    """Whether a batch is being judged in slices, so that no other may be."""

    quarantined: str | None = None
    """Why the document is open read-only; None: it is not."""

    def __init__(
        self, stored: Stored, limits: GateLimits, engine: Engine = apply_update, *, may_learn_later: bool = False
    ) -> None:
        """Replay what is stored; a document that cannot be replayed whole comes out quarantined."""
        self._limits = limits
        self._engine = engine
        self._snapshot: bytes | None = None
        """What the gate has yet to learn, in the engine's form."""
        self._unlearned: list[Inspected] = []
        """The updates since."""
        self.ahead: dict[Seq, tuple[InspectedRow, bool]] = {}
        """Rows that are held because others are missing before them."""
        self.epoch = stored.epoch
        self.seq = stored.snapshot_seq
        self.document = Document(engine)
        self._knowledge = Knowledge(limits)
        self.set_aside: dict[Seq, tuple[SetAside, ...]] = dict(stored.set_aside)
        """What is not applied, by row."""
        self.set_aside_version, self.set_aside_open = stored.set_aside_version, stored.set_aside_open
        """A number that changes whenever that does, and how many of them people should know of."""
        self.found: tuple[Found, ...] = ()
        """What of it is not stored as such yet."""
        self.spared: list[Inspected] = []
        """Updates that the engine works on for so long that a folded document is read instead (server/rooms)."""
        self._checked: bytes | None = None
        """The last state vector that was asked about, until it is answered: to read a long one takes long."""
        try:
            self._replay(stored, may_learn_later)
        except (Damaged, ProtocolError) as error:
            self.quarantined = f"Row {self.seq + 1} of the log cannot be replayed. {error.message}"

    def _replay(self, stored: Stored, may_learn_later: bool) -> None:
        replay = Replay(self._limits, self._absorb, lambda: self._knows(replay.document), self._engine)
        if stored.snapshot is not None:
            snapshot = open_snapshot(stored.snapshot)
            if snapshot is None:
                snapshot = inspect(stored.snapshot, self._limits, durable=True).engine
            if may_learn_later and len(snapshot) > LEARN_AT_ONCE_BYTES:
                self.document.apply_snapshot(snapshot)
                self._snapshot = snapshot
            else:
                self._knowledge = Knowledge.from_snapshot(snapshot, self._limits)
                self.document.apply_snapshot(snapshot, self._knowledge.state_vector)
            replay.begin(snapshot, self.document)
        try:
            for row in stored.rows:
                self._set_aside(replay.take(row))
                self.seq = row.seq  # only now: a quarantine names the row that could not be applied
        finally:
            self.document = replay.document
            self.found = tuple(replay.found)
            self._knowledge.measured()
            self.set_aside_open += len(replay.found)

    def _knows(self, document: Document) -> Knowledge:
        self.document = document
        return self.knowledge

    def _set_aside(self, row: InspectedRow) -> None:
        if row.set_aside:
            self.set_aside[row.seq] = row.set_aside

    def is_set_aside(self, updates: Sequence[Inspected]) -> bool:
        """Whether something of these updates, which bring nothing new, is known only because something else stands in for it."""
        if not self.set_aside:
            return False
        brought = {client: (first, end) for update in updates for client, first, end in update.clients}
        for each in chain.from_iterable(self.set_aside.values()):
            for client, first, end, _ in stood_in_for(each):
                begin, until = brought.get(client, (0, 0))
                if begin < end and first < until:
                    return True
        return False

    def _follow(self, row: InspectedRow, *, known: bool) -> None:
        if self.spared and any(each is update for each in self.spared for update in row.updates):
            raise Spared
        cost = 0
        for update in row.updates:
            if not known:
                if missing_past(update, self.document.clocks):
                    raise Damaged("A row builds on changes that the log does not have.")
                cost += self._absorb(update)
                if cost > DEAR:
                    raise Spared
            self.document.follow(update)
        if row.set_aside:
            self._set_aside(row)
        self.seq = row.seq

    def _absorb(self, update: Inspected) -> int:
        """Have the gate learn a row's update; return what it may cost the engine, as far as that is known."""
        if self._snapshot is not None or self.judging:
            self._unlearned.append(update)
            return 0
        return self._knowledge.absorb(update)

    @property
    def memory(self) -> int:
        """Bytes that the document takes in memory, by estimate; the most that it can, until the gate has learned it."""
        size = self.document.size
        if not self.learned:
            return UNLEARNED * size
        known = self._knowledge
        of_content = OF_A_BYTE * size + OF_A_STRUCT * known.structs + OF_A_VALUE * known.values
        return of_content + OF_A_CLIENT * len(known.state_vector)

    def is_at(self, state_vector: bytes) -> bool:
        """Whether a stranger's state vector is, to the byte, that of what there is here: then there is nothing to be checked in it."""
        return state_vector == self.document.state_vector()

    def lacks(self, state_vector: bytes) -> bool:
        """Whether a peer has seen what this node has not: its own work, or rows that other nodes appended. Raises ProtocolError."""
        if self.is_at(state_vector):
            return False
        theirs, known = check_state_vector(state_vector), self.clocks
        self._checked = state_vector
        return any(clock > known.get(client, 0) for client, clock in theirs.items())

    def lacking(self, request: JoinRequest, afford: Afford) -> tuple[bytes, bytes]:
        """Return the missing update and our state vector, both empty if the client is up to date.

        A state vector does not record deletions, so only a client that names its last complete row
        can be told that nothing is missing. Raises ProtocolError for a state vector that is none, Damaged, and
        what `afford` raises (see `Document.missing_for`).
        """
        document = self.document
        if request.state_vector is not self._checked and not self.is_at(request.state_vector):
            check_state_vector(request.state_vector)
        self._checked = None
        state_vector = document.state_vector()
        if (request.epoch, request.seq) != (self.epoch, self.seq):
            return document.missing_for(self._known_part(request.state_vector), afford), state_vector
        return b"", b"" if request.state_vector == state_vector else state_vector

    def _known_part(self, state_vector: bytes) -> bytes:
        """A checked state vector without what nobody here has seen: however much people make up, one encoding serves them all."""
        if self.is_at(state_vector):
            return state_vector
        asked, known = check_state_vector(state_vector), self.document.clocks
        if all(clock <= known.get(client, 0) for client, clock in asked.items()):
            return state_vector
        return encode_state_vector({each: min(clock, known[each]) for each, clock in asked.items() if each in known})

    # What the gate knows.

    @property
    def learned(self) -> bool:
        """Whether the gate knows the document."""
        return self._snapshot is None

    @property
    def clocks(self) -> Mapping[int, int]:
        """The clock behind the last known struct of each client id, what is in flight included."""
        return self._knowledge.state_vector if self.learned else self.document.clocks

    @property
    def knowledge(self) -> Knowledge:
        """What the gate knows; it is learned now if need be."""
        if not self.learned:
            self.learn(self.read_gate())
        return self._knowledge

    def read_gate(self) -> Knowledge | ProtocolError:
        """Read what the gate must know out of the snapshot, some 10 ms for each 100 kB; changes nothing, so that a thread may do it."""
        snapshot = self._snapshot
        if snapshot is None:
            return self._knowledge
        try:
            return Knowledge.from_snapshot(snapshot, self._limits)
        except ProtocolError as error:
            return error

    def learn(self, read: Knowledge | ProtocolError) -> None:
        """Take over what was read, and absorb what was applied since; a document that turns out to be something else is quarantined."""
        if self.learned:
            return
        updates, self._unlearned, self._snapshot = self._unlearned, [], None
        if isinstance(read, ProtocolError):
            self.quarantine(f"The gate cannot read the snapshot. {read.message}")
            return
        self._knowledge = read
        for update in updates:
            self._absorb(update)
        read.measured()
        if dict(read.state_vector) != self.document.clocks:
            self.quarantine("The replica is not where its log leads to.")

    def quarantine(self, reason: str) -> None:
        """Take no more, and drop what waits for its turn."""
        self.quarantined = reason
        self.ahead.clear()

    def read(self, batch: bytes) -> Sequence[Inspected]:
        """Take a batch of a session apart; raises ProtocolError."""
        keystroke = self._knowledge.typing_runs.read(batch)
        if keystroke is not None:
            return (keystroke,)
        return inspect_batch(decode_batch(batch), self._limits)

    def admit(
        self, updates: Sequence[Inspected], may_write: MayWrite, own: ClientId | None = None, *, measured: bool = False
    ) -> Admission:
        """Let updates of a session in, which joined under the client id `own`, all or none; raises ProtocolError."""
        knowledge = self._knowledge if self._snapshot is None else self.knowledge
        return knowledge.admit(updates, may_write, own, measured=measured)

    def admit_in_slices(
        self, updates: Sequence[Inspected], may_write: MayWrite, own: ClientId | None, *, measured: bool
    ) -> Generator[None, None, Admission]:
        """The same with pauses. Until its end nothing else may be admitted; rows may come."""
        self.judging = True
        try:
            return (yield from self.knowledge.admit_in_slices(updates, may_write, own, measured=measured))
        finally:
            self.judging = False
            late, self._unlearned = self._unlearned, []
            for update in late:
                self._absorb(update)

    def arrive(self, row: InspectedRow, *, known: bool) -> None:
        """Take a row of the log. `known`: the gate knows its updates already, because it let them in here."""
        if row.seq <= self.seq or row.seq in self.ahead or self.quarantined is not None:
            return
        self.ahead[row.seq] = (row, known)

    def advance(self) -> Iterator[InspectedRow]:
        """Apply the rows whose turn it is, and yield each; raises Damaged, and the replica must be made anew of the log.

        Only now the gate learns what is new in them: of a row whose past is still missing it would
        learn wrong places.
        """
        while (held := self.ahead.pop(Seq(self.seq + 1), None)) is not None:
            row, known = held
            self._follow(row, known=known)
            yield row
