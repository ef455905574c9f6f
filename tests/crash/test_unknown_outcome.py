"""The commit that nobody heard of: its sender is told just that, and sending again does no harm (F9, INV2)."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from casework import intake
from casework.accounts import issue_token
from casework.db import database, now, unit_of_work
from portal.app import create_app
from rules.errors import OutcomeUnknown
from tests.casework.factory import duty, open_hub
from tests.crash.proxy import Wire, wire_to
from tests.hub import surroundings
from tests.record import Record
from tests.scenarios.pack import DUTY
from tests.scenarios.people import a_child, a_referral

with warnings.catch_warnings():
    # Starlette would rather have another HTTP client; the house has this one.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

TIMES = 25


@pytest.fixture
def wire(record: Record) -> Iterator[Wire]:
    """A wire to the record, which this process's casework uses."""
    open_hub()
    database().dispose()
    with wire_to(record.server.port) as laid:
        environment = record.server.environment()
        own = environment["MASH_DATABASE_URL"].replace(f":{record.server.port}/", f":{laid.port}/")
        with surroundings(environment | {"MASH_DATABASE_URL": own}):
            yield laid


def _document(number: int) -> dict[str, Any]:
    with unit_of_work() as session:
        at: datetime = now(session)
    return json.loads(json.dumps(a_referral(DUTY, f"cut-{number}", [a_child()], at)))  # type: ignore[no-any-return]


def _receive(document: dict[str, Any]) -> intake.Received:
    with unit_of_work() as session:
        return intake.receive(session, document, by=duty(), at=now(session))


@pytest.mark.parametrize(("where", "was_saved"), [("before", False), ("after", True)])
def test_a_referral_whose_commit_nobody_heard_of_is_there_once_when_sent_again(
    wire: Wire, record: Record, where: str, was_saved: bool
) -> None:
    """F9, INV1, INV2"""
    for number in range(TIMES):
        document = _document(number)
        wire.cut_over = where
        with pytest.raises(OutcomeUnknown):
            _receive(document)
        again = _receive(document)
        assert again.created is not was_saved
        assert _receive(document).reference == again.reference
    assert wire.cuts == TIMES
    assert record.ask("SELECT count(*) FROM referral") == [(TIMES,)]
    assert record.ask("SELECT count(*) FROM ledger WHERE act = 'RECEIVED'") == [(TIMES,)]


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_sender_is_told_that_the_outcome_is_not_known(wire: Wire, where: str) -> None:
    """F9, INV13: "nothing was saved" is said only when that is certain"""
    with unit_of_work() as session:
        signed = {"Authorization": f"Bearer {issue_token(session, duty().id, at=now(session))}"}
    with TestClient(create_app(), base_url="http://127.0.0.1") as portal:
        document = _document(1)
        wire.cut_over = where
        answer = portal.post("/api/v1/referrals", json=document, headers=signed)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.json()["type"] == "urn:mash:problem:outcome-unknown"
        assert "Nothing was saved" not in answer.text
        assert portal.post("/api/v1/referrals", json=document, headers=signed).status_code in (200, 201)
