"""What is over is erased by the record itself, once two people have agreed and nothing holds it back

Revision: 0018, after 0017. The application may still change or delete nothing of this by itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

#: Rows of these are never changed, but that erasure leaves nothing in place of what was said in them.
SAID_FOR_GOOD = ("threshold_decision", "collated_template", "agency_return", "threshold_view")

#: Every sealed column of every row that belongs to a referral, found in the catalogue, so that a table of a later
#: migration is not forgotten: a row belongs by its reference, or by one step to a row that has one.
ERASE = """
CREATE FUNCTION erase_content(wanted varchar, of_list uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    sealed record;
    rows_of text;
BEGIN
    PERFORM FROM referral WHERE reference = wanted AND stage = 'CLOSED' AND erased_at IS NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only what is closed is erased, and once' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF EXISTS (SELECT FROM legal_hold WHERE reference = wanted AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'a legal hold is on %', wanted USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM erasure JOIN erasure_list ON erasure_list.id = list_id
    WHERE list_id = of_list AND reference = wanted AND seconded_by IS NOT NULL AND ended_at IS NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'two people have not agreed to erase %', wanted USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM set_config('mash.erasing', wanted, true);
    FOR sealed IN
        SELECT column_of.attrelid::regclass AS of_table, column_of.attname AS name, own.attname IS NOT NULL AS is_direct,
            link.conkey, link.confrelid::regclass AS to_table, link.confkey
        FROM pg_attribute column_of
        JOIN pg_class ON pg_class.oid = column_of.attrelid AND relkind = 'r' AND relnamespace = 'public'::regnamespace
        LEFT JOIN pg_attribute own ON own.attrelid = column_of.attrelid AND own.attname = 'reference'
        LEFT JOIN pg_constraint link ON own.attname IS NULL AND link.contype = 'f'
            AND link.conrelid = column_of.attrelid AND EXISTS (
                SELECT FROM pg_attribute WHERE attrelid = link.confrelid AND attname = 'reference'
            )
        WHERE column_of.atttypid = 'bytea'::regtype AND column_of.attnum > 0 AND NOT column_of.attisdropped
            AND (own.attname IS NOT NULL OR link.oid IS NOT NULL)
            AND column_of.attrelid <> 'ledger_content'::regclass
    LOOP
        rows_of := CASE WHEN sealed.is_direct THEN format('reference = %L', wanted) ELSE format(
            '%I IN (SELECT %I FROM %s WHERE reference = %L)',
            (SELECT attname FROM pg_attribute WHERE attrelid = sealed.of_table AND attnum = sealed.conkey[1]),
            (SELECT attname FROM pg_attribute WHERE attrelid = sealed.to_table AND attnum = sealed.confkey[1]),
            sealed.to_table, wanted
        ) END;
        EXECUTE format(
            'UPDATE %s SET %I = %L WHERE %s AND length(%I) > 0', sealed.of_table, sealed.name, '', rows_of, sealed.name
        );
    END LOOP;
    PERFORM set_config('mash.erasing', '', true);
    DELETE FROM ledger_content WHERE reference = wanted;
    DELETE FROM draft WHERE about = wanted;
    DELETE FROM notice WHERE reference = wanted;
    DELETE FROM wake WHERE reference = wanted;
    UPDATE referral SET erased_at = mash_now(), sender_id = 'erased ' || wanted, upstream_reference = '',
        body_digest = repeat('0', 64) WHERE reference = wanted;
    UPDATE erasure SET erased_at = mash_now() WHERE list_id = of_list AND reference = wanted;
END $$;

CREATE FUNCTION refuse_change_but_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR coalesce(current_setting('mash.erasing', true), '') = '' THEN
        RAISE EXCEPTION 'rows of % are added, never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION clear_sent_notices(days integer, most integer) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE gone integer;
BEGIN
    DELETE FROM notice WHERE id IN (
        SELECT notice.id FROM notice LEFT JOIN referral USING (reference)
        WHERE status IN ('SENT', 'UNDELIVERED', 'DROPPED') AND (reference IS NULL OR stage = 'CLOSED')
            AND greatest(written_at, closed_at) < mash_now() - make_interval(days => greatest(days, 1)) LIMIT most
    );
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

REVOKE EXECUTE ON FUNCTION erase_content(varchar, uuid), clear_sent_notices(integer, integer) FROM PUBLIC;
"""
GRANTS = """
GRANT SELECT, INSERT, UPDATE ON legal_hold, erasure_list, erasure TO mash_app;
GRANT EXECUTE ON FUNCTION erase_content(varchar, uuid), clear_sent_notices(integer, integer) TO mash_app;
"""


def upgrade() -> None:
    op.add_column("referral", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), nullable=False),
        sa.Column("because", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("lifted_because", sa.LargeBinary(), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lifted_because IS NULL)",
            name="legal_hold_lifted_by_somebody",
        ),
    )
    op.create_index("ix_legal_hold_reference", "legal_hold", ["reference"])
    op.create_index(
        "legal_hold_once", "legal_hold", ["reference"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_table(
        "erasure_list",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("profile_version", sa.String(length=40), nullable=False),
        sa.Column("agreed_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconded_by", sa.String(length=60), sa.ForeignKey("account.id"), nullable=True),
        sa.Column("seconded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name="erasure_list_agreed_at"),
        sa.CheckConstraint("(seconded_by IS NULL) = (seconded_at IS NULL)", name="erasure_list_seconded_at"),
        sa.CheckConstraint(
            "seconded_by IS NULL OR (agreed_by IS NOT NULL AND agreed_by <> seconded_by)",
            name="erasure_list_by_two_people",
        ),
    )
    kinds = sa.Enum(
        "child_referral", "adult_referral", "returned_at_once",
        name="retentionkind", native_enum=False, create_constraint=True, length=40,
    )  # fmt: skip
    op.create_table(
        "erasure",
        sa.Column("list_id", sa.Uuid(), sa.ForeignKey("erasure_list.id"), primary_key=True),
        sa.Column("reference", sa.String(length=9), sa.ForeignKey("referral.reference"), primary_key=True),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_over", sa.String(length=40), nullable=True),
    )
    op.create_index("ix_erasure_reference", "erasure", ["reference"])
    op.execute(ERASE)
    for table in SAID_FOR_GOOD:
        _guard(table, "refuse_change_but_erasure")
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute(GRANTS)


def _guard(table: str, function: str) -> None:
    op.execute(f"DROP TRIGGER {table}_is_append_only ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
    )


def downgrade() -> None:
    for table in SAID_FOR_GOOD:
        _guard(table, "refuse_change")
    op.execute("DROP FUNCTION erase_content(varchar, uuid)")
    op.execute("DROP FUNCTION clear_sent_notices(integer, integer)")
    op.execute("DROP FUNCTION refuse_change_but_erasure()")
    op.drop_table("erasure")
    op.drop_table("erasure_list")
    op.drop_table("legal_hold")
    op.drop_column("referral", "erased_at")
