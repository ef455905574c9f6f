"""People sign in: addresses, passwords, one-time codes, sessions, drafts, and what was done to an account

Revision: 0002, after 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CHECKS = {
    "account_password_is_a_persons": "is_person OR password_hash IS NULL",
    "account_email_can_be_found": "(email IS NULL) = (email_digest IS NULL)",
}
OF_AN_ACCOUNT = ("account_event", "invitation", "portal_session", "sign_in")


def new_columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "account": (
            sa.Column("email", sa.LargeBinary(), nullable=True),
            sa.Column("email_digest", sa.String(length=64), nullable=True),
            sa.Column("display_name", sa.LargeBinary(), nullable=True),
            sa.Column("password_hash", sa.String(length=200), nullable=True),
            sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
            sa.Column("totp_last_step", sa.BigInteger(), nullable=True),
            sa.Column("wrong_codes", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("inducted_at", sa.DateTime(timezone=True), nullable=True),
            sa.Column("last_signed_in_at", sa.DateTime(timezone=True), nullable=True),
        ),
        "notice": (
            sa.Column("secret", sa.LargeBinary(), nullable=True),
            sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        ),
    }


def upgrade() -> None:
    for table, columns in new_columns().items():
        for column in columns:
            op.add_column(table, column)
    op.alter_column("account", "wrong_codes", server_default=None)
    op.create_unique_constraint("account_email_digest_key", "account", ["email_digest"])
    for name, condition in CHECKS.items():
        op.create_check_constraint(name, "account", condition)
    create_tables()
    for table in OF_AN_ACCOUNT:
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])
    op.execute(
        "CREATE TRIGGER account_event_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON account_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    grant()


def create_tables() -> None:
    op.create_table(
        "throttle",
        sa.Column("bucket", sa.String(length=64), primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_table(
        "account_event",
        sa.Column("id", sa.BigInteger(), autoincrement=True, primary_key=True),
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
    )
    op.create_table(
        "draft",
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("purpose", sa.String(length=40), primary_key=True),
        sa.Column("about", sa.String(length=9), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, unique=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "portal_session",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False, unique=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", sa.String(length=60), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("browser_digest", sa.String(length=64), nullable=False, unique=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_salt", sa.String(length=64), nullable=True),
        sa.Column("code_digest", sa.String(length=64), nullable=True),
        sa.Column("code_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
    )


def grant() -> None:
    """What was done to an account the application can add to, and not change."""
    if not op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        return
    op.execute("GRANT SELECT, INSERT, UPDATE ON throttle, draft, invitation, portal_session, sign_in TO mash_app")
    op.execute("GRANT SELECT, INSERT ON account_event TO mash_app")
    op.execute("GRANT USAGE ON SEQUENCE account_event_id_seq TO mash_app")


def downgrade() -> None:
    for table in ("draft", "throttle", *OF_AN_ACCOUNT):
        op.drop_table(table)
    for name in CHECKS:
        op.drop_constraint(name, "account")
    op.drop_constraint("account_email_digest_key", "account")
    for table, columns in new_columns().items():
        for column in columns:
            op.drop_column(table, column.name)
