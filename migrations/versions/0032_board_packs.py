"""Board packs, and views of what agencies thought of the threshold beside what was decided

Revision: 0032, after 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_REFERENCE = "CASE WHEN k.reference NOT IN (SELECT h.reference FROM reports.hidden h) THEN k.reference END"
VIEWS = f"""
CREATE VIEW reports.agency_views AS
SELECT {_REFERENCE} AS reference, k.side, d.decided_on, v.agency, own.threshold_met AS own_met, last.view AS last_view,
    d.decided_met
FROM (
    SELECT reference, max(decided_on) AS decided_on, bool_or(threshold_met) AS decided_met
    FROM reports.kept_decision GROUP BY reference
) d
JOIN reports.kept_referral k ON k.reference = d.reference
JOIN (SELECT DISTINCT reference, agency FROM public.threshold_view) v ON v.reference = d.reference
CROSS JOIN LATERAL (
    SELECT t.view FROM public.threshold_view t WHERE t.reference = v.reference AND t.agency = v.agency
    ORDER BY t.recorded_at DESC, t.id LIMIT 1
) last
LEFT JOIN LATERAL (
    SELECT t.threshold_met FROM public.threshold_view t WHERE t.reference = v.reference AND t.agency = v.agency
        AND t.threshold_met IS NOT NULL
        AND t.recorded_at < coalesce((SELECT min(held_at) FROM public.discussion n WHERE n.reference = v.reference),
            'infinity')
    ORDER BY t.recorded_at DESC, t.id LIMIT 1
) own ON true;

CREATE VIEW reports.dissents AS
SELECT {_REFERENCE} AS reference, k.side, n.stage, n.since, (n.since AT TIME ZONE o.zone)::date AS since_on,
    n.resolved_at, n.resolved_at IS NOT NULL AS resolved
FROM public.dissent n
JOIN reports.kept_referral k ON k.reference = n.reference
JOIN reports.office o ON o.profile_version = k.profile_version;
"""
_SIDE = "child, adult, or both: of the referral"
_REFERENCE_WORDS = (
    "The referral's reference; empty while it is restricted, or when the reader declared an interest in it"
)
COMMENTS = {
    "agency_views": (
        "What each agency thought of the threshold, one row for each referral that was decided and agency that spoke.",
        {
            "reference": _REFERENCE_WORDS, "side": _SIDE,
            "decided_on": "Local date of the newest decision", "agency": "The agency's code",
            "own_met": "Whether it thought, before the first discussion, that the threshold is met; empty when it had"
            " not said so",
            "last_view": "What it said last: AGREE, DISAGREE or ABSTAIN",
            "decided_met": "Whether the threshold was decided to be met, for anybody of the referral",
        },
    ),
    "dissents": (
        "Disagreements about the threshold: one row for each referral that has, or had, one.",
        {
            "reference": _REFERENCE_WORDS, "side": _SIDE, "stage": "The highest stage that it reached, in codes",
            "since": "When the newest disagreement was recorded", "since_on": "The same as a local date",
            "resolved_at": "When a person resolved it; empty while nobody has", "resolved": "Whether somebody has",
        },
    ),
}  # fmt: skip


def upgrade() -> None:
    side = sa.Enum("child", "adult", name="side", native_enum=False, create_constraint=True, length=10)
    op.create_table(
        "board_pack",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("side", side, nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.UniqueConstraint("side", "first_on", name="board_pack_once_a_quarter"),
    )
    op.execute(VIEWS)
    for view, (words, columns) in COMMENTS.items():
        _say(f"VIEW reports.{view}", words)
        for column, meaning in columns.items():
            _say(f"COLUMN reports.{view}.{column}", meaning)
    for role in ("mash_app", "mash_analyst"):
        if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}).scalar():
            op.execute(f"GRANT SELECT ON reports.agency_views, reports.dissents TO {role}")
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT ON board_pack TO mash_app")


def _say(what: str, words: str) -> None:
    quoted = words.replace("'", "''")
    op.execute(f"COMMENT ON {what} IS '{quoted}'")


def downgrade() -> None:
    op.execute("DROP VIEW reports.agency_views")
    op.execute("DROP VIEW reports.dissents")
    op.drop_table("board_pack")
