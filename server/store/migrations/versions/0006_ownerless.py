"""Column and index by which documents without an owner are found without a scan of all documents.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("ownerless", sa.BigInteger(), nullable=False, server_default="1"))
    documents = sa.table("documents", sa.column("key", sa.Integer()), sa.column("ownerless", sa.BigInteger()))
    grants = sa.table("grants", sa.column("document_key", sa.Integer()), sa.column("role", sa.Text()))
    owned = sa.select(grants.c.document_key).where(grants.c.role == "owner")
    op.execute(sa.update(documents).where(documents.c.key.in_(owned)).values(ownerless=0))
    ownerless = sa.text("ownerless = 1")
    op.create_index("ix_documents_ownerless", "documents", ["key"], sqlite_where=ownerless, postgresql_where=ownerless)
