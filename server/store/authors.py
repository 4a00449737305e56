"""Bindings of a document's client ids in SQL.

A binding names the row with which it came, and outlives this row. So rows that are read from
history still come with their bindings.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, bindparam, select

from crdt.ids import ClientId, Seq
from crdt.protocol.row import AuthorKeys, Row
from server.store.database import fetch
from server.store.schema import author_keys

_BOUND = (
    select(author_keys.c.client_id, author_keys.c.key_hash, author_keys.c.seq)
    .where(author_keys.c.document_key == bindparam("key"), author_keys.c.seq > bindparam("after"))
    .order_by(author_keys.c.client_id)
)


class Bindings(Struct, frozen=True):
    """The bindings of a document, by client id and by row."""

    by_client: Mapping[ClientId, bytes]
    by_seq: Mapping[Seq, AuthorKeys]

    def of(self, rows: Sequence[Row]) -> list[Row]:
        """Return the rows, each with its bindings."""
        return [replace(row, author_keys=self.by_seq[row.seq]) if row.seq in self.by_seq else row for row in rows]


def read_bindings(connection: Connection, key: int, after: int = -1) -> Bindings:
    """Read a document's bindings, or only those of rows after `after`. `key` is the document's."""
    by_client: dict[ClientId, bytes] = {}
    by_seq: dict[Seq, AuthorKeys] = {}
    for client_id, key_hash, seq in fetch(connection, _BOUND, key=key, after=after):
        by_client[client_id] = key_hash
        by_seq[seq] = (*by_seq.get(seq, ()), (client_id, key_hash))
    return Bindings(by_client, by_seq)
