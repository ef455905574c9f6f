"""An agency without an agreement in the portal: why it is not asked, who has it asked, and the report (R55)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select, update

from casework.db import unit_of_work
from models.account import ApiToken
from models.agreement import SharingAgreement
from portal.examples import CHILD, OVERRIDE
from tests.portal.office import Office, acts
from tests.portal.people import at_their_desk, prove


@pytest.fixture
def reference(office: Office) -> Iterator[str]:
    """A referral of a child; the police are party to no agreement while it is asked about."""
    with unit_of_work() as session:
        everybody = {row.id: row.parties for row in session.exec(select(SharingAgreement))}
        for one, parties in everybody.items():
            without = [party for party in parties if party != "POLICE"]
            session.execute(update(SharingAgreement).where(SharingAgreement.id == one).values(parties=without))
    yield office.refer_and_ask(CHILD)
    with unit_of_work() as session:
        for one, parties in everybody.items():
            session.execute(update(SharingAgreement).where(SharingAgreement.id == one).values(parties=parties))


def test_a_decision_maker_has_it_asked_with_a_reason_and_it_is_reported(
    office: Office, client: Any, reference: str
) -> None:
    """R55: step-up, a reason, the agency's own page with its basis, the report"""
    decider = at_their_desk(client, "DECISION_MAKER")
    shown = decider.get(f"/board/{reference}").text
    assert "Not asked for want of an agreement:" in shown
    assert "Confirmed by" in shown
    page = f"/board/{reference}/override"
    assert "Avon and Somerset Constabulary" in decider.get(page).text
    short = decider.send(page, {"agency": "POLICE", "reason": "Short."})
    assert short.status_code == 422
    assert "at least 20 characters" in short.text
    answer = decider.send(page, OVERRIDE)
    assert answer.headers["location"] == f"/board/{reference}?done=overridden", answer.text
    assert "AGREEMENT_OVERRIDDEN" in acts(reference)
    asked = at_their_desk(client, "POLICE").get(f"/checks/{reference}").text
    assert "Children Act 2004 section 10" in asked
    report = at_their_desk(client, "IG_LEAD").get("/agreement-overrides").text
    assert reference in report
    assert OVERRIDE["reason"] in report


def test_an_override_wants_a_second_factor_of_the_last_minutes(office: Office, reference: str) -> None:
    """R55, S-16"""
    path = f"/referrals/{reference}/overrides"
    assert office.post("MASH_SUPPORT", path, OVERRIDE).status_code == 403
    with unit_of_work() as session:
        session.execute(update(ApiToken).values(proven_at=None))
    assert office.post("DECISION_MAKER", path, OVERRIDE).status_code == 403
    prove(*office.tokens.values())
    assert office.post("DECISION_MAKER", path, OVERRIDE).status_code == 200
    not_asked = office.get("DECISION_MAKER", f"/referrals/{reference}").json()["not_asked"]
    [police] = [each for each in not_asked if each["agency"] == "POLICE"]
    assert (police["reason"], police["overridden_by"]) == ("NO_AGREEMENT", "DECISION_MAKER")
