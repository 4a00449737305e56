"""What the gate lets through, in numbers: one field a limit, each with its unit and its reason.

Behind them stands one bound: **a byte received costs a constant on the event loop, and a turn of it
is short.** What is dearer goes elsewhere or in slices, so that nobody in another document waits
more than 200 ms for it:

1. Small batches are read and judged at once, large ones are read in the sandbox and judged in
   slices (crdt/gate/interweaving.py).
2. What the document engine would work on for long, by an upper bound (crdt/gate/engine_cost.py), is
   measured in the sandbox. If it is long, the document is read folded instead; if the document
   would be long to open by it, it is refused (server/rooms/doubts.py).
3. What a document holds is bounded, so that to open it, to encode it or to apply one batch takes
   the engine 200 ms at most.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Limits on one update, and on what a document may grow to.

    Attributes:
        update_bytes: one update. What a room takes as one batch, since a batch may be one update.
        structs: structs and deleted ranges of one batch. Each costs the serving process about 5 µs,
            in slices, and the engine takes 100 ms for all of them, in one piece; a document with
            260,000 edits by one person has 11,000.
        any_values: values nested in lists and objects of one batch. A null is one byte here and 24
            in memory, and the engine reads all of them in one piece.
        any_depth: levels of nesting in one JSON or `Any` value. yrs reads them recursively: 800
            levels overflow a small stack.
        type_depth: levels of shared types within each other. yrs deletes and prints them
            recursively: 20,000 overflow its stack, and browsers give up earlier. A table in a
            nested list in a quote is at 20.
        types: shared types in one document, the deleted ones since the last compaction included. A
            paragraph is two; each takes about 1 kB in all.
        root_names: root types of one document beside `fragment_roots`. A handful is normal; they
            can never be deleted.
        client_ids: authors of one document. Each page that writes takes one, and none can be
            forgotten. Every state vector lists them all in 13 bytes at most: so many fit into one
            message of whoever joins again, in base64 too.
        brought_client_ids: how many there may be for updates to bring along ids of others, as the
            import of an old document does. The rest is for people who are here, each under the id
            of their session: nobody can use that up at once.
        document_structs: structs and deleted ranges of one document, as far as they cannot be
            joined. Each takes 250 bytes of memory; to open a document takes the engine 0.7 µs for
            each, in one piece.
        document_values: values in lists and objects of one document, as far as they live. Each
            takes 200 bytes of memory. Counted are those that came, until they are more; then the
            living ones are counted in the sandbox.
        fragment_roots: roots that hold XML and nothing else. The editor's own: a bare string in it
            would break every page open on it.
    """

    update_bytes: int = 16 * 2**20
    structs: int = 100_000
    any_values: int = 250_000
    any_depth: int = 32
    type_depth: int = 256
    types: int = 2**18
    root_names: int = 64
    client_ids: int = 50_000
    brought_client_ids: int = 25_000
    document_structs: int = 250_000
    document_values: int = 500_000
    fragment_roots: frozenset[str] = frozenset({"default"})

    def without_sizes(self) -> "GateLimits":
        """The same for what is durable already: what once was let in must be readable, however the limits have changed."""
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
