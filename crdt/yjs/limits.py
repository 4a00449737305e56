"""Limits of the gate: one field for each limit, with its unit and its reason.

All limits serve one bound: **each received byte costs the event loop a constant time, and each turn
of the loop is short.** Work that is dearer runs elsewhere or in slices. So nobody waits more than
200 ms for another document's work:

1. Small batches are read and judged at once. Large batches are read in the sandbox and judged in
   slices (crdt/gate/interweaving.py).
2. The gate knows an upper bound of the document engine's work (crdt/gate/engine_cost.py). Where the
   bound is high, the sandbox measures the work (server/rooms/trials.py). If the work is long, the
   document is read folded instead. If the document would take long to open, the batch is refused.
3. People who only suggest may use up three quarters of what all share: types, structs, values and
   client ids. The rest is kept for those who may write (crdt/permissions.py).
4. The content of a document is bounded. The engine needs 200 ms at most to open a document, to
   encode it, or to apply one batch.
"""

from msgspec import Struct
from msgspec.structs import replace

from crdt.permissions import Role, share_of


class GateLimits(Struct, frozen=True):
    """Limits on one update, and on what a document may grow to.

    Attributes:
        update_bytes: bytes of one update. A room takes as many bytes as one batch, because a batch
            may be a single update.
        structs: structs and deleted ranges of one batch. Each costs the serving process about 5 µs,
            in slices. The engine takes 100 ms for all of them, in one piece. A document with
            260,000 edits by one person has 11,000.
        any_values: values nested in lists and objects of one batch. A null is one byte in an update
            and 24 bytes in memory. The engine reads all of them in one piece.
        any_depth: levels of nesting in one JSON or `Any` value. yrs reads nested values
            recursively: 800 levels overflow a small stack.
        type_depth: levels of shared types within each other. yrs deletes and prints types
            recursively: 20,000 levels overflow its stack, and browsers give up earlier. A table in
            a nested list in a quote needs 20.
        types: shared types in one document, including those deleted since the last compaction. A
            paragraph is two types. Each type takes about 1 kB in all.
        root_names: root types of one document beside `fragment_roots`. A handful is normal. Root
            types can never be deleted.
        client_ids: client ids of one document. Each page that writes takes one, and none can be
            forgotten. A state vector lists them all, each in 13 bytes at most. A vector of this
            many ids, in base64, still fits into the message of a client that joins again.
        brought_client_ids: client ids of one document above which updates may not bring new ids of
            other authors. The import of an old document brings such ids. The ids that are left up
            to `client_ids` are for people in the room, who write under their session's own id. So
            nobody can use them up at once.
        document_structs: structs and deleted ranges of one document that cannot be joined. Each
            takes 250 bytes of memory. Opening a document takes the engine 0.7 µs for each, in one
            piece.
        document_values: living values in lists and objects of one document. Each takes 200 bytes of
            memory. The gate counts the values that came. Once that count is above the limit, the
            sandbox counts the living ones.
        fragment_roots: names of roots that may hold only XML. The default is the editor's own root:
            a bare string in it would break every page that has the document open.
    """

    update_bytes: int = 16 * 2**20
    structs: int = 100_000
    any_values: int = 250_000
    any_depth: int = 32
    type_depth: int = 256
    types: int = 70_000
    root_names: int = 64
    client_ids: int = 40_000
    brought_client_ids: int = 20_000
    document_structs: int = 120_000
    document_values: int = 300_000
    fragment_roots: frozenset[str] = frozenset({"default"})

    def for_suggestions(self) -> "GateLimits":
        """Return the limits for people who only suggest: the rest is kept for those who write."""
        suggests = Role.COMMENTER
        return replace(
            self,
            types=share_of(self.types, suggests),
            client_ids=share_of(self.client_ids, suggests),
            brought_client_ids=share_of(self.brought_client_ids, suggests),
            document_structs=share_of(self.document_structs, suggests),
            document_values=share_of(self.document_values, suggests),
        )

    def without_sizes(self) -> "GateLimits":
        """Return the limits for durable updates, which must stay readable when limits change."""
        huge = 2**62
        return replace(
            self,
            update_bytes=huge,
            structs=huge,
            any_values=huge,
            type_depth=max(self.type_depth, 4096),
            types=huge,
            root_names=huge,
            document_structs=huge,
            document_values=huge,
            client_ids=huge,
            brought_client_ids=huge,
        )
