"""Feedback on the process, its answer, and what was changed (R61)

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.String(length=60), nullable=False),
        sa.Column("went_well", sa.LargeBinary(), nullable=True),
        sa.Column("should_change", sa.LargeBinary(), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("what_changed", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=60), nullable=True),
        sa.Column("for_everybody", sa.Boolean(), nullable=False),
        sa.CheckConstraint("went_well IS NOT NULL OR should_change IS NOT NULL", name="feedback_says_something"),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="feedback_answer_has_a_time"),
        sa.CheckConstraint("NOT for_everybody OR answer IS NOT NULL", name="feedback_shown_is_answered"),
        sa.ForeignKeyConstraint(["given_by"], ["account.id"]),
        sa.ForeignKeyConstraint(["answered_by"], ["account.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_feedback_given_at"), "feedback", ["given_at"])
    op.create_index(op.f("ix_feedback_given_by"), "feedback", ["given_by"])
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON feedback TO mash_app")


def downgrade() -> None:
    op.drop_table("feedback")
