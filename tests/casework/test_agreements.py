"""The register of information sharing agreements (R55), and what changed in the profile (R70)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from casework import agreements, profile_versions
from casework.db import unit_of_work
from casework.documents import AgreementDocument
from casework.register import current_profile, use_profile
from rules.errors import Conflict, NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor, Role
from rules.sharing import Force
from tests.record import Record

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
TODAY = date(2026, 6, 1)
ADMIN = Actor("ACCOUNT_ADMIN", Role.ACCOUNT_ADMIN, is_person=True)
IG_LEAD = Actor("IG_LEAD", Role.IG_LEAD, is_person=True)
REP = Actor("POLICE", Role.AGENCY, agency="POLICE", is_person=True)


def signed(**changes: Any) -> AgreementDocument:
    """An agreement of the police and the children's duty team."""
    document = {
        "title": "MASH sharing agreement", "version": "3.0", "parties": ["POLICE", "CHILDREN_DUTY"],
        "scope": "What each holds about a household, to decide on the threshold.", "signed_on": date(2026, 2, 1),
        "in_force_from": date(2026, 3, 1), "in_force_to": date(2027, 12, 31), "review_on": date(2027, 3, 1),
    }  # fmt: skip
    return AgreementDocument(**document | changes)


@pytest.fixture
def agreement(record: Record) -> UUID:
    with unit_of_work() as session:
        return agreements.add(session, signed(), current_profile(), by=ADMIN, at=AT)


def acts(agreement_id: UUID) -> list[str]:
    with unit_of_work() as session:
        return [event.act for event in agreements.events(session, agreement_id)]


def test_an_agreement_is_in_the_register_with_who_put_it_there(agreement: UUID):
    """R55"""
    with unit_of_work() as session:
        register = agreements.register(session, by=IG_LEAD, at=AT, on=TODAY)
        [seen] = [each for each in register if each.id == agreement]
        assert (seen.id, seen.force, seen.is_renewed) == (agreement, Force.IN_FORCE, False)
        lacking = agreements.without_agreement([seen], current_profile())
        assert "POLICE" not in lacking
        assert "CAMHS" in lacking
        assert agreements.events(session, agreement)[0].actor == ADMIN.id
    assert acts(agreement) == ["ADDED"]


def test_a_renewal_stands_beside_the_old_version(agreement: UUID):
    """R55"""
    with unit_of_work() as session:
        newer = signed(version="4.0", in_force_from=date(2028, 1, 1), in_force_to=None, review_on=date(2029, 1, 1))
        new = agreements.renew(session, agreement, newer, current_profile(), by=ADMIN, at=AT)
        seen = {each.id: each for each in agreements.register(session, by=ADMIN, at=AT, on=TODAY)}
        assert (seen[agreement].force, seen[agreement].is_renewed) == (Force.IN_FORCE, True)
        assert seen[new].force is Force.NOT_YET
        with pytest.raises(Conflict):
            agreements.renew(session, agreement, signed(version="5.0"), current_profile(), by=ADMIN, at=AT)
    assert acts(agreement) == ["RENEWED", "ADDED"]


def test_nobody_shares_under_an_ended_agreement(agreement: UUID):
    """R55"""
    for _ in range(2):
        with unit_of_work() as session:
            agreements.end(session, agreement, by=ADMIN, at=AT, on=TODAY)
            assert agreements.one(session, agreement, by=ADMIN, at=AT, on=TODAY).force is Force.OVER
    assert acts(agreement) == ["ENDED", "ADDED"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parties": ["POLICE"]}, "/parties"),
        ({"parties": ["POLICE", "POLICE"]}, "/parties"),
        ({"parties": ["POLICE", "A stranger"]}, "/parties"),
        ({"in_force_to": date(2026, 2, 28)}, "/in_force_to"),
        ({"review_on": date(2026, 2, 28)}, "/review_on"),
    ],
)
def test_what_does_not_fit_is_named(record: Record, changes: dict[str, Any], field: str):
    """R55"""
    with unit_of_work() as session, pytest.raises(NotAcceptable) as refused:
        agreements.add(session, signed(**changes), current_profile(), by=ADMIN, at=AT)
    assert [each.pointer for each in refused.value.fields] == [field]


def test_an_administrator_alone_changes_the_register(agreement: UUID):
    """S-9"""
    with unit_of_work() as session:
        for who in (IG_LEAD, REP):
            with pytest.raises(NotPermitted):
                agreements.add(session, signed(), current_profile(), by=who, at=AT)
            with pytest.raises(NotPermitted):
                agreements.end(session, agreement, by=who, at=AT, on=TODAY)
        with pytest.raises(NotPermitted):
            agreements.register(session, by=REP, at=AT, on=TODAY)
        with pytest.raises(NotFound):
            agreements.one(session, uuid4(), by=ADMIN, at=AT, on=TODAY)


def test_what_was_done_to_an_agreement_cannot_be_changed(agreement: UUID, record: Record):
    """R28"""
    with record.as_owner() as owner, pytest.raises(psycopg.Error):
        owner.execute("DELETE FROM agreement_event")


def test_each_version_of_the_profile_says_what_it_changed(record: Record):
    """R70"""
    profile = current_profile()
    newer = profile.model_copy(
        update={"version": "bnes-next", "clocks": profile.clocks.model_copy(update={"warning_before_hours": 6})}
    )
    with unit_of_work() as session:
        use_profile(session, profile, AT)
        use_profile(session, newer, AT.replace(month=7))
        found = profile_versions.versions(session, by=IG_LEAD, at=AT)
        assert [seen.version for seen in found] == ["bnes-next", profile.version]
        changed = {change.place: (change.was, change.now) for change in found[0].changes}
        assert changed["clocks.warning_before_hours"] == ("4.0", "6.0")
        assert changed["version"] == (profile.version, "bnes-next")
        assert len(changed) == 2
        assert found[1].changes == []
        with pytest.raises(NotPermitted):
            profile_versions.versions(session, by=REP, at=AT)


def test_a_row_of_the_profile_is_known_by_its_code_wherever_it_stands():
    """R70"""
    was = {"agencies": [{"code": "A", "name": "One"}, {"code": "B", "name": "Two"}]}
    now = {"agencies": [{"code": "B", "name": "Two"}, {"code": "A", "name": "Other"}]}
    [change] = profile_versions.changes(was, now)
    assert (change.place, change.was, change.now) == ("agencies[A].name", "One", "Other")
