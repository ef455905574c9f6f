"""Of whoever left the name stays, as long as what they did; nothing to sign in with. Old feedback is deleted

Revision: 0035, after 0034. The periods come from the application, which cannot make them shorter than these functions.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

CLEAR = """
CREATE FUNCTION clear_leavers(days integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE left_before timestamptz := mash_now() - make_interval(days => greatest(days, 30)); total integer;
BEGIN
    DELETE FROM draft USING account WHERE account.id = draft.account_id AND account.disabled_at < left_before;
    WITH cleared AS (
        UPDATE account SET email = NULL, email_digest = NULL, password_hash = NULL, totp_secret = NULL,
            totp_last_step = NULL, provider_subject = NULL
        WHERE disabled_at < left_before AND num_nonnulls(email, password_hash, totp_secret, provider_subject) > 0
        RETURNING id
    )
    INSERT INTO account_event (account_id, at, actor, act, detail)
        SELECT id, mash_now(), 'HUB', 'CLEARED', '{}' FROM cleared;
    GET DIAGNOSTICS total = ROW_COUNT;
    RETURN total;
END $$;

CREATE FUNCTION clear_feedback(days integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE total integer;
BEGIN
    DELETE FROM feedback
        WHERE coalesce(answered_at, given_at) < mash_now() - make_interval(days => greatest(days, 365));
    GET DIAGNOSTICS total = ROW_COUNT;
    RETURN total;
END $$;

REVOKE EXECUTE ON FUNCTION clear_leavers(integer), clear_feedback(integer) FROM PUBLIC;
"""


def upgrade() -> None:
    op.execute(CLEAR)
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT EXECUTE ON FUNCTION clear_leavers(integer), clear_feedback(integer) TO mash_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION clear_leavers(integer)")
    op.execute("DROP FUNCTION clear_feedback(integer)")
