"""Some outcomes need a manager's authority, and a referral is sent to a manager for them

Revision: 0026, after 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MANAGER = "account_manager_authority_is_deciders"
GRADE = "grade"


def upgrade() -> None:
    op.add_column("account", sa.Column("manager_authority", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("account", "manager_authority", server_default=None)
    op.create_check_constraint(
        MANAGER, "account", "NOT manager_authority OR (is_person AND role = 'DECISION_MAKER' AND mash_profile)"
    )
    grades = sa.Enum("DECISION_MAKER", "MANAGER", name=GRADE, native_enum=False, create_constraint=True, length=20)
    op.add_column("threshold_decision", sa.Column("grade", grades, nullable=False, server_default="DECISION_MAKER"))
    op.alter_column("threshold_decision", "grade", server_default=None)
    op.create_table(
        "manager_request",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("conclusion", sa.String(length=40), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(settled_at IS NULL) = (conclusion IS NULL)", name="manager_request_settled_somehow"),
        sa.CheckConstraint("(settled_at IS NULL) = (settled_by IS NULL)", name="manager_request_settled_by_somebody"),
        sa.CheckConstraint(
            "(COALESCE(conclusion, '') = 'SENT_BACK') = (answer IS NOT NULL)", name="manager_request_back_with_a_reason"
        ),
    )
    op.create_index("ix_manager_request_reference", "manager_request", ["reference"])
    op.create_index(
        "manager_request_open_once", "manager_request", ["reference"], unique=True,
        postgresql_where=sa.text("settled_at IS NULL"),
    )  # fmt: skip
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON manager_request TO mash_app")


def downgrade() -> None:
    op.drop_table("manager_request")
    op.drop_column("threshold_decision", "grade")
    op.drop_constraint(MANAGER, "account")
    op.drop_column("account", "manager_authority")
