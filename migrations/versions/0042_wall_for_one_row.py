"""The second wall asks about the row in hand: a team's list no longer reads every check and hand-back of years

Where a row was not the reader's at a glance, PostgreSQL made a list of all that concern them, once a query: for a duty
team it read the index of all checks to find those of no agency. Nobody is asked now about what they have none of; and
what was told to a team is looked up for the row (bench/pages.py). What is shown to whom is as before.

Revision: 0042, after 0041
"""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

SCOPE = "(SELECT current_setting('mash.scope', true))"
AGENCY = "(SELECT current_setting('mash.agency', true))"
TEAM = "(SELECT current_setting('mash.team', true))"


def asked(reference: str) -> str:
    """SQL: the reader's agency was asked about the referral."""
    return f"EXISTS (SELECT FROM agency_check own WHERE own.reference = {reference} AND own.agency = {AGENCY})"


#: SQL: the reader's team was told what came of the referral.
TOLD = f"SELECT FROM hand_back told WHERE told.reference = referral.reference AND told.duty_team = {TEAM}"

BEFORE = {
    "referral": f"duty_team = {TEAM} OR {asked('referral.reference')} OR EXISTS ({TOLD})",
    "hand_back": f"duty_team = {TEAM} OR {asked('hand_back.reference')}",
}
#: With OFFSET, PostgreSQL does not turn the question about a row into a list of all.
AFTER = {
    "referral": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND {asked('referral.reference')})"
    f" OR ({TEAM} <> '' AND EXISTS ({TOLD} OFFSET 0))",
    "hand_back": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND {asked('hand_back.reference')})",
}


def upgrade() -> None:
    _show(AFTER)


def downgrade() -> None:
    _show(BEFORE)


def _show(shown: dict[str, str]) -> None:
    for table, rule in shown.items():
        op.execute(f"ALTER POLICY {table}_reader ON {table} USING ({SCOPE} = 'hub' OR {rule})")
