"""Columns of the log for the time of each row, and for the people whose updates the row holds.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    ids = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "contributors",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", ids, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", ids, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_contributors"),
        sqlite_with_rowid=False,
    )
    op.add_column("log_rows", sa.Column("at", sa.BigInteger()))
    op.add_column("log_rows", sa.Column("contributors", sa.LargeBinary()))
    op.add_column("history", sa.Column("at", sa.BigInteger()))
