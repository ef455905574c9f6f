"""Letters do not leave a record that was put back from a backup before an operator says so

Revision: 0020, after 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The server, the database, and the very table: each is another one once a dump is put back.
    op.execute(
        "CREATE FUNCTION mash_place() RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS"
        " $$ SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),"
        " (SELECT oid FROM pg_database WHERE datname = current_database()), 'notice'::regclass::oid) $$"
    )
    op.create_table(
        "post",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("place", sa.String(length=80), nullable=False),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name="post_is_one"),
    )
    op.execute("INSERT INTO post (id, place) VALUES (1, mash_place())")
    if op.get_bind().execute(sa.text("SELECT 1 FROM pg_roles WHERE rolname = 'mash_app'")).scalar():
        op.execute("GRANT SELECT, UPDATE ON post TO mash_app")


def downgrade() -> None:
    op.drop_table("post")
    op.execute("DROP FUNCTION mash_place()")
