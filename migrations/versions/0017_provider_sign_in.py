"""People may come in through a council's own sign-in service: who they are to it, and who is on the way there

Revision: 0017, after 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

AGES = (
    ("sign_in", "id", "started_at", "1 day"),
    ("throttle", "bucket", "since", "1 day"),
    ("portal_session", "id", "seen_at", "7 days"),
    ("invitation", "id", "expires_at", "30 days"),
)
OF_A_VISIT = ("provider_visit", "state_digest", "started_at", "1 day")
CHECK = "account_provider_subject_is_a_persons"


def upgrade() -> None:
    op.add_column("account", sa.Column("provider_subject", sa.String(length=64), nullable=True))
    op.create_unique_constraint("account_provider_subject_key", "account", ["provider_subject"])
    op.create_check_constraint(CHECK, "account", "is_person OR provider_subject IS NULL")
    op.create_table(
        "provider_visit",
        sa.Column("state_digest", sa.String(length=64), primary_key=True),
        sa.Column("browser_digest", sa.String(length=64), nullable=False),
        sa.Column("back", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.execute(clearing(*AGES, OF_A_VISIT))
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON provider_visit TO mash_app")


def clearing(*ages: tuple[str, str, str, str]) -> str:
    """The function that deletes what is old, with another list of tables; who may call it stays as it was."""
    deletes = "".join(
        f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"
        f" WHERE {since} < clock_timestamp() - interval '{age}' LIMIT most FOR UPDATE SKIP LOCKED);"
        " GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;"
        for table, key, since, age in ages
    )
    deletes += (
        "DELETE FROM draft WHERE purpose = 'kept-form' AND saved_at < clock_timestamp() - interval '1 hour';"
        " GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;"
    )
    return (
        "CREATE OR REPLACE FUNCTION clear_leftovers(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp AS $$"
        f" DECLARE gone integer; total integer := 0; BEGIN {deletes} RETURN total; END $$"
    )


def downgrade() -> None:
    op.execute(clearing(*AGES))
    op.drop_table("provider_visit")
    op.drop_constraint(CHECK, "account")
    op.drop_constraint("account_provider_subject_key", "account")
    op.drop_column("account", "provider_subject")
