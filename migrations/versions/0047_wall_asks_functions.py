"""The second wall asks functions, which keep their plans: a statement is planned without the wall's subqueries (S-4)

They stood in every statement that touches a case, one in another, and to plan them took longer than to read; also for
the hub itself, whom the wall shows everything. What is shown to whom is as before.

Revision: 0047, after 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

SCOPE = "(SELECT current_setting('mash.scope', true))"
AGENCY = "(SELECT current_setting('mash.agency', true))"
TEAM = "(SELECT current_setting('mash.team', true))"

#: The hub's connections ask that no plan be kept (casework/db.py); to find a row by its key any plan will do.
KEPT = "plan_cache_mode = force_generic_plan"
#: As the owner, before whom the wall stands open, so that none asks another.
FUNCTION = """
CREATE FUNCTION {name}({argument}) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET {kept} AS $$
BEGIN
    RETURN {so};
END $$;
REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC
"""
SENT = f"EXISTS (SELECT FROM referral WHERE reference = asked AND duty_team = {TEAM})"
ASKED = f"EXISTS (SELECT FROM agency_check WHERE reference = asked AND agency = {AGENCY})"
ANSWERS = f"EXISTS (SELECT FROM agency_check WHERE id = asked AND agency = {AGENCY})"
TOLD = f"EXISTS (SELECT FROM hand_back WHERE reference = asked AND duty_team = {TEAM})"
FUNCTIONS = {
    ("is_shown", "asked text"): f"({AGENCY} <> '' AND {ASKED}) OR ({TEAM} <> '' AND ({SENT} OR {TOLD}))",
    ("agency_was_asked", "asked text"): ASKED,
    ("agency_answers", "asked uuid"): ANSWERS,
    ("team_was_told", "asked text"): TOLD,
}
BEFORE_ASKED = "EXISTS (SELECT FROM agency_check own WHERE own.reference = {table}.reference AND own.agency = " + AGENCY
BEFORE_ANSWERS = f"EXISTS (SELECT FROM agency_check own WHERE own.id = {{table}}.check_id AND own.agency = {AGENCY})"
BEFORE_ABOUT = "EXISTS (SELECT FROM referral r WHERE r.reference = {table}.reference)"
BEFORE = {
    "referral": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND {BEFORE_ASKED})) OR ({TEAM} <> '' AND EXISTS (SELECT FROM"
    f" hand_back told WHERE told.reference = referral.reference AND told.duty_team = {TEAM} OFFSET 0))",
    "hand_back": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND {BEFORE_ASKED}))",
    **dict.fromkeys(("agency_return", "clarification", "follow_up"), BEFORE_ANSWERS),
    **dict.fromkeys(("subject", "ledger", "ledger_content"), BEFORE_ABOUT),
}
AFTER = {
    "referral": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND agency_was_asked(reference))"
    f" OR ({TEAM} <> '' AND team_was_told(reference))",
    "hand_back": f"duty_team = {TEAM} OR ({AGENCY} <> '' AND agency_was_asked(reference))",
    **dict.fromkeys(("agency_return", "clarification", "follow_up"), "agency_answers(check_id)"),
    **dict.fromkeys(("subject", "ledger", "ledger_content"), "is_shown(reference)"),
}


def upgrade() -> None:
    used = op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar()
    for (name, argument), so in FUNCTIONS.items():
        op.execute(FUNCTION.format(name=name, argument=argument, so=so, kept=KEPT))
        if used:
            op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO mash_app")
    op.execute(f"ALTER FUNCTION concerns_team(text, text) SET {KEPT}")
    _show(AFTER)


def downgrade() -> None:
    _show(BEFORE)
    op.execute("ALTER FUNCTION concerns_team(text, text) RESET plan_cache_mode")
    for name, _ in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")


def _show(shown: dict[str, str]) -> None:
    for table, rule in shown.items():
        said = rule.replace("{table}", table)
        op.execute(f"ALTER POLICY {table}_reader ON {table} USING ({SCOPE} = 'hub' OR {said})")
