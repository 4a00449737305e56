"""A table of names by which clients of other protocols call documents.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "document_names",
        sa.Column("name", _ID, nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_document_names"),
        sqlite_with_rowid=False,
    )
