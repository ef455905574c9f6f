"""docs/access.md says what the access table says."""

from __future__ import annotations

from portal.access_page import FILE, text


def test_the_page_of_who_may_call_what_is_not_stale():
    """S-1: one readable table, generated from the policy"""
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m portal.access_page`"
