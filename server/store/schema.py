"""The tables: what is kept where, and why it is keyed so.

Everything that belongs to a document hangs on `documents.key`, a number that is never given twice, and goes with it (ON DELETE CASCADE).
So whoever holds a key cannot touch a document that was deleted and made anew under the same id. Moments are microseconds since 1970.
Tables whose rows are found only by their primary key are stored in its order (`WITHOUT ROWID`): a log is read in one sweep.
`migrations/` makes these tables; a test compares the two.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"})


# Ids compare as bytes; in PostgreSQL's other collations order depends on the system's library, and an update of that breaks indexes.
_ID = Text().with_variant(Text(collation="C"), "postgresql")


def _document() -> Column[int]:
    return Column("document_key", ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True)


# No index on updated_at: it would be rewritten by every append, and a page of 100,000 titles is scanned faster than it is missed.
documents = Table(
    "documents",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("document_id", _ID, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("title_folded", Text, nullable=False),  # titles.fold_title: what searches compare
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("trashed_at", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),  # the last row's seq; raising it decides the order of commits
    Column("snapshot_seq", BigInteger, nullable=False),  # rows up to here are folded; 0: there is no snapshot
    Column("size", BigInteger, nullable=False),  # bytes of the snapshot and of the rows after it
    sqlite_autoincrement=True,
)

log_rows = Table(
    "log_rows",
    metadata,
    _document(),
    Column("seq", BigInteger, primary_key=True),
    Column("batch", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),  # segments.checksum(batch, seq)
    sqlite_with_rowid=False,
)

# Apart from log_rows, because they outlive their rows: base.REMEMBERED_UPDATE_IDS.
update_ids = Table(
    "update_ids",
    metadata,
    _document(),
    Column("update_id", _ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

author_keys = Table(
    "author_keys",
    metadata,
    _document(),
    Column("client_id", BigInteger, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default="0"),  # the row that bound it, folded or not; 0: not known
    sqlite_with_rowid=False,
)

# The newest one and the one that it was made from, packed (segments.py).
snapshots = Table(
    "snapshots",
    metadata,
    _document(),
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("state_vector", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
)

# Raw rows that have been folded, packed (segments.py); `seq` is the last one's.
history = Table(
    "history",
    metadata,
    _document(),
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
)

attachments = Table(
    "attachments",
    metadata,
    _document(),
    Column("sha256", _ID, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

open_marks = Table(
    "open_marks",
    metadata,
    _document(),
    Column("node_id", _ID, primary_key=True),
    Column("marked_at", BigInteger, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)

# One row that `Store.check` rewrites.
sign_of_life = Table(
    "sign_of_life",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
