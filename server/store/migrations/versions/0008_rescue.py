"""Columns for the rescue of words: the last move, where characters live on, what is remembered.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("moved_seq", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("log_rows", sa.Column("heirs", sa.LargeBinary()))
    op.add_column("snapshots", sa.Column("memory", sa.LargeBinary()))
