"""How many referrals an account opens in a short time is counted

Revision: 0022, after 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

AGES = (
    ("sign_in", "id", "started_at", "1 day"),
    ("throttle", "bucket", "since", "1 day"),
    ("portal_session", "id", "seen_at", "7 days"),
    ("invitation", "id", "expires_at", "30 days"),
    ("provider_visit", "state_digest", "started_at", "1 day"),
)
OF_OPENINGS = ("opening", "account_id, reference", "opened_at", "1 hour")


def upgrade() -> None:
    op.create_table(
        "opening",
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("reference", sa.String(length=9), primary_key=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("opening_by_time", "opening", ["account_id", "opened_at"])
    op.execute(clearing(*AGES, OF_OPENINGS))
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT, UPDATE ON opening TO mash_app")


def clearing(*ages: tuple[str, str, str, str]) -> str:
    """The function that deletes what is old, with another list of tables; who may call it stays as it was."""
    deletes = "".join(
        f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table}"
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
    op.drop_table("opening")
