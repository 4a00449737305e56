"""One document on one node: the document in pycrdt, the gate's index, and the last row of the log.

Rows may arrive in any order and more than once. Each row is followed once, in the log's order; rows
ahead of their turn are held. Updates that do not apply in a replay are set aside
(crdt/log/replay.py). If even that does not help, the document is quarantined: it keeps what could
be replayed, and takes no more rows.

Reading a document is ten times faster than indexing it for the gate. A large snapshot is therefore
indexed later: call `read_gate` in a thread, then `learn`. Code that needs the index earlier builds
it on the spot.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from itertools import chain

from crdt.errors import ProtocolError
from crdt.gate.admission import NO_ROOTS, Admission, MayWrite, Roots
from crdt.gate.engine_cost import PLENTY
from crdt.gate.gate import Knowledge
from crdt.ids import ClientId, Seq
from crdt.log.document import Afford, Damaged, Document, Engine, apply_update
from crdt.log.replay import InspectedRow, Replay
from crdt.log.stand_ins import missing_past, stood_in_for
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import JoinRequest
from crdt.protocol.row import Found, SetAside, Stored
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect, inspect_batch
from crdt.yjs.varint import check_state_vector, encode_state_vector
from crdt.yjs.wrapping import open_snapshot

LEARN_AT_ONCE_BYTES = 32 * 2**10
"""Bytes of the largest snapshot that is indexed for the gate at once, in some 3 ms."""

DEAR = 2 * PLENTY
"""Nanoseconds that another node's row may cost the engine (crdt/gate/engine_cost.py).

Few rows come near to this bound.
"""

OF_A_BYTE, OF_A_STRUCT, OF_A_CLIENT, OF_A_VALUE = 2, 500, 1500, 200
"""Bytes of memory for each byte, each struct or deleted range, each client id, and each value.

Values in lists and objects are counted.
"""

UNLEARNED = 20
"""Bytes of memory for each byte of a document whose content is not indexed."""


class Spared(Exception):
    """A row's turn has come, but the row is too dear to apply. Read a folded snapshot instead."""


class Replica:
    """The document in memory. `seq` is the last row that was followed.

    The gate's index may be ahead of `seq` by the updates that are in flight to the log. The
    document is *learned* once the gate's index of it is built.
    """

    judging = False
    """Whether a batch is being judged in slices. No other batch may be judged meanwhile."""

    quarantined: str | None = None
    """The reason why the document is open read-only, or None if it is not quarantined."""

    def __init__(
        self, stored: Stored, limits: GateLimits, engine: Engine = apply_update, *, may_learn_later: bool = False
    ) -> None:
        """Replay a stored document. The replica is quarantined if some row cannot be replayed.

        With `may_learn_later`, a large snapshot is not indexed for the gate yet.
        """
        self._limits = limits
        self._engine = engine
        self._snapshot: bytes | None = None
        """The snapshot that is still to be indexed, in the engine's form; None if there is none."""
        self._unlearned: list[Inspected] = []
        """Updates that the gate's index lacks while it is to be built, or is used in slices."""
        self.ahead: dict[Seq, tuple[InspectedRow, bool]] = {}
        """Rows that are held until their turn, and whether the gate knows their updates."""
        self.epoch = stored.epoch
        self.seq = stored.snapshot_seq
        self.document = Document(engine)
        self._knowledge = Knowledge(limits)
        self.set_aside: dict[Seq, tuple[SetAside, ...]] = dict(stored.set_aside)
        """Updates that are not applied, by row."""
        self.set_aside_version, self.set_aside_open = stored.set_aside_version, stored.set_aside_open
        """As in `Stored`; the second number includes `found`."""
        self.found: tuple[Found, ...] = ()
        """Updates that this replay has set aside, and that are not stored as such yet."""
        self.spared: list[Inspected] = []
        """Updates too dear to apply: a folded document is read instead (server/rooms/trials.py)."""
        self._checked: bytes | None = None
        """The last state vector that `lacks` has checked. Checking a long one takes long."""
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
                self.seq = row.seq  # after `take`, because a quarantine names the row that failed
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
        """Whether updates without news are known, in part or all, only because of stand-ins."""
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
            if not known or (row.rescues and any(update is each for each in row.rescues)):
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
        """Add a row's update to the gate's index, now or later.

        Returns an upper bound of the engine's time in nanoseconds, or 0 if that is not known yet.
        """
        if self._snapshot is not None or self.judging:
            self._unlearned.append(update)
            return 0
        return self._knowledge.absorb(update)

    @property
    def memory(self) -> int:
        """Bytes that the document takes in memory, estimated.

        The largest possible number until the document is learned.
        """
        size = self.document.size
        if not self.learned:
            return UNLEARNED * size
        known = self._knowledge
        of_content = OF_A_BYTE * size + OF_A_STRUCT * known.structs + OF_A_VALUE * known.values
        return of_content + OF_A_CLIENT * len(known.state_vector)

    def is_at(self, state_vector: bytes) -> bool:
        """Whether a stranger's state vector equals the document's, so that it needs no check."""
        return state_vector == self.document.state_vector()

    def lacks(self, state_vector: bytes) -> bool:
        """Whether a peer has seen updates that this node has not.

        They may be the peer's own, or in rows that other nodes appended. Raises ProtocolError if
        the bytes are no state vector.
        """
        if self.is_at(state_vector):
            return False
        theirs, known = check_state_vector(state_vector), self.clocks
        self._checked = state_vector
        return any(clock > known.get(client, 0) for client, clock in theirs.items())

    def lacking(self, request: JoinRequest, afford: Afford) -> tuple[bytes, bytes]:
        """Return the missing update and our state vector, both empty if the client is up to date.

        A state vector does not record deletions, so only a client that names its last complete row
        can be told that nothing is missing. Raises ProtocolError if the bytes are no state vector,
        Damaged, and what `afford` raises (see `Document.missing_for`).
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
        """Return a checked state vector with no clock above this document's.

        So strangers who invent clocks share one encoding of the missing update.
        """
        if self.is_at(state_vector):
            return state_vector
        asked, known = check_state_vector(state_vector), self.document.clocks
        if all(clock <= known.get(client, 0) for client, clock in asked.items()):
            return state_vector
        return encode_state_vector({each: min(clock, known[each]) for each, clock in asked.items() if each in known})

    # The gate's index.

    @property
    def learned(self) -> bool:
        return self._snapshot is None

    def may_have(self, root: str) -> bool:
        """Whether anything stands in a root type, as far as that is known without work."""
        return not self.learned or root in self._knowledge.places.roots

    @property
    def clocks(self) -> Mapping[int, int]:
        """The clock behind the last known struct of each client id.

        Includes updates in flight to the log, once the document is learned.
        """
        return self._knowledge.state_vector if self.learned else self.document.clocks

    @property
    def knowledge(self) -> Knowledge:
        """The gate's index. It is built now if need be."""
        if self._snapshot is not None:
            self.learn(self.read_gate())
        return self._knowledge

    def read_gate(self) -> Knowledge | ProtocolError:
        """Build the gate's index from the snapshot, in some 10 ms for each 100 kB.

        Changes nothing here, so it may run in a thread. Returns the error if the snapshot cannot be
        read.
        """
        snapshot = self._snapshot
        if snapshot is None:
            return self._knowledge
        try:
            return Knowledge.from_snapshot(snapshot, self._limits)
        except ProtocolError as error:
            return error

    def learn(self, read: Knowledge | ProtocolError) -> None:
        """Take over the result of `read_gate`, and absorb the updates since.

        The document is quarantined if the index is an error, or disagrees with pycrdt's document.
        """
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
        """Take no more rows, and drop those that wait for their turn."""
        self.quarantined = reason
        self.ahead.clear()

    def read(self, batch: bytes) -> Sequence[Inspected]:
        """Inspect a session's batch. Raises ProtocolError."""
        keystroke = self._knowledge.typing_runs.read(batch)
        if keystroke is not None:
            return (keystroke,)
        return inspect_batch(decode_batch(batch), self._limits)

    def has_deletions_of(self, update: bytes) -> bool:
        """Whether all that an update deletes is deleted here. Raises ProtocolError."""
        covers = self.knowledge.deletions.covers
        deletions = inspect(update, self._limits).deletions
        return all(covers(client, first, end) for client, ranges in deletions for first, end in ranges)

    def admit_in_slices(
        self,
        updates: Sequence[Inspected],
        may_write: MayWrite,
        own: ClientId | None,
        *,
        measured: bool,
        closed: Roots = NO_ROOTS,
    ) -> Generator[None, None, Admission]:
        """Do the same as `admit`, with pauses in which the event loop can turn.

        Nothing else may be admitted until the end, but rows may arrive.
        """
        self.judging = True
        try:
            judged = self.knowledge.admit_in_slices(updates, may_write, own, measured=measured, closed=closed)
            return (yield from judged)
        finally:
            self.judging = False
            late, self._unlearned = self._unlearned, []
            for update in late:
                self._absorb(update)

    def arrive(self, row: InspectedRow, *, known: bool) -> None:
        """Hold a row of the log until its turn. Known, late and repeated rows are ignored.

        `known` says that the gate has let the row's updates in on this node, so it knows them.
        """
        if row.seq <= self.seq or row.seq in self.ahead or self.quarantined is not None:
            return
        self.ahead[row.seq] = (row, known)

    def advance(self) -> Iterator[InspectedRow]:
        """Apply the rows whose turn it is, and yield each.

        Raises Damaged, and then the replica must be built anew from the log. Raises Spared for a
        row that is too dear.

        The gate learns a row's updates only now. Before a row's past is known, it would learn wrong
        places.
        """
        while (held := self.ahead.pop(Seq(self.seq + 1), None)) is not None:
            row, known = held
            self._follow(row, known=known)
            yield row
