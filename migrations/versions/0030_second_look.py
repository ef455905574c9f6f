"""A second look at a sample of decided cases, by somebody who does not know what was decided

Revision: 0030, after 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

#: The second wall (0028): whoever is of no agency and no duty team may read a sample, which is references and codes.
READER = """
CREATE POLICY second_look_keeper ON second_look TO CURRENT_USER USING (true);
CREATE POLICY second_look_reader ON second_look USING (
    (SELECT current_setting('mash.scope', true)) = 'hub' OR (
        (SELECT current_setting('mash.scope', true)) = 'own'
        AND (SELECT current_setting('mash.agency', true)) = ''
        AND (SELECT current_setting('mash.team', true)) = ''
    )
);
"""


def upgrade() -> None:
    op.create_table(
        "dip_sample",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("decided", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.CheckConstraint("first_on <= last_on", name="dip_sample_of_a_period"),
        sa.CheckConstraint("size > 0", name="dip_sample_of_something"),
    )
    side = sa.Enum("child", "adult", name="side", native_enum=False, create_constraint=True, length=10)
    op.create_table(
        "second_look",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sample_id", sa.Uuid(), sa.ForeignKey("dip_sample.id"), nullable=False),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False),
        sa.Column("subject_id", sa.Uuid(), sa.ForeignKey("subject.id"), nullable=False),
        sa.Column("subject_number", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), sa.ForeignKey("threshold_decision.id"), nullable=False),
        sa.Column("side", side, nullable=False),
        sa.Column("first_met", sa.Boolean(), nullable=False),
        sa.Column("first_level", sa.String(length=40), nullable=False),
        sa.Column("first_outcome", sa.String(length=40), nullable=False),
        sa.Column("threshold_met", sa.Boolean(), nullable=True),
        sa.Column("level_of_need", sa.String(length=40), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.UniqueConstraint("sample_id", "subject_id", name="second_look_once_a_sample"),
        sa.CheckConstraint(
            "(looked_at IS NULL) = (looked_by IS NULL) AND (looked_at IS NULL) = (outcome IS NULL)"
            " AND (looked_at IS NULL) = (threshold_met IS NULL) AND (looked_at IS NULL) = (level_of_need IS NULL)"
            " AND (looked_at IS NULL) = (reason IS NULL)",
            name="second_look_is_whole",
        ),
    )
    op.create_index("ix_second_look_reference", "second_look", ["reference"])
    op.create_index("ix_second_look_sample_id", "second_look", ["sample_id"])
    op.create_index("second_look_open", "second_look", ["reference"], postgresql_where=sa.text("looked_at IS NULL"))
    op.execute("ALTER TABLE second_look ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE second_look FORCE ROW LEVEL SECURITY")
    op.execute(READER)
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT ON dip_sample TO mash_app")
        op.execute("GRANT SELECT, INSERT, UPDATE ON second_look TO mash_app")


def downgrade() -> None:
    op.drop_table("second_look")
    op.drop_table("dip_sample")
