"""The first record: tables, allowed moves, and what the database refuses whoever asks

Revision: 0001, after None
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

#: Copies of rules.stages as of this revision; a test holds the newest copy against the rules.
MOVES = {
    "referral": {
        "RECEIVED": ["CHECKING", "HANDING_BACK"],
        "QUEUED_OUT_OF_HOURS": ["CHECKING", "HANDING_BACK"],
        "CHECKING": ["AWAITING_DECISION", "HANDING_BACK"],
        "AWAITING_DECISION": ["HANDING_BACK"],
        "HANDING_BACK": ["AWAITING_ACK"],
        "AWAITING_ACK": ["CLOSED", "HANDING_BACK"],
        "CLOSED": ["HANDING_BACK"],
    },
    "agency_check": {
        "REQUESTED": [
            "ACKNOWLEDGED",
            "CLARIFY",
            "RETURNED",
            "RETURNED_LATE",
            "DECLINED",
            "CANCELLED",
            "NOT_AWAITED",
        ],
        "ACKNOWLEDGED": ["CLARIFY", "RETURNED", "RETURNED_LATE", "DECLINED", "CANCELLED", "NOT_AWAITED"],
        "CLARIFY": ["ACKNOWLEDGED", "RETURNED", "RETURNED_LATE", "DECLINED", "CANCELLED", "NOT_AWAITED"],
        "DECLINED": ["RETURNED", "RETURNED_LATE"],
        "NOT_AWAITED": ["RETURNED", "RETURNED_LATE"],
    },
}

FUNCTIONS = """
CREATE FUNCTION mash_now() RETURNS timestamptz LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT now FROM scenario_clock), clock_timestamp()) $$;

CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was text := to_jsonb(OLD) ->> TG_ARGV[0]; is_now text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF was IS DISTINCT FROM is_now AND NOT EXISTS (
        SELECT FROM stage_move WHERE of_table = TG_TABLE_NAME AND from_status = was AND to_status = is_now
    ) THEN
        RAISE EXCEPTION 'a % cannot go from % to %', TG_TABLE_NAME, was, is_now USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are added, never changed', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION refuse_unsigned_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM account
        WHERE id = NEW.decided_by AND role = 'DECISION_MAKER' AND mash_profile AND is_person AND disabled_at IS NULL
    ) THEN
        RAISE EXCEPTION 'only a decision maker decides' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION tell_timekeeper() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_notify('mash', TG_TABLE_NAME); RETURN NULL; END $$;
"""

TRIGGERS = """
CREATE TRIGGER referral_moves BEFORE UPDATE ON referral FOR EACH ROW EXECUTE FUNCTION refuse_move('stage');
CREATE TRIGGER check_moves BEFORE UPDATE ON agency_check FOR EACH ROW EXECUTE FUNCTION refuse_move('status');
CREATE TRIGGER decision_signed BEFORE INSERT ON threshold_decision
    FOR EACH ROW EXECUTE FUNCTION refuse_unsigned_decision();
CREATE TRIGGER wake_told AFTER INSERT ON wake FOR EACH STATEMENT EXECUTE FUNCTION tell_timekeeper();
CREATE TRIGGER wake_released AFTER UPDATE ON wake FOR EACH ROW
    WHEN (OLD.hold_until IS NOT NULL AND NEW.hold_until IS NULL) EXECUTE FUNCTION tell_timekeeper();
CREATE TRIGGER notice_told AFTER INSERT ON notice FOR EACH STATEMENT EXECUTE FUNCTION tell_timekeeper();
CREATE TRIGGER clock_told AFTER INSERT OR UPDATE OR DELETE ON scenario_clock
    FOR EACH STATEMENT EXECUTE FUNCTION tell_timekeeper();
"""

APPEND_ONLY = ("ledger", "threshold_decision", "collated_template", "agency_return", "threshold_view", "area_profile")
READ_ONLY = ("scenario_clock", "stage_move")


def guard() -> None:
    """What the database refuses, whoever asks: illegal moves, changed history, unsigned decisions."""
    moves = op.create_table(
        "stage_move",
        sa.Column("of_table", sa.String(40), primary_key=True),
        sa.Column("from_status", sa.String(40), primary_key=True),
        sa.Column("to_status", sa.String(40), primary_key=True),
    )
    op.bulk_insert(
        moves,
        [
            {"of_table": table, "from_status": was, "to_status": to}
            for table, allowed in MOVES.items()
            for was, following in allowed.items()
            for to in following
        ],
    )
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def grant() -> None:
    """The application's role adds and changes; it deletes nothing but wakes, and owns nothing."""
    if not op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        return
    op.execute("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO mash_app")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO mash_app")
    op.execute("GRANT DELETE ON wake TO mash_app")
    op.execute(f"REVOKE UPDATE ON {', '.join(APPEND_ONLY)} FROM mash_app")
    op.execute(f"REVOKE INSERT, UPDATE ON {', '.join(READ_ONLY)} FROM mash_app")
    op.execute("REVOKE ALL ON alembic_version FROM mash_app")
    op.execute("GRANT SELECT ON alembic_version TO mash_app")


def upgrade() -> None:
    op.create_table(
        "agency",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_table(
        "area_profile",
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "scenario_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("now", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="scenario_clock_is_one"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "DUTY_TEAM",
                "AGENCY",
                "MASH_SUPPORT",
                "DECISION_MAKER",
                "ANALYST",
                "BOARD",
                "IG_LEAD",
                "ACCOUNT_ADMIN",
                "OPERATOR",
                "HUB",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_person", sa.Boolean(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=True),
        sa.Column("duty_team", sa.String(length=40), nullable=True),
        sa.Column("mash_profile", sa.Boolean(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(role = 'AGENCY') = (agency IS NOT NULL)", name="account_agency_has_one"),
        sa.CheckConstraint("(role = 'DUTY_TEAM') = (duty_team IS NOT NULL)", name="account_duty_team_has_one"),
        sa.CheckConstraint(
            "NOT mash_profile OR role IN ('MASH_SUPPORT', 'DECISION_MAKER')", name="account_mash_profile_is_staff"
        ),
        sa.CheckConstraint("is_person OR role IN ('AGENCY', 'DUTY_TEAM', 'HUB')", name="account_system_is_of_a_body"),
        sa.ForeignKeyConstraint(
            ["agency"],
            ["agency.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "misdirected_contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"],
            ["agency.code"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "referral",
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("duty_team", sa.String(length=40), nullable=False),
        sa.Column("sender_id", sa.String(length=100), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("upstream_reference", sa.String(length=100), nullable=False),
        sa.Column("profile_version", sa.String(length=40), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "RECEIVED",
                "QUEUED_OUT_OF_HOURS",
                "CHECKING",
                "AWAITING_DECISION",
                "HANDING_BACK",
                "AWAITING_ACK",
                "CLOSED",
                name="stage",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("discuss_now_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sending_officer", sa.LargeBinary(), nullable=False),
        sa.Column("reply_to", sa.LargeBinary(), nullable=False),
        sa.Column("decided_to_refer_by", sa.LargeBinary(), nullable=False),
        sa.Column("decided_to_refer_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why_not_enough", sa.LargeBinary(), nullable=False),
        sa.Column("safeguarding_concern", sa.Boolean(), nullable=False),
        sa.Column("extent_unclear", sa.Boolean(), nullable=False),
        sa.Column("clarification_question", sa.LargeBinary(), nullable=True),
        sa.Column("narrative", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("level_of_need", sa.String(length=40), nullable=False),
        sa.Column("urgency", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.CheckConstraint("(stage = 'CLOSED') = (closed_at IS NOT NULL)", name="referral_closed_has_a_time"),
        sa.ForeignKeyConstraint(
            ["profile_version"],
            ["area_profile.version"],
        ),
        sa.PrimaryKeyConstraint("reference"),
        sa.UniqueConstraint("duty_team", "sender_id", name="referral_sender_id_once"),
    )
    op.create_index(op.f("ix_referral_stage"), "referral", ["stage"], unique=False)
    op.create_table(
        "agency_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "REQUESTED",
                "ACKNOWLEDGED",
                "CLARIFY",
                "RETURNED",
                "RETURNED_LATE",
                "DECLINED",
                "CANCELLED",
                "NOT_AWAITED",
                name="checkstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("sides", sa.String(length=20), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_policy", sa.String(length=40), nullable=False),
        sa.Column("calendar_version", sa.String(length=60), nullable=False),
        sa.Column("due_in_words", sa.String(length=2000), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("known", sa.String(length=40), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("breach_noticed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decline_reason", sa.String(length=40), nullable=True),
        sa.Column("decline_note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(status = 'DECLINED') <= (decline_reason IS NOT NULL)", name="check_declined_has_a_reason"),
        sa.CheckConstraint(
            "(status IN ('RETURNED', 'RETURNED_LATE', 'DECLINED', 'CANCELLED', 'NOT_AWAITED')) = (settled_at IS NOT NULL)",
            name="check_settled_has_a_time",
        ),
        sa.CheckConstraint("status <> 'RETURNED' OR settled_at <= due_at", name="check_returned_is_on_time"),
        sa.CheckConstraint("status <> 'RETURNED_LATE' OR settled_at > due_at", name="check_returned_late_is_late"),
        sa.CheckConstraint("breached_at IS NULL OR breached_at = due_at", name="check_breached_when_due"),
        sa.CheckConstraint("due_at > requested_at", name="check_due_after_asked"),
        sa.ForeignKeyConstraint(
            ["agency"],
            ["agency.code"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "agency", name="agency_asked_once"),
    )
    op.create_index(op.f("ix_agency_check_reference"), "agency_check", ["reference"], unique=False)
    op.create_table(
        "api_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_api_token_account_id"), "api_token", ["account_id"], unique=False)
    op.create_table(
        "collated_template",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("template_version", sa.String(length=20), nullable=False),
        sa.Column("taken_for", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "version", name="collated_template_version_once"),
    )
    op.create_index(op.f("ix_collated_template_reference"), "collated_template", ["reference"], unique=False)
    op.create_table(
        "discussion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("present", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_discussion_reference"), "discussion", ["reference"], unique=False)
    op.create_table(
        "dissent",
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("reference"),
    )
    op.create_table(
        "hand_back",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("duty_team", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "duty_team", "version", name="hand_back_version_once"),
    )
    op.create_index(op.f("ix_hand_back_reference"), "hand_back", ["reference"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "number", name="ledger_number_once"),
    )
    op.create_index(op.f("ix_ledger_act"), "ledger", ["act"], unique=False)
    op.create_index(op.f("ix_ledger_reference"), "ledger", ["reference"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=True),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=80), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "WAITING",
                "SENDING",
                "SENT",
                "UNDELIVERED",
                "DROPPED",
                name="noticestatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("perhaps_twice", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )
    op.create_index(op.f("ix_notice_reference"), "notice", ["reference"], unique=False)
    op.create_index("notice_by_turn", "notice", ["status", "next_at"], unique=False)
    op.create_table(
        "subject",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("child", "adult", name="side", native_enum=False, create_constraint=True, length=10),
            nullable=False,
        ),
        sa.Column("household", sa.Integer(), nullable=False),
        sa.Column("household_role", sa.LargeBinary(), nullable=False),
        sa.Column("given_name", sa.LargeBinary(), nullable=False),
        sa.Column("family_name", sa.LargeBinary(), nullable=False),
        sa.Column("born_on_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("nhs_number", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("protected_address", sa.Boolean(), nullable=False),
        sa.Column("voice", sa.LargeBinary(), nullable=True),
        sa.Column("voice_missing_because", sa.LargeBinary(), nullable=True),
        sa.Column("informed", sa.String(length=40), nullable=False),
        sa.Column("consent", sa.String(length=40), nullable=False),
        sa.Column("consent_reason", sa.LargeBinary(), nullable=True),
        sa.Column("open_to_worker", sa.LargeBinary(), nullable=True),
        sa.Column("exit_code", sa.String(length=40), nullable=True),
        sa.Column("exit_reason", sa.String(length=40), nullable=True),
        sa.CheckConstraint("number > 0", name="subject_number_positive"),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "number", name="subject_number_once"),
    )
    op.create_index(op.f("ix_subject_reference"), "subject", ["reference"], unique=False)
    op.create_table(
        "threshold_view",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("agency", sa.String(length=40), nullable=False),
        sa.Column("view", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["agency"],
            ["agency.code"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_threshold_view_reference"), "threshold_view", ["reference"], unique=False)
    op.create_table(
        "wake",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "RUN",
                "WARN",
                "BREACH",
                "CHASE_ACK",
                "ESCALATE_DISSENT",
                name="wakekind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("about", sa.String(length=40), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference", "kind", "about", "due_at", name="wake_once"),
    )
    op.create_index(op.f("ix_wake_reference"), "wake", ["reference"], unique=False)
    op.create_index("wake_by_due", "wake", ["due_at"], unique=False)
    op.create_table(
        "agency_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=60), nullable=False),
        sa.Column("addendum", sa.Boolean(), nullable=False),
        sa.Column("summary", sa.LargeBinary(), nullable=True),
        sa.Column("items", sa.LargeBinary(), nullable=False),
        sa.Column("systems_searched", sa.LargeBinary(), nullable=False),
        sa.Column("not_searched_because", sa.LargeBinary(), nullable=True),
        sa.Column("consultations", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("version > 0", name="return_version_positive"),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["agency_check.id"],
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("check_id", "version", name="return_version_once"),
    )
    op.create_index(op.f("ix_agency_return_check_id"), "agency_return", ["check_id"], unique=False)
    op.create_table(
        "clarification",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=60), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=60), nullable=True),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="clarification_answer_has_a_time"),
        sa.ForeignKeyConstraint(
            ["answered_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["agency_check.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_clarification_check_id"), "clarification", ["check_id"], unique=False)
    op.create_table(
        "reconsideration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("check_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(length=60), nullable=True),
        sa.Column("conclusion", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["check_id"],
            ["agency_check.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.ForeignKeyConstraint(
            ["settled_by"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_reconsideration_reference"), "reconsideration", ["reference"], unique=False)
    op.create_table(
        "threshold_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("threshold_met", sa.Boolean(), nullable=False),
        sa.Column("level_of_need", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("rationale", sa.LargeBinary(), nullable=False),
        sa.Column("words_for_duty_team", sa.LargeBinary(), nullable=False),
        sa.Column("actions", sa.LargeBinary(), nullable=False),
        sa.Column("consent", sa.String(length=40), nullable=True),
        sa.Column("threshold_document", sa.String(length=40), nullable=False),
        sa.Column("without_discussion_because", sa.LargeBinary(), nullable=True),
        sa.Column("collated_template_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.CheckConstraint("version > 0", name="decision_version_positive"),
        sa.ForeignKeyConstraint(
            ["collated_template_id"],
            ["collated_template.id"],
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["account.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reference"],
            ["referral.reference"],
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"],
            ["subject.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("subject_id", "version", name="decision_version_once"),
    )
    op.create_index(op.f("ix_threshold_decision_reference"), "threshold_decision", ["reference"], unique=False)
    op.create_index(op.f("ix_threshold_decision_subject_id"), "threshold_decision", ["subject_id"], unique=False)
    guard()
    grant()


def downgrade() -> None:
    op.drop_index(op.f("ix_threshold_decision_subject_id"), table_name="threshold_decision")
    op.drop_index(op.f("ix_threshold_decision_reference"), table_name="threshold_decision")
    op.drop_table("threshold_decision")
    op.drop_index(op.f("ix_reconsideration_reference"), table_name="reconsideration")
    op.drop_table("reconsideration")
    op.drop_index(op.f("ix_clarification_check_id"), table_name="clarification")
    op.drop_table("clarification")
    op.drop_index(op.f("ix_agency_return_check_id"), table_name="agency_return")
    op.drop_table("agency_return")
    op.drop_index("wake_by_due", table_name="wake")
    op.drop_index(op.f("ix_wake_reference"), table_name="wake")
    op.drop_table("wake")
    op.drop_index(op.f("ix_threshold_view_reference"), table_name="threshold_view")
    op.drop_table("threshold_view")
    op.drop_index(op.f("ix_subject_reference"), table_name="subject")
    op.drop_table("subject")
    op.drop_index("notice_by_turn", table_name="notice")
    op.drop_index(op.f("ix_notice_reference"), table_name="notice")
    op.drop_table("notice")
    op.drop_index(op.f("ix_ledger_reference"), table_name="ledger")
    op.drop_index(op.f("ix_ledger_act"), table_name="ledger")
    op.drop_table("ledger")
    op.drop_index(op.f("ix_hand_back_reference"), table_name="hand_back")
    op.drop_table("hand_back")
    op.drop_table("dissent")
    op.drop_index(op.f("ix_discussion_reference"), table_name="discussion")
    op.drop_table("discussion")
    op.drop_index(op.f("ix_collated_template_reference"), table_name="collated_template")
    op.drop_table("collated_template")
    op.drop_index(op.f("ix_api_token_account_id"), table_name="api_token")
    op.drop_table("api_token")
    op.drop_index(op.f("ix_agency_check_reference"), table_name="agency_check")
    op.drop_table("agency_check")
    op.drop_index(op.f("ix_referral_stage"), table_name="referral")
    op.drop_table("referral")
    op.drop_table("misdirected_contact")
    op.drop_table("account")
    op.drop_table("scenario_clock")
    op.drop_table("area_profile")
    op.drop_table("agency")
    op.drop_table("stage_move")
    for function in ("refuse_move", "refuse_change", "refuse_unsigned_decision", "tell_timekeeper", "mash_now"):
        op.execute(f"DROP FUNCTION {function}()")
