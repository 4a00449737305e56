"""Compaction: the folding of a log into a verified snapshot, and the rule for when to fold.

`fold` trusts nobody. It replays the log into one Doc, and encodes that Doc as the snapshot. It
loads the snapshot into a second Doc, in the form that a client would get, unwrapped and read again.
Then it compares both encodings, item by item, with the log's own bytes
(crdt/log/compaction_check.py). Any doubt is an exception, and the log then stays as it is. Run
`fold` where a crash or an endless loop does no harm.

Everything is compared in the engine's form (crdt/yjs/wrapping.py). A snapshot is stored in this
form too, behind a prefix. A snapshot that an earlier version made has no prefix, and is inspected
like any update.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from msgspec.structs import replace
from pycrdt import Doc

from crdt.ids import Seq
from crdt.log.compaction_check import Items, check_same
from crdt.log.stand_ins import batch_of
from crdt.protocol.batch import decode_batch
from crdt.protocol.row import Row
from crdt.rescue.memory import remember, restore
from crdt.rescue.rescue import Rescued, Said, Unanswered, answer
from crdt.rescue.sequences import MOST_WORK, Sequences
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.varint import encode_state_vector
from crdt.yjs.wrapping import clients_snapshot, open_snapshot, seal_snapshot, unwrap

ROW_BYTES = 64
"""Bytes that a row counts as beside its own: its place in the database, its call in a replay."""

WHILE_OPEN = (256 * 2**10, 2)
"""Least weight of a log that is folded: bytes, and the snapshot's size divided by this number.

256 kB are some 2,500 rows of typing. The log must also weigh at least half of the snapshot.
"""

AT_UNLOAD = (8 * 2**10, 8)
"""The same for a document that the last person has left.

Time is cheap then, and the next load becomes quick.
"""

MOST_REMEMBERING = MOST_WORK // 5
"""Steps of hard work for what a fold remembers, some 2 s.

The snapshot needs the rest of the job's processor time. Without it the log would never be folded.
"""

_ANY_NUMBER = 2**62
_LIMITS = GateLimits()


def should_compact(rows: int, log_bytes: int, snapshot_bytes: int, *, unloading: bool = False) -> bool:
    """Whether the log since the snapshot is worth folding.

    The log must have grown by a share of the snapshot. So all folds of a document with n bytes of
    history take O(n) work together.
    """
    return log_bytes + ROW_BYTES * rows >= due_bytes(snapshot_bytes, unloading=unloading)


def due_bytes(snapshot_bytes: int, *, unloading: bool = False) -> int:
    """Return the least weight of a log that is worth folding: its bytes, and `ROW_BYTES` a row."""
    floor, share = AT_UNLOAD if unloading else WHILE_OPEN
    return max(floor, snapshot_bytes // share)


def remembered(
    snapshot: bytes | None, batches: Sequence[bytes], seq: int, memory: bytes, heirs: Sequence[bytes]
) -> bytes:
    """Return what the rescue must remember of a log that is folded (crdt/rescue/memory.py).

    `seq`: the snapshot's row. `heirs`: of each row since.
    """
    told = enumerate(zip(batches, heirs, strict=True), 1)
    rows = [Row(Seq(seq + n), batch, heirs=each) for n, (batch, each) in told]
    return remember(restored(snapshot, memory, rows, MOST_REMEMBERING))


def restored(snapshot: bytes | None, memory: bytes, rows: Sequence[Row], most_work: int = MOST_WORK) -> Sequences:
    """Build the sequences of a stored document, for a rescue.

    Raises what damaged bytes raise, and InvariantError for more than so many steps of hard work.
    """
    clients = None if snapshot is None else clients_snapshot(snapshot)
    applied = [replace(row, batch=batch_of(row)) for row in rows]
    return restore(clients, memory, applied, _LIMITS.fragment_roots, most_work)


def answered(
    snapshot: bytes | None,
    memory: bytes,
    rows: Sequence[Row],
    seq: int,
    said: Sequence[Said],
    most_work: int = MOST_WORK,
) -> Rescued:
    """Answer the updates of row `seq` of a stored document.

    A person whose rescue fails gets no answers in this row, so that everybody else gets theirs.
    """
    without: dict[int | None, str] = {}
    while True:
        try:
            rescued = answer(restored(snapshot, memory, rows, most_work), seq, said, without)
        except Unanswered as failed:
            without[failed.author] = failed.message
        else:
            return replace(rescued, failed="; ".join(without.values()))


def fold(snapshot: bytes | None, batches: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Build and verify the snapshot of a log.

    Returns the snapshot as it is stored, and its state vector as Yjs v1 bytes. Raises
    InvariantError if the snapshot is not exactly the log. Whatever pycrdt raises passes through,
    PanicException included.
    """
    replayed: Doc[Any] = Doc()
    said = Items()
    # One Doc, in log order, because merging updates without a Doc takes quadratic time. So do many
    # updates in one transaction. A transaction for each batch is faster than one for each update:
    # these take half as long again.
    for updates in _batches_of(snapshot, batches):
        with replayed.transaction():
            for update in updates:
                replayed.apply_update(update)
                said.add(update)
    folded = replayed.get_update()
    check_same(said, folded, replayed.get_state())
    loaded: Doc[Any] = Doc()
    clients = unwrap(folded)
    loaded.apply_update(folded if clients is folded else inspect(clients, _LIMITS, durable=True).engine)
    check_same(said, loaded.get_update(), loaded.get_state())
    return seal_snapshot(folded), encode_state_vector(said.clocks())


def engine_updates(snapshot: bytes | None, batches: Sequence[bytes]) -> Iterator[bytes]:
    """Yield every update of a stored document, in log order and in the engine's form."""
    return chain.from_iterable(_batches_of(snapshot, batches))


def _batches_of(snapshot: bytes | None, batches: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    if snapshot is not None:
        engine = open_snapshot(snapshot)
        yield (inspect(snapshot, _LIMITS, durable=True).engine if engine is None else engine,)
    for batch in batches:
        updates = decode_batch(batch, max_updates=_ANY_NUMBER)  # the batch was accepted once
        yield [inspect(update, _LIMITS, durable=True).engine for update in updates]
