"""Column for the row that bound a client id, so that a node that reads on learns of the binding.

Older bindings belong to row 0, so only a load returns them.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("author_keys", sa.Column("seq", sa.BigInteger(), nullable=False, server_default="0"))
