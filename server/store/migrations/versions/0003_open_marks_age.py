"""Column for the time of an open mark, so that marks of nodes that never come back can be deleted.

Older marks count as made now.

Revision ID: 0003
Revises: 0002
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("open_marks", sa.Column("marked_at", sa.BigInteger(), nullable=False, server_default="0"))
    marks = sa.table("open_marks", sa.column("marked_at", sa.BigInteger()))
    op.execute(sa.update(marks).values(marked_at=time.time_ns() // 1000))
