"""The database shows the application's role only what the reader of the moment may read: a second wall (S-4)

Revision: 0028, after 0027
"""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

#: Settings of one transaction; where they are not set, nothing is shown. Subqueries, so that each is read once a query.
SCOPE = "(SELECT current_setting('mash.scope', true))"
AGENCY = "(SELECT current_setting('mash.agency', true))"
TEAM = "(SELECT current_setting('mash.team', true))"
ACCOUNT = "(SELECT current_setting('mash.account', true))"

#: A duty team's referrals: those that it sent, and those whose outcome it was told.
FUNCTION = """
CREATE FUNCTION concerns_team(asked text, team text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM public.referral WHERE reference = asked AND duty_team = team)
        OR EXISTS (SELECT FROM public.hand_back WHERE reference = asked AND duty_team = team)
$$
"""


def asked(reference: str) -> str:
    """SQL: the reader's agency was asked about the referral."""
    return f"EXISTS (SELECT FROM agency_check own WHERE own.reference = {reference} AND own.agency = {AGENCY})"


def answers(check: str) -> str:
    """SQL: the row hangs on a check of the reader's agency."""
    return f"EXISTS (SELECT FROM agency_check own WHERE own.id = {check} AND own.agency = {AGENCY})"


def about(table: str) -> str:
    """SQL: the row is about a referral that the reader may know of."""
    return f"EXISTS (SELECT FROM referral r WHERE r.reference = {table}.reference)"


#: SQL: the reader is of no agency and no duty team; what is erased and held is a page of references and codes to them.
ADMINISTERS = f"{SCOPE} = 'own' AND {AGENCY} = '' AND {TEAM} = ''"

#: What a reader is shown who is not the hub itself, nor of the MASH team. One that is not here is shown to nobody else.
SHOWN = {
    "referral": f"duty_team = {TEAM} OR {asked('referral.reference')}"
    f" OR EXISTS (SELECT FROM hand_back told WHERE told.reference = referral.reference AND told.duty_team = {TEAM})",
    "agency_check": f"agency = {AGENCY} OR ({TEAM} <> '' AND concerns_team(reference, {TEAM}))",
    "hand_back": f"duty_team = {TEAM} OR {asked('hand_back.reference')}",
    "agency_return": answers("agency_return.check_id"),
    "clarification": answers("clarification.check_id"),
    "follow_up": answers("follow_up.check_id"),
    "urgent_call": f"agency = {AGENCY}",
    "threshold_view": f"agency = {AGENCY}",
    "subject": about("subject"),
    "ledger": about("ledger"),
    "ledger_content": about("ledger_content"),
    "threshold_decision": "false",
    "item_release": "false",
    "collated_template": "false",
    "discussion": "false",
    "dissent": "false",
    "reconsideration": "false",
    "notice": "reference IS NULL",
    "wake": "false",
    "repair": "false",
    "draft": f"account_id = {ACCOUNT}",
    "opening": f"account_id = {ACCOUNT}",
    "agency_not_asked": "false",
    "manager_request": "false",
    "legal_hold": ADMINISTERS,
    "erasure": ADMINISTERS,
    "subject_access": "false",
    "glass_break": "false",
    # What is hidden from a reader is left out of their queries by these: they must be whole for everybody who reads.
    "restriction": f"{SCOPE} = 'own'",
    "named_person": f"{SCOPE} = 'own'",
    "interest_conflict": f"{SCOPE} = 'own'",
}


def upgrade() -> None:
    op.execute(FUNCTION)
    for table, shown in SHOWN.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_keeper ON {table} TO CURRENT_USER USING (true)")
        op.execute(f"CREATE POLICY {table}_reader ON {table} USING ({SCOPE} = 'hub' OR {shown})")


def downgrade() -> None:
    for table in SHOWN:
        op.execute(f"DROP POLICY {table}_reader ON {table}")
        op.execute(f"DROP POLICY {table}_keeper ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION concerns_team(text, text)")
