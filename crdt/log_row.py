"""One row of a document's log: as the store keeps it, as hints carry it, and as rooms take it in."""

from dataclasses import dataclass

from crdt.ids import ClientId, Seq

AuthorKeys = tuple[tuple[ClientId, bytes], ...]
"""Client ids, each with the hash (16 bytes) of the key that it is bound to: crdt/authors.py."""


@dataclass(frozen=True, slots=True)
class Row:
    """A batch (crdt.protocol.encode_batch) at its place, and the client ids that were bound when it was appended."""

    seq: Seq
    batch: bytes
    author_keys: AuthorKeys = ()
