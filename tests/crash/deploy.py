"""A release in the midst of work: the newest migration undone and done again, and the flows' code changed (F28)."""

from __future__ import annotations

import os
import time

from sqlalchemy.exc import OperationalError

import migrations
from engine.stack import Stack
from models.settings import HOUSE

#: What a deploy stops and starts; PostgreSQL, Prefect and the mail server stay.
OURS = ("portal", "timekeeper", "worker")
PATIENCE = 120.0


def roll_back_and_forward(stack: Stack) -> None:
    """As an operator would: stop the house's own parts, change the tables, start them.

    The worker that is started then finds the flows' code changed once more, as after a release while it works. A
    migration whose undoing takes from open cases what they need turns the checker red: its downgrade has to keep it.
    """
    owner = stack.environment()["MASH_OWNER_DATABASE_URL"]
    _upgrade(owner)
    for part in OURS:
        stack.part(part).stop()
    try:
        migrations.downgrade(owner, "-1")
        _upgrade(owner)
    finally:
        for part in OURS:
            stack.part(part).start()
    os.utime(HOUSE / "flows" / "referral.py")


def _upgrade(owner: str) -> None:
    """To the newest tables; a record that was just killed is waited for."""
    given_up = time.monotonic() + PATIENCE
    while True:
        try:
            return migrations.upgrade(owner)
        except OperationalError:
            if time.monotonic() > given_up:
                raise
            time.sleep(0.5)
