"""One replica of a document: the log, applied in its order, and nothing else.

pycrdt keeps its promises only under conditions, which are this module's rules:

1. Updates come in log order and causally complete (the gate sees to it). After they are applied the
   state vector must be the one that they lead to; yrs can integrate behind a gap and report what it
   does not hold (y-crdt#632).
2. Any exception of pycrdt, also PanicException, which is no `Exception`, puts the replica in doubt:
   `Damaged` is raised, the object must be dropped, and the document is replayed from the log.
3. pycrdt is only ever given the engine's form of an update, and what it encodes is unwrapped before
   anybody sees it (crdt/yjs/wrapping.py).
4. Values are never read out here (`to_py`, `str`): hostile content can make that endless. That is
   the sandbox's work.
5. What counts has been applied, each update in a transaction of its own: two that are sound alone
   may be unsound in one.

Plain text is the exception to 5. Nobody looks into a replica but who joins or comes back, while
every keystroke has to go into it. A text that the gate let in cannot fail, so it counts first, and
is applied together with many others, or before anything else is.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pycrdt import Doc

from crdt.errors import Code, InvariantError
from crdt.gate.shapes import is_plain_text
from crdt.gate.typing_runs import Keystroke
from crdt.yjs.reader import Inspected
from crdt.yjs.state_vector import check_state_vector, encode_state_vector
from crdt.yjs.varint import varuint
from crdt.yjs.wrapping import unwrap, weight

FULL_CHECK_CLIENTS = 256
"""Up to this many client ids the state vector is compared whenever something was applied; comparing 20,000 takes milliseconds."""

FULL_CHECK_EVERY = 64
"""Above it, after every so many times."""

MOST_PENDING, MOST_PENDING_BYTES = 64, 16 * 2**10
"""Texts that are followed and not applied yet, and what they may occupy: a turn of the loop is not to become long by them."""

EMPTY = b"\0"
"""The state vector of who has nothing."""

_CACHED_ANSWERS = 16
_CACHED_BYTES = 2**20
"""Of a document's encoded answers; one that is larger is kept alone, since it took longest to make."""


Afford = Callable[[int], None]
"""Raises unless there is room for so many bytes."""

Engine = Callable[[Doc[Any], bytes], None]
"""How an update gets into pycrdt's document."""


def apply_update(doc: Doc[Any], update: bytes) -> None:
    """Let pycrdt do it, in a transaction of the update's own."""
    doc.apply_update(update)


class Damaged(InvariantError):
    """pycrdt could not hold what the log says. The replica must be dropped, unless it is `untouched`: the update was not even read."""

    def __init__(self, message: str, *, untouched: bool = False) -> None:
        super().__init__(message, Code.QUARANTINED)
        self.untouched = untouched


class Document:
    """A replica. After `Damaged` was raised from any method the object is of no more use."""

    def __init__(self, engine: Engine = apply_update) -> None:
        """Begin empty. `engine`: tests have one that fails."""
        self._engine = engine
        self._doc: Doc[Any] = Doc()
        self._clocks: dict[int, int] = {}
        self._pending: list[bytes] = []
        """Updates that are followed and not applied."""
        self._pending_bytes = 0
        self._applied: dict[int, int] = {}
        """How far the client ids are applied of which something is not."""
        self._names: dict[int, bytes] = {}
        """Client ids as they are written."""
        self._expected = b""
        """The state vector as pycrdt should write it, for comparing bytes costs a tenth of reading them; empty when that is not known."""
        self._unchecked = 0
        self._answers: dict[bytes, bytes] = {}
        self._state_vector: bytes | None = None
        self.size = 0
        """Bytes of the snapshot and the updates since, and the weight of what is wrapped in them: an upper bound of the content."""
        self.deletions = 0
        """Updates that have deleted something, whose log may be worth folding for that alone."""

    def follow(self, update: Inspected) -> None:
        """Take in one update of the log, which the gate let in: it counts from now on, and if it could fail it has been applied."""
        if type(update) is not Keystroke and not is_plain_text(update):
            self.apply(update)
            return
        self._pending.append(update.engine)
        self._pending_bytes += len(update.engine)
        self._count(update)
        if len(self._pending) >= MOST_PENDING or self._pending_bytes >= MOST_PENDING_BYTES:
            self.settle()

    def apply(self, update: Inspected) -> None:
        """Take in one update of the log at once, whatever it is."""
        self.settle()
        try:
            with _damage("An update could not be applied"):
                self._engine(self._doc, update.engine)
        except Damaged as damaged:
            damaged.untouched = isinstance(damaged.__cause__, ValueError) and self._is_where_it_was()
            raise
        self._count(update)
        self.deletions += bool(update.deletions)
        self._check()

    def _count(self, update: Inspected) -> None:
        clocks = self._clocks
        self.size += len(update.raw)
        if update.engine is not update.raw:
            self.size += weight(update.engine)
        for client, _, end in update.clients:
            before = clocks.get(client, 0)
            if end > before:
                self._applied.setdefault(client, before)
                clocks[client] = end
        self._answers.clear()
        self._state_vector = None

    def settle(self) -> None:
        """Apply what is followed, and check that the replica is where the log leads to."""
        if not self._pending:
            return
        # One transaction for all: beginning and ending one costs several times what a keystroke
        # does.
        with _damage("A text could not be applied"), self._doc.transaction():
            for update in self._pending:
                self._engine(self._doc, update)
        self._pending.clear()
        self._pending_bytes = 0
        self._check()

    def _check(self) -> None:
        self._expect()
        self._unchecked += 1
        if len(self._clocks) <= FULL_CHECK_CLIENTS or self._unchecked >= FULL_CHECK_EVERY:
            self.verify()

    def _is_where_it_was(self) -> bool:
        """Whether an update that pycrdt could not read has left no trace: then there was nothing to begin with."""
        try:
            self.verify()
        except Damaged:
            return False
        return True

    @property
    def clocks(self) -> Mapping[int, int]:
        """The clock behind the last struct of each client id."""
        return self._clocks

    def shrink(self, saved: int) -> None:
        """The stored document became smaller by so many bytes, because its log was folded."""
        self.size = max(0, self.size - saved)

    def apply_snapshot(self, snapshot: bytes, clocks: Mapping[int, int] | None = None) -> None:
        """Begin from a whole document in the engine's form, which leads to these clocks; None: wherever it leads to."""
        with _damage("The snapshot could not be applied"):
            self._doc.apply_update(snapshot)
        self._clocks = self._held() if clocks is None else dict(clocks)
        self.size += len(snapshot) + weight(snapshot)
        self._state_vector = None
        self.verify()

    def verify(self) -> None:
        """Compare pycrdt's state vector with the expected one; raises Damaged when they differ."""
        self._unchecked = 0
        with _damage("The state vector cannot be read"):
            held = self._doc.get_state()
            if held == self._expected:
                return
            clocks = check_state_vector(held)
        if clocks != self._clocks:
            raise Damaged("The replica is not where its log leads to.")
        self._expected = held if len(clocks) <= FULL_CHECK_CLIENTS else b""

    def _expect(self) -> None:
        """Write the clocks that have grown into the expected state vector."""
        for client, before in self._applied.items():
            name = self._names.get(client)
            if name is None:
                name = self._names[client] = varuint(client)
            old = name + varuint(before)
            known = before > 0 and old in self._expected
            self._expected = self._expected.replace(old, name + varuint(self._clocks[client]), 1) if known else b""
        self._applied.clear()

    def _held(self) -> dict[int, int]:
        with _damage("The state vector cannot be read"):
            return check_state_vector(self._doc.get_state())

    def state_vector(self) -> bytes:
        """What this replica has seen, as Yjs v1 bytes."""
        if self._state_vector is None:
            self._state_vector = encode_state_vector(self._clocks)
        return self._state_vector

    def snapshot(self) -> bytes:
        """Encode the whole document in the engine's form, for `apply_snapshot`."""
        self.settle()
        with _damage("The document cannot be encoded"):
            return self._doc.get_update()

    def missing_for(self, state_vector: bytes, afford: Afford = lambda _most: None) -> bytes:
        """Encode what a peer with this (checked) state vector lacks; one encoding serves all who ask for the same.

        `afford` is asked before a new one is made. It is told how large that may become, in bytes,
        and may raise.
        """
        self.settle()
        answer = self._answers.pop(state_vector, None)
        if answer is None:
            afford(self.size)
            with _damage("The document cannot be encoded"):
                answer = unwrap(self._doc.get_update(state_vector))
        self._answers[state_vector] = answer
        self._forget_answers()
        return answer

    def _forget_answers(self) -> None:
        """Keep what was asked for last, within bounds; state vectors come from strangers, and may be as long as they like."""
        held = sum(len(asked) + len(answer) for asked, answer in self._answers.items())
        while len(self._answers) > 1 and (len(self._answers) > _CACHED_ANSWERS or held > _CACHED_BYTES):
            oldest = next(iter(self._answers))
            held -= len(oldest) + len(self._answers.pop(oldest))


@contextmanager
def _damage(what: str) -> Iterator[None]:
    """Turn whatever pycrdt raises, panics included, into Damaged."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise Damaged(f"{what} ({type(error).__name__}).") from error
