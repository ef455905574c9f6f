"""Earlier referrals of the same people are found, and wait for a person's word

Revision: 0037, after 0036. Subjects from before are not looked for until their details are corrected.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "radar_key",
        sa.Column("subject_id", sa.Uuid(), sa.ForeignKey("subject.id"), primary_key=True),
        sa.Column("kind", sa.String(length=12), primary_key=True),
        sa.Column("key", sa.LargeBinary(), nullable=False),
    )
    op.create_index("radar_key_by_key", "radar_key", ["key"])
    levels = sa.Enum(
        "PROBABLE", "POSSIBLE", "HOUSEHOLD", name="level", native_enum=False, create_constraint=True, length=10
    )
    answers = sa.Enum(
        "CONFIRMED", "DISMISSED", name="contactanswer", native_enum=False, create_constraint=True, length=10
    )
    op.create_table(
        "earlier_contact",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("earlier_subject_id", sa.Uuid(), sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("level", levels, nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("signs", postgresql.JSONB(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", answers, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.UniqueConstraint("subject_id", "earlier_subject_id", name="earlier_contact_once"),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL) AND (answer IS NULL) = (answered_by IS NULL)",
            name="earlier_contact_answered_by_somebody",
        ),
    )
    op.create_index("ix_earlier_contact_reference", "earlier_contact", ["reference"])
    op.create_index("ix_earlier_contact_earlier_subject_id", "earlier_contact", ["earlier_subject_id"])
    # The second wall (0028): neither an agency nor a duty team reads of it, nor whoever only administers.
    for table in ("radar_key", "earlier_contact"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_keeper ON {table} TO CURRENT_USER USING (true)")
        op.execute(
            f"CREATE POLICY {table}_reader ON {table} USING ((SELECT current_setting('mash.scope', true)) = 'hub')"
        )
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON radar_key, earlier_contact TO mash_app")


def downgrade() -> None:
    op.drop_table("earlier_contact")
    op.drop_table("radar_key")
