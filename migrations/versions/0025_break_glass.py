"""Restricted referrals opened in an emergency

Revision: 0025, after 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "glass_break",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("alert", sa.String(length=9), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("opened", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("verdict", sa.String(length=40), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("alert", name="glass_break_alert_key"),
        sa.CheckConstraint("opened = (until IS NOT NULL)", name="glass_break_opened_until"),
        sa.CheckConstraint("until <= at + interval '60 minutes'", name="glass_break_an_hour_at_most"),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (verdict IS NULL)",
            name="glass_break_reviewed_by_somebody",
        ),
    )
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON glass_break TO mash_app")


def downgrade() -> None:
    op.drop_table("glass_break")
