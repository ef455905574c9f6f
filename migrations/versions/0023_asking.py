"""Which agencies were asked on what basis and why, and which were not

Revision: 0023, after 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Of what was asked before nobody wrote down more than that the agency's scope fitted.
    op.add_column(
        "agency_check", sa.Column("asked_because", sa.String(length=40), nullable=False, server_default="IN_SCOPE")
    )
    op.add_column("agency_check", sa.Column("basis", postgresql.JSONB(), nullable=False, server_default="{}"))
    for column in ("asked_because", "basis"):
        op.alter_column("agency_check", column, server_default=None)
    op.create_table(
        "agency_not_asked",
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), primary_key=True),
        sa.Column("agency", sa.String(length=40), sa.ForeignKey("agency.code"), primary_key=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("overridden_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overridden_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("override_reason", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(overridden_at IS NULL) = (overridden_by IS NULL) AND (overridden_at IS NULL) = (override_reason IS NULL)",
            name="agency_not_asked_overridden_by_somebody",
        ),
    )
    op.create_index(
        "agency_not_asked_overridden", "agency_not_asked", ["overridden_at"],
        postgresql_where=sa.text("overridden_at IS NOT NULL"),
    )  # fmt: skip
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON agency_not_asked TO mash_app")


def downgrade() -> None:
    op.drop_table("agency_not_asked")
    for column in ("basis", "asked_because"):
        op.drop_column("agency_check", column)
