"""Tables for the discussion of documents and for people's inboxes.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _of_document(name: str, *columns: sa.Column, key: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("document_key", sa.Integer(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_key", *key, name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def upgrade() -> None:
    for name in ("discussion_version", "discussion_floor", "discussion_open"):
        op.add_column("documents", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    _of_document(
        "threads",
        sa.Column("thread_id", _ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("suggestion_id", _ID, nullable=False, server_default=""),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("quote_before", sa.Text(), nullable=False),
        sa.Column("quote_after", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.LargeBinary()),
        sa.Column("changed_at", sa.BigInteger()),
        sa.Column("assignee_id", _ID),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        key=("thread_id",),
    )
    op.create_index("ix_threads_version", "threads", ["document_key", "version"])
    _of_document(
        "comments",
        sa.Column("thread_id", _ID, nullable=False),
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.BigInteger()),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("body", sa.Text(), nullable=False),
        key=("thread_id", "comment_id"),
    )
    _of_document(
        "reactions",
        sa.Column("thread_id", _ID, nullable=False),
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("emoji", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        key=("thread_id", "comment_id", "emoji", "user_id"),
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("thread_id", _ID, nullable=False),
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("suggestion_id", _ID, nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger()),
        sa.Column("mailed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_user_id", "inbox", ["user_id", "id"])
    op.create_index("ix_inbox_document_key", "inbox", ["document_key", "thread_id"])
    unmailed = sa.text("read_at IS NULL AND mailed_at IS NULL")
    op.create_index("ix_inbox_unmailed", "inbox", ["at"], sqlite_where=unmailed, postgresql_where=unmailed)
    op.create_table(
        "mail_refusals",
        sa.Column("user_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_mail_refusals"),
        sqlite_with_rowid=False,
    )
