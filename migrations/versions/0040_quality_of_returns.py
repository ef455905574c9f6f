"""How good a return was, as a person marks it, and the same in the figures of its agency and of boards (R31)

Revision: 0040, after 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

MARKED = (
    "(answers_question IS NULL) = (marked_at IS NULL) AND (answers_question IS NULL) = (marked_by IS NULL)"
    " AND (dated IS NULL) = (sourced IS NULL) AND (dated IS NULL OR answers_question IS NOT NULL)"
)
KEEP = """
CREATE OR REPLACE FUNCTION reports.keep_uncounted(wanted varchar[]) RETURNS void LANGUAGE sql
SET search_path = pg_catalog, pg_temp AS $$
    SELECT reports.keep_all_but_judgements(wanted);
    SELECT reports.keep_judgements(wanted);{more}
$$;
"""
MARKS = """
    UPDATE reports.kept_check k SET answers_question = c.answers_question, dated = c.dated, sourced = c.sourced
    FROM public.agency_check c
    WHERE c.reference = ANY (wanted) AND c.marked_at IS NOT NULL AND k.reference = c.reference AND k.agency = c.agency;"""
FIGURES = """
ALTER TABLE reports.kept_check ADD answers_question boolean, ADD dated boolean, ADD sourced boolean;
CREATE INDEX kept_check_marked ON reports.kept_check (asked_on) INCLUDE (
    agency, side, answers_question, dated, sourced
) WHERE answers_question IS NOT NULL;
CREATE VIEW reports.quality AS
SELECT CASE WHEN k.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN k.reference END AS reference,
    k.agency, k.side, k.band, k.asked_on, k.month, k.answers_question, k.dated, k.sourced
FROM reports.kept_check k WHERE k.answers_question IS NOT NULL;
"""
COMMENTS = {
    "VIEW reports.quality": "How good returns are, one row for each that a person of the MASH team marked.",
    "COLUMN reports.quality.reference": "The referral's reference; empty while it is restricted, or when the reader"
    " declared an interest in it",
    "COLUMN reports.quality.agency": "The agency's code",
    "COLUMN reports.quality.side": "Whom the agency was asked about: child, adult, or both",
    "COLUMN reports.quality.band": "The urgency band whose clock it ran on",
    "COLUMN reports.quality.asked_on": "The area's local date on which it was asked",
    "COLUMN reports.quality.month": "First day of the month in which the agency was asked, by the area's local date",
    "COLUMN reports.quality.answers_question": "Whether the return answers what was asked",
    "COLUMN reports.quality.dated": "Whether its items say when what they tell of was; empty when it holds none",
    "COLUMN reports.quality.sourced": "Whether its items say from where the agency knows; empty when it holds none",
}


def upgrade() -> None:
    for column in ("answers_question", "dated", "sourced"):
        op.add_column("agency_check", sa.Column(column, sa.Boolean(), nullable=True))
    op.add_column("agency_check", sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("agency_check", sa.Column("marked_by", sa.String(length=60), nullable=True))
    op.create_foreign_key(None, "agency_check", "account", ["marked_by"], ["id"])
    op.create_check_constraint("check_marked_by_somebody", "agency_check", MARKED)
    op.execute(FIGURES)
    op.execute(KEEP.format(more=MARKS))
    for what, words in COMMENTS.items():
        quoted = words.replace("'", "''")
        op.execute(f"COMMENT ON {what} IS '{quoted}'")
    for role in ("mash_app", "mash_analyst"):
        op.execute(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
            f" GRANT SELECT ON reports.quality TO {role}; END IF; END $$"
        )


def downgrade() -> None:
    op.execute(KEEP.format(more=""))
    op.execute("DROP VIEW reports.quality")
    op.execute("DROP INDEX reports.kept_check_marked")
    op.execute("ALTER TABLE reports.kept_check DROP answers_question, DROP dated, DROP sourced")
    op.drop_constraint("check_marked_by_somebody", "agency_check")
    for column in ("answers_question", "dated", "sourced", "marked_at", "marked_by"):
        op.drop_column("agency_check", column)
