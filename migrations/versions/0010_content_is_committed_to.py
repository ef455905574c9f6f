"""An entry of the ledger is bound to its content by a salted commitment, and the content can be erased

Revision: 0010, after 0009. The format of the chain is another (docs/ledger-format.md), and no entry is ever rewritten.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _refuse_older_chains()
    op.add_column("ledger", sa.Column("commitment", sa.String(length=64), nullable=False))
    op.create_table(
        "ledger_content",
        sa.Column("reference", sa.String(length=9), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reference", "number"], ["ledger.reference", "ledger.number"], name="ledger_content_has_its_entry"
        ),
        sa.PrimaryKeyConstraint("reference", "number"),
    )
    # Erasure is the owner's, under the retention rule; nobody changes what an entry is committed to.
    op.execute(
        "CREATE TRIGGER ledger_content_is_kept_or_erased BEFORE UPDATE OR TRUNCATE ON ledger_content "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, INSERT ON ledger_content TO mash_app")


def _refuse_older_chains() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM ledger LIMIT 1")).scalar():
        raise RuntimeError(
            "This hub's ledger was written in a format that was only ever tried out, and a ledger is not rewritten: "
            "start with an empty home folder."
        )


def downgrade() -> None:
    op.drop_table("ledger_content")
    op.drop_column("ledger", "commitment")
