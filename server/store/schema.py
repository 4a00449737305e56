"""Schema: the tables, their keys, and the reasons for both.

Everything that belongs to a document refers to `documents.key`, and is deleted with it (ON DELETE
CASCADE). A key is a number that is never given twice. So a job that holds a key cannot touch a
document that was deleted and made anew under the same id. Times are microseconds since 1970. Tables
whose rows are found only by their primary key are stored in its order (`WITHOUT ROWID`), so a log
is read in one sweep. A new database gets these tables as they are here, and an older one gets them
by `migrations/`. A test compares the two.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.schema import SchemaItem

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"})


# Ids compare as bytes. In PostgreSQL's other collations the order depends on the system's library,
# and an update of the library breaks indexes.
_ID = Text().with_variant(Text(collation="C"), "postgresql")


def _of_document(name: str, *columns: SchemaItem, large: bool = False) -> Table:
    """Make a table whose rows belong to a document, and go with it. `large`: they hold files."""
    key: Column[int] = Column("document_key", ForeignKey("documents.key", ondelete="CASCADE"), primary_key=True)
    return Table(name, metadata, key, *columns, sqlite_with_rowid=large)


def _only(condition: str) -> dict[str, Any]:
    """Return the arguments of an index that holds only the rows of which this is true.

    For PostgreSQL `partial_in_postgres` adds the same condition: to say it here imports the half of
    SQLAlchemy that SQLite does not need.
    """
    return {"sqlite_where": text(condition)}


def partial_in_postgres() -> None:
    """Tell PostgreSQL's part of SQLAlchemy which indexes hold only some rows."""
    for table in metadata.tables.values():
        for index in table.indexes:
            if (condition := index.dialect_options["sqlite"]["where"]) is not None:
                index.dialect_options["postgresql"]["where"] = condition


# There is no index on updated_at, because every append would rewrite it. Without one, a page of
# 100,000 titles is still found fast enough.
documents = Table(
    "documents",
    metadata,
    Column("key", Integer, primary_key=True),
    Column("document_id", _ID, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("title_folded", Text, nullable=False),  # for searches: titles.fold_title
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("trashed_at", BigInteger),
    Column("epoch", BigInteger, nullable=False),
    Column("head", BigInteger, nullable=False),  # the last row's seq; raising it decides the order of commits
    Column("snapshot_seq", BigInteger, nullable=False),  # rows up to here are folded; 0: there is no snapshot
    Column("size", BigInteger, nullable=False),  # bytes of the snapshot and of the rows after it
    # The link (sharing_base.Link), and the version that every change of access raises.
    Column("link_role", Text),
    Column("link_hash", LargeBinary),
    Column("link_generation", BigInteger, nullable=False, server_default="0"),
    Column("access_version", BigInteger, nullable=False, server_default="0"),
    # Raised by every change of `set_aside`. At 0 nothing was ever set aside, so a reader of the
    # document needs no look there.
    Column("set_aside_version", BigInteger, nullable=False, server_default="0"),
    # The last row that moved words to other places (crdt/rescue). Others append behind that row
    # only if they know it.
    Column("moved_seq", BigInteger, nullable=False, server_default="0"),
    # The format of the rich text: NULL until a writer has declared one. `any_format` is 1 if the
    # owner lets sessions of other formats write.
    Column("format_name", Text),
    Column("format_version", BigInteger, nullable=False, server_default="0"),
    Column("any_format", BigInteger, nullable=False, server_default="0"),
    # The first two lines of the text at row `excerpt_seq`. `lines_folded` has both, for searches.
    Column("first_line", Text, nullable=False, server_default=""),
    Column("second_line", Text, nullable=False, server_default=""),
    Column("lines_folded", Text, nullable=False, server_default=""),
    Column("excerpt_seq", BigInteger, nullable=False, server_default="0"),
    # Who wrote the last row: the key of a contributor. NULL: not known, or the last change was a
    # rename.
    Column("edited_by", LargeBinary),
    # The discussion's version, which every change of its threads raises. Clients that know a
    # version below the floor must read everything, because not all threads are known that were
    # deleted since. With `discussion_open`, viewers may read the discussion.
    Column("discussion_version", BigInteger, nullable=False, server_default="0"),
    Column("discussion_floor", BigInteger, nullable=False, server_default="0"),
    Column("discussion_open", BigInteger, nullable=False, server_default="0"),
    # 0: the document has an owner. 1: it may have none. Lists find ownerless documents by this.
    Column("ownerless", BigInteger, nullable=False, server_default="1"),
    Index("ix_documents_ownerless", "key", **_only("ownerless = 1")),
    sqlite_autoincrement=True,
)

# Names by which clients of other protocols call documents. A name outlives its document, so that
# clients who come back after its deletion do not make the document anew.
document_names = Table(
    "document_names",
    metadata,
    Column("name", _ID, primary_key=True),
    Column("document_id", _ID, nullable=False),
    sqlite_with_rowid=False,
)

log_rows = _of_document(
    "log_rows",
    Column("seq", BigInteger, primary_key=True),
    Column("batch", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),  # segments.checksum(batch, seq)
    Column("at", BigInteger),  # NULL, like the next, in rows of versions that did not write it
    Column("contributors", LargeBinary),  # contributors.keys_of
    Column("heirs", LargeBinary),  # which characters live on where (crdt/protocol/links.py); NULL for none
)

# Contributors belong to no document, because most people write in many. The key is a hash of the
# other columns.
contributors = Table(
    "contributors",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("on_behalf_of", _ID, nullable=False),
    sqlite_with_rowid=False,
)

# Update ids have a table of their own, because they outlive their rows
# (base.REMEMBERED_UPDATE_IDS).
update_ids = _of_document(
    "update_ids",
    Column("update_id", _ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

# Updates of rows that are not applied (crdt/log/replay.py). They have a table of their own, because
# the rows stay as they are, and may be folded and deleted.
set_aside = _of_document(
    "set_aside",
    Column("seq", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),  # in the batch; -1: the whole row
    Column("data", LargeBinary, nullable=False),  # the update as it came
    Column("stand_in", LargeBinary, nullable=False),  # the batch that is applied in its place
    Column("reason", Text, nullable=False),
    Column("state", Text, nullable=False),  # set_aside_base.State
    Column("found_at", BigInteger, nullable=False),
)

author_keys = _of_document(
    "author_keys",
    Column("client_id", BigInteger, primary_key=True),
    Column("key_hash", LargeBinary, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default="0"),  # the row that bound it, folded or not; 0: not known
)

# The newest snapshot, the one that it was made from, and those that the kept history builds on. All
# are packed (segments.py).
snapshots = _of_document(
    "snapshots",
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("state_vector", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("memory", LargeBinary),  # what the rescue remembers (crdt/rescue/memory.py), packed; NULL for nothing
    large=True,
)

# Raw rows that have been folded, packed (segments.py). `seq` and `at` are the last row's.
history = _of_document(
    "history",
    Column("seq", BigInteger, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("at", BigInteger),
    large=True,
)

attachments = _of_document(
    "attachments",
    Column("sha256", _ID, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
    large=True,
)

open_marks = _of_document(
    "open_marks",
    Column("node_id", _ID, primary_key=True),
    Column("marked_at", BigInteger, nullable=False, server_default="0"),
)

grants = _of_document(
    "grants",
    Column("user_id", _ID, primary_key=True),
    Column("role", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index("ix_grants_user_id", "user_id"),
    # At most one owner.
    Index("uq_grants_owner", "document_key", unique=True, **_only("role = 'owner'")),
)

# People who came by the link. `link_hash` is the one that `documents` had then.
visits = _of_document(
    "visits",
    Column("user_id", _ID, primary_key=True),
    Column("link_hash", LargeBinary),
    Column("visited_at", BigInteger, nullable=False),
    Index("ix_visits_user_id", "user_id"),
)

# What a document is to one person: whether it has their star, and when they opened it last.
shelves = _of_document(
    "shelves",
    Column("user_id", _ID, primary_key=True),
    Column("starred", BigInteger, nullable=False, server_default="0"),
    Column("opened_at", BigInteger, nullable=False, server_default="0"),  # 0: not yet
    Index("ix_shelves_user_id", "user_id"),
)

# People who ask for access. A refused one stays, so that asking again asks nobody.
access_requests = _of_document(
    "access_requests",
    Column("user_id", _ID, primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
    Column("refused", BigInteger, nullable=False, server_default="0"),
)

# Labels are the document's own: everybody who may read the document sees the same ones.
labels = _of_document("labels", Column("label", Text, primary_key=True))

# Threads of the discussion. A deleted one stays for a while without its content, in the state
# `gone`, so that those who read what has changed learn of it, and nobody begins it again.
threads = _of_document(
    "threads",
    Column("thread_id", _ID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("suggestion_id", _ID, nullable=False, server_default=""),
    Column("quote", Text, nullable=False),
    Column("quote_before", Text, nullable=False),
    Column("quote_after", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("author", LargeBinary, nullable=False),  # the key of a contributor, like `changed_by`
    Column("author_id", _ID, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_by", LargeBinary),
    Column("changed_at", BigInteger),
    Column("assignee_id", _ID),
    Column("version", BigInteger, nullable=False),  # of the discussion, at the thread's last change
    Column("bytes", BigInteger, nullable=False),  # of its comments' bodies
    Index("ix_threads_version", "document_key", "version"),
)

# Comments. Of a deleted one the body is empty.
comments = _of_document(
    "comments",
    Column("thread_id", _ID, primary_key=True),
    Column("comment_id", _ID, primary_key=True),
    Column("author", LargeBinary, nullable=False),
    Column("author_id", _ID, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("edited_at", BigInteger),
    Column("deleted_at", BigInteger),
    Column("body", Text, nullable=False),  # JSON
)

reactions = _of_document(
    "reactions",
    Column("thread_id", _ID, primary_key=True),
    Column("comment_id", _ID, primary_key=True),
    Column("emoji", _ID, primary_key=True),
    Column("user_id", _ID, primary_key=True),
    Column("person", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

# What concerns a person. An entry that concerns no thread, comment or suggestion has "" there.
inbox = Table(
    "inbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", _ID, nullable=False),
    Column("document_key", ForeignKey("documents.key", ondelete="CASCADE"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("thread_id", _ID, nullable=False),
    Column("comment_id", _ID, nullable=False),
    Column("suggestion_id", _ID, nullable=False),
    Column("person", LargeBinary, nullable=False),  # who did it: the key of a contributor
    Column("at", BigInteger, nullable=False),
    Column("read_at", BigInteger),
    Column("mailed_at", BigInteger),
    Index("ix_inbox_user_id", "user_id", "id"),
    Index("ix_inbox_document_key", "document_key", "thread_id"),
    Index("ix_inbox_unmailed", "at", **_only("read_at IS NULL AND mailed_at IS NULL")),
    sqlite_autoincrement=True,
)

# People who want no mail.
mail_refusals = Table("mail_refusals", metadata, Column("user_id", _ID, primary_key=True), sqlite_with_rowid=False)

# Languages in which people get mail.
mail_languages = Table(
    "mail_languages",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("language", Text, nullable=False),
    sqlite_with_rowid=False,
)

users = Table(
    "users",
    metadata,
    Column("user_id", _ID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("color", Text, nullable=False),
    Column("email", _ID),
    Column("kind", Text, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Index("ix_users_email", "email"),
    sqlite_with_rowid=False,
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", _ID, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# Answers to requests that programs may repeat. `key`, `person` and `request` are hashes. `proof` is
# what shows that a request was carried out whose answer is not kept yet (answers_base.py).
answers = Table(
    "answers",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("person", LargeBinary, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("proof", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("is_done", BigInteger, nullable=False),
    Index("ix_answers_at", "at"),
    Index("ix_answers_person", "person", "at"),
    sqlite_with_rowid=False,
)

# Programs that may come in by themselves. Of a token only the hash is stored.
service_tokens = Table(
    "service_tokens",
    metadata,
    Column("token_id", _ID, primary_key=True),
    Column("token_hash", LargeBinary, nullable=False),
    Column("name", Text, nullable=False),
    Column("agent_for", _ID, nullable=False),
    Column("roles", Text, nullable=False),  # JSON: a role for each document id, or for *
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),  # NULL: never
    Column("used_at", BigInteger),  # NULL: not yet
    sqlite_with_rowid=False,
)

# Deeds refer to no document's key, because they stay when the document is gone.
deeds = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor_id", _ID, nullable=False),
    Column("action", Text, nullable=False),
    Column("document_id", _ID, nullable=False),
    Column("details", Text, nullable=False),  # JSON
    Index("ix_audit_document_id", "document_id"),
    sqlite_autoincrement=True,
)

# One row that `Store.check` rewrites.
sign_of_life = Table(
    "sign_of_life",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
)
