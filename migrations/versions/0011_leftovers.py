"""What signing in leaves behind is deleted when it is old, by the record itself: the application deletes nothing

Revision: 0011, after 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: Longer than any of them is of use: a code, a count of tries, a session whose form still comes in, a link.
AGES = (
    ("sign_in", "id", "started_at", "1 day"),
    ("throttle", "bucket", "since", "1 day"),
    ("portal_session", "id", "seen_at", "7 days"),
    ("invitation", "id", "expires_at", "30 days"),
)


def upgrade() -> None:
    deletes = "".join(
        f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table}"
        f" WHERE {since} < clock_timestamp() - interval '{age}' LIMIT most FOR UPDATE SKIP LOCKED);"
        " GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;"
        for table, key, since, age in AGES
    )
    deletes += (
        "DELETE FROM draft WHERE purpose = 'kept-form' AND saved_at < clock_timestamp() - interval '1 hour';"
        " GET DIAGNOSTICS gone = ROW_COUNT; total := total + gone;"
    )
    op.execute(
        "CREATE FUNCTION clear_leftovers(most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER"
        " SET search_path = pg_catalog, public, pg_temp AS $$"
        f" DECLARE gone integer; total integer := 0; BEGIN {deletes} RETURN total; END $$"
    )
    op.execute("REVOKE EXECUTE ON FUNCTION clear_leftovers(integer) FROM PUBLIC")
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT EXECUTE ON FUNCTION clear_leftovers(integer) TO mash_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION clear_leftovers(integer)")
