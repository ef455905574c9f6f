"""PostgreSQL for tests leaves its writing to the system: none of them pulls the machine's plug.

What a hub is set up with is proved in tests/engine/test_postgres.py.
"""

from __future__ import annotations

import psycopg

from engine import databases
from engine.credentials import load_or_create
from engine.postgres import SUPERUSER
from engine.stack import Stack


def hurry(stack: Stack) -> None:
    """From now on no commit of this stack's PostgreSQL waits for the disk."""
    secret = load_or_create(stack.home).postgres
    url = databases.url(SUPERUSER, secret, stack.ports.postgres, "postgres", "psycopg")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as superuser:
        superuser.execute("ALTER SYSTEM SET fsync = off")
        superuser.execute("ALTER SYSTEM SET full_page_writes = off")
        superuser.execute("SELECT pg_reload_conf()")
