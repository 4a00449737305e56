"""Which row bound a client id, so that whoever reads on learns of it. Bindings from before belong to row 0: only a load tells of them.

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
