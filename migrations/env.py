"""How Alembic reaches the record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from models.tables import METADATA

engine = sa.create_engine(context.config.attributes["url"], poolclass=sa.NullPool, hide_parameters=True)
with engine.connect() as connection:
    # Two copies of the hub may start at once: the second waits, then finds nothing to do.
    connection.execute(sa.text("SELECT pg_advisory_lock(hashtext('mash-migrations'))"))
    context.configure(connection=connection, target_metadata=METADATA, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
