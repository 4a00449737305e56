"""Document in pycrdt: the updates of a log, applied in its order, and nothing else.

pycrdt keeps its promises only under conditions. These are the rules of this module:

1. Updates come in log order and causally complete, as the gate ensures. After an update the state
   vector must be the one that the update leads to. yrs can integrate behind a gap, and then report
   structs that it does not hold (y-crdt#632).
2. Any exception of pycrdt puts the document in doubt. This includes PanicException, which is no
   `Exception`. `Damaged` is raised, the object must be dropped, and the log is replayed.
3. pycrdt is only ever given the engine's form of an update. Whatever pycrdt encodes is unwrapped
   before anybody sees it (crdt/yjs/wrapping.py).
4. Values are never read out here (`to_py`, `str`), because hostile content can make that endless.
   The sandbox reads values.
5. An update counts only after it has been applied, in a transaction of its own. Two updates that
   are sound alone may be unsound in one transaction.

Plain text is the exception to rule 5. A document is read only when somebody joins or comes back,
but every keystroke has to go into it. A text that the gate let in cannot fail. So a text counts at
once, and is applied later: together with many others, or before anything else is applied.

The states of an update, and the checks after it is applied:

    follow() ── plain text ──► pending ── settle(): all pending ones in one transaction ──┐
       │                      (counts)                                                    │
       └── anything else ──► settle(), then apply(): a transaction of its own ──► counts ─┤
                                                                                          ▼
    Damaged ◄── they differ ── verify(): compare pycrdt's ◄── _expect(): write the clocks that grew
       ▲                       state vector, each time or     into the expected state vector
       │                       each 64th time
       └── pycrdt raises, in any of the steps
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pycrdt import Doc

from crdt.errors import Code, InvariantError
from crdt.gate.shapes import is_plain_text
from crdt.gate.typing_runs import Keystroke
from crdt.yjs.reader import Inspected
from crdt.yjs.varint import check_state_vector, encode_state_vector, varuint
from crdt.yjs.wrapping import unwrap, weight

FULL_CHECK_CLIENTS = 256
"""Most client ids with which the state vector is compared each time that something was applied.

Comparing 20,000 client ids takes milliseconds.
"""

FULL_CHECK_EVERY = 64
"""With more client ids, the state vector is compared once in this many times."""

MOST_PENDING, MOST_PENDING_BYTES = 64, 16 * 2**10
"""Texts, and their bytes, that may wait to be applied, so that applying them keeps a turn short."""

EMPTY = b"\0"
"""The state vector of an empty document."""

_CACHED_ANSWERS = 16
_CACHED_BYTES = 2**20
"""Bytes of a document's encoded answers that are kept.

A larger answer is kept alone, because it took longest to make.
"""


Afford = Callable[[int], None]
"""A function that raises unless there is room for this many bytes."""

Engine = Callable[[Doc[Any], bytes], None]
"""A function that applies an update in the engine's form to pycrdt's document."""


def apply_update(doc: Doc[Any], update: bytes) -> None:
    doc.apply_update(update)


class Damaged(InvariantError):
    """The refusal of pycrdt to hold what the log says.

    The document must be dropped, unless it is `untouched`: pycrdt did not even read the update.
    """

    def __init__(self, message: str, *, untouched: bool = False) -> None:
        super().__init__(message, Code.QUARANTINED)
        self.untouched = untouched


class Document:
    """A document in pycrdt. The object is useless once one of its methods has raised `Damaged`.

    Between `follow` and `settle` an update is *pending*: it counts, but pycrdt does not have it.
    """

    def __init__(self, engine: Engine = apply_update) -> None:
        """Begin empty. Tests give an `engine` that fails."""
        self._engine = engine
        self._doc: Doc[Any] = Doc()
        self.clocks: dict[int, int] = {}
        """The clock behind the last struct of each client id."""
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._applied: dict[int, int] = {}
        """Clocks at the last `_expect`, of the client ids that have grown since."""
        self._names: dict[int, bytes] = {}
        """Client ids as varUints."""
        self._expected = b""
        """The state vector as pycrdt should encode it, or empty if it is not known.

        Comparing the bytes costs a tenth of reading them.
        """
        self._unchecked = 0
        self._answers: dict[bytes, bytes] = {}
        self._state_vector: bytes | None = None
        self.size = 0
        """An upper bound of the content, in bytes.

        Counted are the snapshot, the updates since, and the weight of their wrapped values.
        """
        self.deletions = 0
        """Number of updates that have deleted something. They alone may make folding worthwhile."""

    def follow(self, update: Inspected) -> None:
        """Take in one update of the log that the gate let in. The update counts from now on.

        Plain text is applied later, because it cannot fail. All other updates are applied at once.
        """
        if type(update) is not Keystroke and not is_plain_text(update):
            self.apply(update)
            return
        self._pending.append(update.engine)
        self._pending_bytes += len(update.engine)
        self._count(update)
        if len(self._pending) >= MOST_PENDING or self._pending_bytes >= MOST_PENDING_BYTES:
            self.settle()

    def apply(self, update: Inspected) -> None:
        """Take in one update of the log, and apply it at once."""
        self.settle()
        try:
            with _damage("An update could not be applied"):
                self._engine(self._doc, update.engine)
        except Damaged as damaged:
            # pycrdt raises ValueError for bytes that it cannot read.
            damaged.untouched = isinstance(damaged.__cause__, ValueError) and self._is_where_it_was()
            raise
        self._count(update)
        self.deletions += bool(update.deletions)
        self._check()

    def _count(self, update: Inspected) -> None:
        clocks = self.clocks
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
        """Apply pending updates, and check that pycrdt's document is where the log leads to."""
        if not self._pending:
            return
        # One transaction for all, because a transaction costs several times as much as a keystroke.
        with _damage("A text could not be applied"), self._doc.transaction():
            for update in self._pending:
                self._engine(self._doc, update)
        self._pending.clear()
        self._pending_bytes = 0
        self._check()

    def _check(self) -> None:
        self._expect()
        self._unchecked += 1
        if len(self.clocks) <= FULL_CHECK_CLIENTS or self._unchecked >= FULL_CHECK_EVERY:
            self.verify()

    def _is_where_it_was(self) -> bool:
        """Whether an update that pycrdt could not read has left no trace."""
        try:
            self.verify()
        except Damaged:
            return False
        return True

    def shrink(self, saved: int) -> None:
        """Take `saved` bytes off `size`, because the log was folded."""
        self.size = max(0, self.size - saved)

    def apply_snapshot(self, snapshot: bytes, clocks: Mapping[int, int] | None = None) -> None:
        """Begin from a whole document in the engine's form.

        Raises Damaged if the document does not lead to `clocks`. Without `clocks`, the ones that it
        leads to are taken.
        """
        with _damage("The snapshot could not be applied"):
            self._doc.apply_update(snapshot)
        with _damage("The state vector cannot be read"):
            self.clocks = check_state_vector(self._doc.get_state()) if clocks is None else dict(clocks)
        self.size += len(snapshot) + weight(snapshot)
        self._state_vector = None
        self.verify()

    def verify(self) -> None:
        """Compare pycrdt's state vector with the expected one. Raises Damaged if they differ."""
        self._unchecked = 0
        with _damage("The state vector cannot be read"):
            held = self._doc.get_state()
            if held == self._expected:
                return
            clocks = check_state_vector(held)
        if clocks != self.clocks:
            raise Damaged("The replica is not where its log leads to.")
        self._expected = held if len(clocks) <= FULL_CHECK_CLIENTS else b""

    def _expect(self) -> None:
        """Write the clocks that have grown into the expected state vector.

        The old entry is searched in the bytes and replaced, which keeps the order of entries. If it
        is not found, or the client id is new, the expected vector becomes unknown. `verify` then
        reads pycrdt's own. A wrong match does no harm: `verify` finds a difference and reads.
        """
        for client, before in self._applied.items():
            name = self._names.get(client)
            if name is None:
                name = self._names[client] = varuint(client)
            old = name + varuint(before)
            known = before > 0 and old in self._expected
            self._expected = self._expected.replace(old, name + varuint(self.clocks[client]), 1) if known else b""
        self._applied.clear()

    def state_vector(self) -> bytes:
        """Return the document's state vector as Yjs v1 bytes, pending updates included."""
        if self._state_vector is None:
            self._state_vector = encode_state_vector(self.clocks)
        return self._state_vector

    def snapshot(self) -> bytes:
        """Encode the whole document in the engine's form, for `apply_snapshot`."""
        self.settle()
        with _damage("The document cannot be encoded"):
            return self._doc.get_update()

    def missing_for(self, state_vector: bytes, afford: Afford = lambda _most: None) -> bytes:
        """Return the missing update for a state vector, which must be checked.

        Peers with the same state vector get the same encoding. Before a new encoding is made,
        `afford` is called with its largest possible size in bytes, and may raise.
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
        """Forget the oldest answers beyond the bounds.

        The state vectors count as well, because strangers send them as long as they like.
        """
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
