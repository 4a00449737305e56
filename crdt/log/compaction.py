"""Compaction: when a log is worth folding into a snapshot, and how it is folded so that nothing is lost on the way.

`fold` trusts nobody. It replays the log into one Doc, encodes that as the snapshot, loads the
snapshot into a second Doc, and compares both encodings, item by item, with what the log's own bytes
say (crdt/log/compaction_check.py). The second Doc is given what a client would be given, unwrapped
and read again. Any doubt is an exception; the log then stays as it is. Run it where a crash or an
endless loop does no harm.

Everything is compared in the engine's form (crdt/yjs/wrapping.py), and that is the form of a
snapshot, with a mark of its own in front. A snapshot of a former version has no such mark; it is
inspected like any update.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from pycrdt import Doc

from crdt.log.compaction_check import Items, check_same
from crdt.protocol.batch import decode_batch
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.state_vector import encode_state_vector
from crdt.yjs.wrapping import open_snapshot, seal_snapshot, unwrap

ROW_BYTES = 64
"""What a row costs beside its bytes: its place in the database and its own call when it is replayed."""

WHILE_OPEN = (256 * 2**10, 2)
"""Least weight of the log in bytes (some 2,500 rows of typing), and the share of the snapshot it must reach: a half."""

AT_UNLOAD = (8 * 2**10, 8)
"""The same when the last person has left: time is cheap then, and the next load is quick."""

_ANY_NUMBER = 2**62
_LIMITS = GateLimits()


def should_compact(rows: int, log_bytes: int, snapshot_bytes: int, *, unloading: bool = False) -> bool:
    """Whether a log of `rows` rows and `log_bytes` since a snapshot of `snapshot_bytes` is worth folding.

    The log must have grown by a share of the snapshot, so a document of n bytes of history is
    folded in O(n) work altogether.
    """
    return log_bytes + ROW_BYTES * rows >= due_bytes(snapshot_bytes, unloading=unloading)


def due_bytes(snapshot_bytes: int, *, unloading: bool = False) -> int:
    """The weight of a log from which on it is worth folding, rows included at `ROW_BYTES` each."""
    floor, share = AT_UNLOAD if unloading else WHILE_OPEN
    return max(floor, snapshot_bytes // share)


def fold(snapshot: bytes | None, batches: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Build and verify the snapshot of a log; return it as it is stored, with its state vector as Yjs v1 bytes.

    Raises InvariantError when the snapshot is not exactly the log, and whatever pycrdt raises,
    PanicException included.
    """
    replayed: Doc[Any] = Doc()
    said = Items()
    # One Doc, in log order: merging updates without one takes quadratic time, and so do many in one
    # transaction. One for each takes half as long again as one for each batch.
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
    """Every update of a stored document in log order, in the engine's form. Batches were accepted once, so none is too long here."""
    return chain.from_iterable(_batches_of(snapshot, batches))


def _batches_of(snapshot: bytes | None, batches: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    if snapshot is not None:
        engine = open_snapshot(snapshot)
        yield (inspect(snapshot, _LIMITS, durable=True).engine if engine is None else engine,)
    for batch in batches:
        updates = decode_batch(batch, max_updates=_ANY_NUMBER)
        yield [inspect(update, _LIMITS, durable=True).engine for update in updates]
