"""Columns for the first two lines of a document's text, by which people know the document.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("first_line", "second_line", "lines_folded"):
        op.add_column("documents", sa.Column(name, sa.Text(), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("excerpt_seq", sa.BigInteger(), nullable=False, server_default="0"))
