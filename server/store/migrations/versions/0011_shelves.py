"""Tables for stars, for the time at which a person opened a document, and for labels.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "shelves",
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("starred", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_key", "user_id", name="pk_shelves"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_shelves_user_id", "shelves", ["user_id"])
    op.create_table(
        "labels",
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_key", "label", name="pk_labels"),
        sqlite_with_rowid=False,
    )
