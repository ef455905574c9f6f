"""The evidence pack from the referral's page (R28)."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest

from portal.examples import CHILD
from tests.portal.office import Office, acts
from tests.portal.people import at_their_desk
from tests.record import forget_settings


def test_a_decision_maker_takes_a_pack_away_and_the_ledger_says_so(
    office: Office, client: Any, monkeypatch: pytest.MonkeyPatch
):
    """R28"""
    monkeypatch.setenv("MASH_SIGNING_KEY", base64.b64encode(bytes(32)).decode())
    forget_settings()
    reference = office.refer_and_join(CHILD)
    decider = at_their_desk(client, "DECISION_MAKER")
    assert "Make an evidence pack" in decider.get(f"/board/{reference}").text
    answer = decider.post(f"/board/{reference}/evidence", {})
    assert answer.headers["content-disposition"] == f'attachment; filename="evidence-{reference}.zip"'
    assert "verify.py" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert acts(reference)[-1] == "EVIDENCE_PACKED"


def test_a_pack_with_a_protected_address_is_made_for_a_reason_alone(
    office: Office, client: Any, monkeypatch: pytest.MonkeyPatch
):
    """R28, R29: the ledger keeps the reason sealed"""
    monkeypatch.setenv("MASH_SIGNING_KEY", base64.b64encode(bytes(32)).decode())
    forget_settings()
    hidden = CHILD["subjects"][0] | {"address": "3 Larkhall Row, BA1 6RT", "protected_address": True}
    reference = office.refer_and_join(CHILD | {"subjects": [hidden]})
    decider = at_their_desk(client, "DECISION_MAKER")
    refused = decider.post(f"/board/{reference}/evidence", {})
    assert refused.status_code == 422
    assert "the pack would hold a protected address (S1)" in refused.text
    assert "EVIDENCE_PACKED" not in acts(reference)
    for_police = decider.send(f"/board/{reference}/evidence", {"partner": "POLICE"})
    assert for_police.status_code == 422
    assert "a protected address (S1) in entr" in for_police.text
    reason = {"partner": "POLICE", "because": "The coroner asked for it."}
    answer = decider.send(f"/board/{reference}/evidence", reason)
    assert answer.headers["content-type"] == "application/zip"
    assert acts(reference)[-1] == "EVIDENCE_PACKED"


def test_nobody_else_is_offered_one_or_given_one(office: Office, client: Any):
    """R48"""
    reference = office.refer_and_join(CHILD)
    support = at_their_desk(client, "MASH_SUPPORT")
    assert "evidence pack" not in support.get(f"/board/{reference}").text
    assert support.post(f"/board/{reference}/evidence", {}).status_code == 403
    assert "EVIDENCE_PACKED" not in acts(reference)
