"""The MASH team asks an agency about its return

Revision: 0027, after 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "follow_up",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("check_id", sa.Uuid(), sa.ForeignKey("agency_check.id"), nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_policy", sa.String(length=40), nullable=False),
        sa.Column("calendar_version", sa.String(length=60), nullable=False),
        sa.Column("due_in_words", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=40), nullable=True),
        sa.Column("paused_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.CheckConstraint("due_at > asked_at", name="follow_up_due_after_asked"),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="follow_up_answer_has_a_time"),
        sa.CheckConstraint("(answer IS NULL) = (answered_by IS NULL)", name="follow_up_answered_by_somebody"),
        sa.CheckConstraint(
            "(paused_at IS NULL) = (pause_reason IS NULL) AND (paused_at IS NULL) = (paused_by IS NULL)",
            name="follow_up_pause_has_a_reason",
        ),
        sa.CheckConstraint("paused_at IS NULL OR answered_at IS NULL", name="follow_up_paused_is_awaited"),
    )
    op.create_index("ix_follow_up_check_id", "follow_up", ["check_id"])
    op.create_index(
        "follow_up_open_once", "follow_up", ["check_id"], unique=True,
        postgresql_where=sa.text("answered_at IS NULL"),
    )  # fmt: skip
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON follow_up TO mash_app")


def downgrade() -> None:
    op.drop_table("follow_up")
