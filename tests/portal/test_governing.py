"""Information governance at its desk: refusals and samples (R57, R58)."""

from __future__ import annotations

from portal.examples import CHILD
from tests.portal.office import Office
from tests.portal.people import at_their_desk


def test_information_governance_finds_refusals_and_draws_samples(office: Office):
    """R57, R58: codes, and nothing of anybody"""
    reference = office.refer_and_ask(CHILD)
    office.post("POLICE", f"/referrals/{reference}/check/decline", {"reason": "LIVE_INVESTIGATION", "note": "Secret"})
    lead = at_their_desk(office.client, "IG_LEAD")
    refusals = lead.get("/declines").text
    assert reference in refusals
    assert "Live investigation" in refusals
    assert "Secret" not in refusals
    page = lead.get("/record-sample").text
    assert "Its chain of entries is whole." in page
    another = page.split('href="/record-sample?draw=')[1].partition('"')[0]
    assert f"This is sample {another}" in lead.get(f"/record-sample?draw={another}").text
    assert lead.get("/record-sample?draw=none").status_code == 422
    for word in (CHILD["subjects"][0]["family_name"], CHILD["concern"]["narrative"], "Secret"):
        assert word not in page
