"""The register of information sharing agreements, and what was done to each

Revision: 0015, after 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sharing_agreement",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("parties", postgresql.JSONB(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("in_force_to", sa.Date(), nullable=True),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("renews", sa.Uuid(), sa.ForeignKey("sharing_agreement.id"), nullable=True, unique=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=60), nullable=False),
        sa.CheckConstraint(
            "in_force_to IS NULL OR in_force_to >= in_force_from", name="sharing_agreement_has_a_length"
        ),
        sa.CheckConstraint(
            "ended_on IS NULL OR ended_on >= in_force_from", name="sharing_agreement_ends_after_it_begins"
        ),
    )
    op.create_table(
        "agreement_event",
        sa.Column("id", sa.BigInteger(), autoincrement=True, primary_key=True),
        sa.Column("agreement_id", sa.Uuid(), sa.ForeignKey("sharing_agreement.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
    )
    op.create_index("ix_agreement_event_agreement_id", "agreement_event", ["agreement_id"])
    op.execute(
        "CREATE TRIGGER agreement_event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON agreement_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON sharing_agreement TO mash_app")
        op.execute("GRANT SELECT, INSERT ON agreement_event TO mash_app")
        op.execute("GRANT USAGE ON SEQUENCE agreement_event_id_seq TO mash_app")


def downgrade() -> None:
    op.drop_table("agreement_event")
    op.drop_table("sharing_agreement")
