"""Columns for the format of a document's rich text, and for whether other formats may write it.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("format_name", sa.Text()))
    op.add_column("documents", sa.Column("format_version", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("documents", sa.Column("any_format", sa.BigInteger(), nullable=False, server_default="0"))
