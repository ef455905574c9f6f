"""How urgent a referral is to the hub, and an agency's call to discuss it now

Revision: 0016, after 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

RATED = "referral_rating_has_a_reason"
RATING = "urgencyrating"


def upgrade() -> None:
    ratings = sa.Enum("RED", "AMBER", "GREEN", name=RATING, native_enum=False, create_constraint=True, length=10)
    op.add_column("referral", sa.Column("urgency_rating", ratings, nullable=False, server_default="GREEN"))
    op.alter_column("referral", "urgency_rating", server_default=None)
    op.add_column("referral", sa.Column("rated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("referral", sa.Column("rated_because", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(RATED, "referral", "(rated_at IS NULL) = (rated_because IS NULL)")
    op.create_table(
        "urgent_call",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False),
        sa.Column("agency", sa.String(length=40), sa.ForeignKey("agency.code"), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.CheckConstraint(
            "(acknowledged_at IS NULL) = (acknowledged_by IS NULL)", name="urgent_call_acknowledged_by_somebody"
        ),
    )
    op.create_index("ix_urgent_call_reference", "urgent_call", ["reference"])
    op.create_index(
        "urgent_call_open_once", "urgent_call", ["reference", "agency"], unique=True,
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )  # fmt: skip
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON urgent_call TO mash_app")


def downgrade() -> None:
    op.drop_table("urgent_call")
    op.drop_constraint(RATED, "referral")
    for column in ("rated_because", "rated_at", "urgency_rating"):
        op.drop_column("referral", column)
