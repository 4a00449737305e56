"""The bindings of a document's client ids in SQL, and rows with what they bound.

A binding names the row with which it came. It outlives that row: whoever reads folded rows from
history learns of it all the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from crdt.ids import ClientId, Seq
from crdt.protocol.row import AuthorKeys, Row
from server.store.schema import author_keys
from server.store.statements import fetch

_BOUND = (
    select(author_keys.c.client_id, author_keys.c.key_hash, author_keys.c.seq)
    .where(author_keys.c.document_key == bindparam("key"), author_keys.c.seq > bindparam("after"))
    .order_by(author_keys.c.client_id)
)


@dataclass(frozen=True, slots=True)
class Bindings:
    """What was bound, as a whole and by row."""

    by_client: Mapping[ClientId, bytes]
    by_seq: Mapping[Seq, AuthorKeys]

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """The rows with what they bound."""
        return [replace(row, author_keys=self.by_seq[row.seq]) if row.seq in self.by_seq else row for row in rows]


def read_bindings(connection: Connection, key: int, after: int = -1) -> Bindings:
    """Read what was bound in a document, or only what was bound after a row. `key`: the document's."""
    by_client: dict[ClientId, bytes] = {}
    by_seq: dict[Seq, AuthorKeys] = {}
    for client_id, key_hash, seq in fetch(connection, _BOUND, key=key, after=after):
        by_client[client_id] = key_hash
        by_seq[seq] = (*by_seq.get(seq, ()), (client_id, key_hash))
    return Bindings(by_client, by_seq)
