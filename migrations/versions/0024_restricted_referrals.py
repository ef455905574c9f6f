"""Referrals that only named people may know of, and people who are too near to one

Revision: 0024, after 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = ("restriction", "named_person", "interest_conflict")


def upgrade() -> None:
    op.create_table(
        "restriction",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _reference(),
        sa.Column("ground", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        _account("restricted_by"),
        _moment("restricted_at"),
        _moment("review_due_at"),
        _moment("lifted_at", nullable=True),
        _account("lifted_by", nullable=True),
        sa.Column("lifted_because", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_because IS NULL)", name="restriction_lifted_for_a_reason"),
        sa.CheckConstraint("(lifted_at IS NULL) = (lifted_by IS NULL)", name="restriction_lifted_by_somebody"),
        sa.CheckConstraint("review_due_at > restricted_at", name="restriction_reviewed_later"),
    )
    op.create_index("ix_restriction_reference", "restriction", ["reference"])
    op.create_index(
        "restriction_in_force", "restriction", ["reference"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_table(
        "named_person",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("restriction_id", sa.Uuid(), sa.ForeignKey("restriction.id"), nullable=False),
        _account("account_id"),
        _account("named_by"),
        _moment("named_at"),
        _moment("until", nullable=True),
        _moment("removed_at", nullable=True),
    )
    op.create_index("named_person_of", "named_person", ["restriction_id", "account_id"])
    op.create_table(
        "interest_conflict",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _account("account_id"),
        _reference(),
        sa.Column("ground", sa.String(length=40), nullable=False),
        _moment("declared_at"),
        sa.UniqueConstraint("account_id", "reference", name="interest_conflict_once"),
    )
    op.create_index("ix_interest_conflict_reference", "interest_conflict", ["reference"])
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON restriction, named_person TO mash_app")
        op.execute("GRANT SELECT, INSERT ON interest_conflict TO mash_app")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _reference() -> sa.Column[str]:
    return sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False)


def _account(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=60), sa.ForeignKey("account.id"), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
