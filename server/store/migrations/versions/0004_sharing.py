"""Tables for sharing.

Older documents stay open to everybody who knows their address, and have no owner.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_ID = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _document() -> sa.Column[int]:
    return sa.Column("document_key", sa.Integer(), nullable=False)


def _of_document() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["document_key"], ["documents.key"], ondelete="CASCADE")


def upgrade() -> None:
    _extend_documents()
    _create_grants()
    _create_visits()
    _create_people()


def _extend_documents() -> None:
    op.add_column("documents", sa.Column("link_role", sa.Text(), nullable=True))
    op.add_column("documents", sa.Column("link_hash", sa.LargeBinary(), nullable=True))
    for name in ("link_generation", "access_version"):
        op.add_column("documents", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    documents = sa.table("documents", sa.column("link_role", sa.Text()))
    op.execute(sa.update(documents).values(link_role="editor"))


def _create_grants() -> None:
    op.create_table(
        "grants",
        _document(),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "user_id", name="pk_grants"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_grants_user_id", "grants", ["user_id"])
    owner = sa.text("role = 'owner'")
    op.create_index(
        "uq_grants_owner", "grants", ["document_key"], unique=True, sqlite_where=owner, postgresql_where=owner
    )


def _create_visits() -> None:
    op.create_table(
        "visits",
        _document(),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True),
        sa.Column("visited_at", sa.BigInteger(), nullable=False),
        _of_document(),
        sa.PrimaryKeyConstraint("document_key", "user_id", name="pk_visits"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_visits_user_id", "visits", ["user_id"])


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=False),
        sa.Column("email", _ID, nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_users_email", "users", ["email"])
    op.create_table(
        "secrets",
        sa.Column("name", _ID, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", _ID, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("document_id", _ID, nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_document_id", "audit", ["document_id"])
