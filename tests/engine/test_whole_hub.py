"""What each part of a whole hub is started with."""

from __future__ import annotations

from engine.stack import PARTS, Stack
from engine.surroundings import of_worker


def test_only_the_portal_and_the_timekeeper_are_given_the_key_that_signs(stack: Stack):
    """S-23: whatever a run in the worker is made to do, it cannot forge a checkpoint"""
    own = {"MASH_KEY": "k", "MASH_SIGNING_KEY": "s", "MASH_SIGNING_KEY_FILE": "f"}
    assert set(of_worker(own)) == {"MASH_KEY"}
    given = {name: stack.part(name).launch.environment for name in PARTS}
    assert {name for name in PARTS if "MASH_SIGNING_KEY" in given[name]} == {"portal", "timekeeper"}
