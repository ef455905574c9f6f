"""A decision knows who took no part in it and what it released; a disagreement, who resolved it (R29, R37, R38)

Revision: 0013, after 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

HAS_A_REASON = "(quorum_missing IS NULL) = (below_quorum_because IS NULL)"


def upgrade() -> None:
    op.add_column("dissent", sa.Column("resolved_by", sa.String(60), sa.ForeignKey("account.id")))
    op.add_column("threshold_decision", sa.Column("quorum_missing", sa.String(400)))
    op.add_column("threshold_decision", sa.Column("below_quorum_because", sa.LargeBinary()))
    op.create_check_constraint("decision_below_quorum_has_a_reason", "threshold_decision", HAS_A_REASON)
    op.create_table(
        "item_release",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("decision_id", sa.Uuid(), sa.ForeignKey("threshold_decision.id"), nullable=False),
        sa.Column("return_id", sa.Uuid(), sa.ForeignKey("agency_return.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agency", sa.String(40), sa.ForeignKey("agency.code"), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("withheld_because", sa.String(40)),
        sa.UniqueConstraint("decision_id", "return_id", "number", name="item_chosen_once"),
        sa.CheckConstraint("released = (withheld_because IS NULL)", name="item_withheld_has_a_reason"),
    )
    op.create_index("ix_item_release_decision_id", "item_release", ["decision_id"])
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT ON item_release TO mash_app")


def downgrade() -> None:
    op.drop_table("item_release")
    op.drop_constraint("decision_below_quorum_has_a_reason", "threshold_decision")
    op.drop_column("threshold_decision", "below_quorum_because")
    op.drop_column("threshold_decision", "quorum_missing")
    op.drop_column("dissent", "resolved_by")
