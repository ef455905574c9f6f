"""Each use of break-glass is looked at on one page, in a form of its own (S-7)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from casework.db import unit_of_work
from models.account import Account
from portal import cookies
from tests.portal.people import at_their_desk, let_in, prove
from tests.portal.things import ABSENT

WHO = "SECOND_DECIDER"
BREAK = {"reference": ABSENT.reference, "reason": "The child is missing and nobody named can be reached."}


@pytest.fixture
def authenticator(record: object, credentials: object) -> Iterator[None]:
    """A decision maker has an authenticator app, and information governance a mailbox."""
    let_in("IG_LEAD")
    _give(WHO, "A" * 32)
    yield
    _give(WHO, None)


def _give(account_id: str, secret: str | None) -> None:
    with unit_of_work() as session:
        account = session.get(Account, account_id)
        assert account is not None
        account.totp_secret = secret


def test_what_is_missing_is_said_at_the_form_of_that_use(authenticator: None, client: Any):
    """S-7, WCAG 3.3.1: two uses wait, and their fields have the same names"""
    decider = at_their_desk(client, WHO)
    prove(decider.cookies[cookies.name_of(cookies.SESSION)])
    for _ in range(2):
        assert "nothing was opened" in decider.send("/break-glass", BREAK).text
    lead = at_their_desk(client, "IG_LEAD")
    page = lead.get("/break-glass-uses").text
    first, second = re.findall(r'"/break-glass-uses/([^"]*)"', page)
    empty = lead.send(f"/break-glass-uses/{second}", {"note": "Looked."}, page="/break-glass-uses")
    assert empty.status_code == 422
    assert f'href="#{second}-verdict"' in empty.text
    assert f'id="{second}-verdict"' in empty.text
    assert empty.text.count(">Looked.</textarea>") == 1
    assert f'id="{first}-verdict"' in empty.text
