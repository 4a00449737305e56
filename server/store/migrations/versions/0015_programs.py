"""Tables for programs: answers to repeatable requests, and service tokens.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "answers",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("is_done", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_answers_at", "answers", ["at"])
    op.create_index("ix_answers_person", "answers", ["person", "at"])
    op.create_table(
        "service_tokens",
        sa.Column("token_id", _ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("agent_for", _ID, nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("token_id", name="pk_service_tokens"),
        sqlite_with_rowid=False,
    )
