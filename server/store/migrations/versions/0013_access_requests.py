"""A table of people who ask for access to a document.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "access_requests",
        sa.Column("document_key", sa.Integer(), nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("document_key", "user_id", name="pk_access_requests"),
        sqlite_with_rowid=False,
    )
