"""Documents, their logs, snapshots and history, attachments, open marks.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _document() -> sa.Column[int]:
    return sa.Column("document_key", sa.Integer(), nullable=False)


def _of_document() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("key", sa.Integer(), nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_folded", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("trashed_at", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.Column("snapshot_seq", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_documents"),
        sa.UniqueConstraint("document_id", name="uq_documents_document_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_rows",
        _document(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("batch", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "seq", name="pk_log_rows"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "update_ids",
        _document(),
        sa.Column("update_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "update_id", name="pk_update_ids"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "author_keys",
        _document(),
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "client_id", name="pk_author_keys"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "snapshots",
        _document(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("state_vector", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "seq", name="pk_snapshots"),
    )
    op.create_table(
        "history",
        _document(),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("checksum", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "seq", name="pk_history"),
    )
    op.create_table(
        "attachments",
        _document(),
        sa.Column("sha256", _ID, nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "sha256", name="pk_attachments"),
    )
    op.create_table(
        "open_marks",
        _document(),
        sa.Column("node_id", _ID, nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "node_id", name="pk_open_marks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sign_of_life",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_of_life"),
    )
