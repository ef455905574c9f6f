"""What repair remembers: how often a referral was brought back, and whose turn it is to look

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STAGES = (
    "RECEIVED",
    "QUEUED_OUT_OF_HOURS",
    "CHECKING",
    "AWAITING_DECISION",
    "HANDING_BACK",
    "AWAITING_ACK",
    "CLOSED",
)
TABLES = "repair, turn"


def upgrade() -> None:
    op.create_table(
        "repair",
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(*STAGES, name="stage", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("alarmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("doubted_state", sa.Uuid(), nullable=True),
        sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_run", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["reference"], ["referral.reference"]),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.create_table(
        "turn",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {TABLES} TO mash_app")


def downgrade() -> None:
    op.drop_table("turn")
    op.drop_table("repair")
