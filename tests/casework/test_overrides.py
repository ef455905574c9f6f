"""An agency without a sharing agreement in force is not asked, unless somebody takes it on themselves by name."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from casework import (
    agreements,
    asking,
    checks,
    collation,
    evidence,
    facts,
    intake,
    ledger,
    overrides,
    queues,
    secondary,
)
from casework.documents import SecondaryDocument
from casework.legal_documents import OverrideDocument
from casework.register import current_profile
from engine.timekeeper import keep_clock
from engine.trial import trial_agreement
from rules.errors import NotAcceptable, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    ADMINISTRATOR,
    ASKED,
    DECIDER,
    FOR_A_CHILD,
    SUPPORT,
    a_family,
    act,
    acts_of,
    all_give_back,
    ask,
    asked_agencies,
    check,
    give_back,
    join,
    london,
    notices_of,
    refer,
    referral,
    rep,
    walk,
)

TODAY, YESTERDAY = date(2026, 3, 16), date(2026, 3, 15)
IG_LEAD = Actor("ig-lead", Role.IG_LEAD, is_person=True)
BECAUSE = "The agreement is signed on Monday; the risk is tonight."
#: For one child, with these words of the profile.
BASIS = [
    "General safeguarding",
    "Article 6(1)(e): public task",
    "Article 9(2)(g): substantial public interest",
    "DPA 2018 Schedule 1 Part 2 paragraph 18: safeguarding of children and of individuals at risk",
    "Children Act 2004 section 10",
]


def wanted(agency: str = "POLICE", reason: str = BECAUSE) -> OverrideDocument:
    """A decision maker's word for one agency."""
    return OverrideDocument(agency=agency, reason=reason)


def only(*parties: str, ended: tuple[str, ...] = ()) -> None:
    """The trial agreement is over; one with these parties is in force, and one with those expired yesterday."""
    profile = current_profile()
    old = act(agreements.register, by=ADMINISTRATOR, at=ASKED, on=TODAY)
    for each in old:
        act(agreements.end, each.id, by=ADMINISTRATOR, at=ASKED, on=TODAY)
    for bodies, last_day in ((parties, None), (ended, YESTERDAY)):
        if bodies:
            terms = {"parties": [*bodies, "CHILDREN_DUTY"], "in_force_to": last_day}
            document = trial_agreement(profile).model_copy(update=terms)
            act(agreements.add, document, profile, by=ADMINISTRATOR, at=ASKED)


@pytest.fixture
def without_police() -> str:
    """A referral about a child; the agreement with the police expired yesterday."""
    only(*(agency for agency in FOR_A_CHILD if agency != "POLICE"), ended=("POLICE",))
    reference = refer()
    ask(reference)
    return reference


def section(reference: str, agency: str) -> dict[str, object]:
    """One agency in the collated template."""
    content = act(collation.read, reference, by=DECIDER, at=ASKED)
    [found] = [each for each in content["agencies"] if each["agency"] == agency]
    return dict(found)


def test_an_agency_whose_agreement_expired_is_not_asked_and_the_template_says_why(people, without_police):
    """R55"""
    assert set(asked_agencies(without_police)) == set(FOR_A_CHILD) - {"POLICE"}
    found = section(without_police, "POLICE")
    assert (found["section"], found["because"]) == ("NOT_ASKED", "No sharing agreement with it is in force")
    assert ("agreement_missing", "mash:team") in notices_of(people, without_police)


def test_the_evidence_pack_tells_basis_plan_and_override(without_police):
    """R54, R55, R28: in a chapter of its own, and each request and return with its basis"""
    act(overrides.ask_without_agreement, without_police, wanted(), by=DECIDER, at=ASKED)
    give_back(without_police, "MENTAL_HEALTH")
    chain, contents = (act(each, without_police) for each in (ledger.entries, ledger.contents))
    told = evidence.record(without_police, chain, contents, [])
    planned, overridden = told["basis"]
    assert planned["detail"]["not_asked"]["POLICE"] == "NO_AGREEMENT"
    assert (overridden["by"], overridden["content"]) == (DECIDER.id, {"reason": BECAUSE})
    assert told["referred"][0]["content"]["subjects"][0]["basis"]["confirmed_by"] == "Team manager of the day"
    for entry in (*told["asked"], *told["came_back"]):
        assert entry["detail"]["basis"]["S1"]["article_9"] == "9_2_G"


def test_every_agency_is_asked_or_not_for_a_reason_in_the_ledger(without_police):
    """R15, R55: before anybody is asked"""
    entries = [
        entry for entry in act(ledger.entries, without_police) if entry.act in {"ASKING_PLANNED", "CHECK_REQUESTED"}
    ]
    assert entries[0].detail["asked"] == dict.fromkeys(set(FOR_A_CHILD) - {"POLICE"}, "IN_SCOPE")
    assert entries[0].detail["not_asked"] == {
        "POLICE": "NO_AGREEMENT", "COUNCIL_ADULTS": "OUT_OF_SCOPE", "COMMUNITY_HEALTH_ADULTS": "OUT_OF_SCOPE",
        "PROBATION": "ONE_AT_A_TIME", "CAMHS": "ONE_AT_A_TIME", "CCG": "ONE_AT_A_TIME", "RUH": "ONE_AT_A_TIME",
    }  # fmt: skip
    assert {entry.detail["because"] for entry in entries[1:]} == {"IN_SCOPE"}
    assert entries[1].detail["basis"]["S1"]["gateway"] == "CA2004_S10"


def test_a_decision_maker_has_it_asked_all_the_same_and_information_governance_is_told(people, without_police):
    """R55: named, reasoned, in the ledger, reported"""
    act(overrides.ask_without_agreement, without_police, wanted(), by=DECIDER, at=ASKED)
    assert check(without_police, "POLICE").asked_because == "OVERRIDE"
    assert acts_of(people, without_police)[-2:] == ["AGREEMENT_OVERRIDDEN", "CHECK_REQUESTED"]
    assert ("agreement_overridden", "mash:information_governance") in notices_of(people, without_police)
    [listed] = act(overrides.report, by=IG_LEAD, at=ASKED)
    assert (listed.reference, listed.agency) == (without_police, "POLICE")
    assert (listed.overridden_by, listed.override_reason) == (DECIDER.id, BECAUSE)
    assert section(without_police, "POLICE")["overridden"] == {
        "by": DECIDER.id, "at": "Mon 16 Mar 2026 10:00", "reason": BECAUSE,
    }  # fmt: skip
    [row] = [each for each in act(checks.agencies_to_ask, without_police) if each == "POLICE"]
    act(checks.request_check, without_police, row, at=ASKED)
    assert check(without_police, "POLICE").noted_by_run


@pytest.mark.parametrize(
    ("document", "pointers"),
    [
        (wanted(reason="too short a reason."), ["/reason"]),
        (wanted("COUNCIL_CHILDREN"), ["/agency"]),
        (wanted("MENTAL_HEALTH", "short"), ["/agency", "/reason"]),
        (wanted("COUNCIL_ADULTS"), ["/agency"]),
        (wanted("NOBODY"), ["/agency"]),
    ],
)
def test_an_override_needs_a_reason_and_an_agency_that_needs_it(without_police, document, pointers):
    """R55"""
    with pytest.raises(NotAcceptable) as refused:
        act(overrides.ask_without_agreement, without_police, document, by=DECIDER, at=ASKED)
    assert [field.pointer for field in refused.value.fields] == pointers


@pytest.mark.parametrize(
    "by", [SUPPORT, rep("POLICE"), IG_LEAD, ADMINISTRATOR, Actor("s", Role.DECISION_MAKER, mash_profile=True)]
)
def test_nobody_but_a_decision_maker_in_person_overrides(without_police, by):
    """R55"""
    with pytest.raises(NotPermitted):
        act(overrides.ask_without_agreement, without_police, wanted(), by=by, at=ASKED)


def test_after_the_decision_nothing_is_overridden():
    """R55"""
    decided = walk(Stage.HANDING_BACK)
    with pytest.raises(WrongStage):
        act(overrides.ask_without_agreement, decided, wanted(), by=DECIDER, at=ASKED)


def test_an_override_after_the_join_holds_up_nobody(without_police):
    """R20, R55"""
    all_give_back(without_police)
    join(without_police)
    act(overrides.ask_without_agreement, without_police, wanted(), by=DECIDER, at=ASKED)
    assert not check(without_police, "POLICE").blocking


def test_a_secondary_agency_without_an_agreement_is_asked_by_override_alone():
    """R20, R55"""
    only(*FOR_A_CHILD)
    reference = walk(Stage.CHECKING)
    asked = SecondaryDocument(agency="PROBATION", blocking=False)
    with pytest.raises(NotAcceptable):
        act(secondary.ask, reference, asked, by=SUPPORT, at=ASKED)
    act(overrides.ask_without_agreement, reference, wanted("PROBATION"), by=DECIDER, at=ASKED)
    assert "PROBATION" in asked_agencies(reference)


@pytest.fixture
def nobody_agreed() -> str:
    """A referral of which no agency has an agreement."""
    only(ended=FOR_A_CHILD)
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    return reference


def test_where_no_agency_at_all_has_an_agreement_the_referral_is_held(nobody_agreed):
    """R55: rather than decided upon with nobody asked"""
    assert referral(nobody_agreed).stage is Stage.AWAITING_BASIS
    assert act(facts.gate_passed, nobody_agreed, ASKED).why.endswith("complete agencies: agreement")


def agreed_from(day: date, *parties: str) -> None:
    """A signed agreement that begins on a day is put into the register."""
    profile = current_profile()
    terms = {"parties": [*parties, "CHILDREN_DUTY"], "in_force_from": day, "in_force_to": None, "review_on": day}
    act(agreements.add, trial_agreement(profile).model_copy(update=terms), profile, by=ADMINISTRATOR, at=ASKED)


def keep_time(until: datetime) -> None:
    """The timekeeper does what is due at this moment."""
    while act(keep_clock, until):
        pass


def runs_woken(people, reference: str) -> int:
    """How many wakes of a referral's run there are."""
    [(count,)] = people.ask("SELECT count(*) FROM wake WHERE reference = %s AND kind = 'RUN'", reference)
    return int(count)


def test_it_goes_on_when_an_agreement_comes(nobody_agreed):
    """R55"""
    only(*FOR_A_CHILD)
    keep_time(ASKED)
    assert referral(nobody_agreed).stage is Stage.CHECKING
    assert set(act(checks.agencies_to_ask, nobody_agreed)) == set(FOR_A_CHILD)


@pytest.mark.parametrize("registered", ["before it was held", "while it was held"])
def test_it_goes_on_when_an_agreement_begins_by_its_date_alone(people, registered):
    """R55: once the office is open on that day or after it, and not a moment before"""
    saturday, opens = date(2026, 3, 21), london("Mon 23 Mar 2026 08:30")
    only(ended=FOR_A_CHILD)
    if registered == "before it was held":
        agreed_from(saturday, "POLICE")
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    if registered == "while it was held":
        agreed_from(saturday, "POLICE")
    with people.as_owner() as owner:
        owner.execute("DELETE FROM wake WHERE kind = 'RUN'")
    for moment in (london("Fri 20 Mar 2026 16:00"), opens - timedelta(milliseconds=1)):
        keep_time(moment)
    assert (referral(reference).stage, runs_woken(people, reference)) == (Stage.AWAITING_BASIS, 0)
    keep_time(opens)
    assert (referral(reference).stage, runs_woken(people, reference)) == (Stage.CHECKING, 1)
    assert act(checks.agencies_to_ask, reference) == ["POLICE"]
    assert people.ask("SELECT count(*) FROM wake WHERE kind <> 'RUN'") == [(0,)]


def test_an_agreement_of_others_lets_it_wait_for_the_next_one(people, nobody_agreed):
    """R55: and its run is not woken for nothing"""
    with people.as_owner() as owner:
        owner.execute("DELETE FROM wake WHERE kind = 'RUN'")
    agreed_from(date(2026, 3, 18), "COUNCIL_ADULTS")
    agreed_from(date(2026, 3, 20), "POLICE")
    keep_time(london("Wed 18 Mar 2026 09:00"))
    assert (referral(nobody_agreed).stage, runs_woken(people, nobody_agreed)) == (Stage.AWAITING_BASIS, 0)
    keep_time(london("Fri 20 Mar 2026 09:00"))
    assert referral(nobody_agreed).stage is Stage.CHECKING


def test_where_only_an_agreement_is_wanting_the_mash_team_alone_is_chased(people, nobody_agreed):
    """R55: a duty team can do nothing about it"""
    keep_time(london("Tue 17 Mar 2026 10:00"))
    said = [to for message, to in notices_of(people, nobody_agreed) if message == "basis_chased"]
    assert said == ["mash:team"]
    assert act(ledger.entries, nobody_agreed)[-1].detail == {"missing": {"agencies": ["agreement"]}}


def test_it_goes_on_when_one_agency_is_asked_without_one(nobody_agreed):
    """R55"""
    act(overrides.ask_without_agreement, nobody_agreed, wanted(), by=DECIDER, at=ASKED)
    assert referral(nobody_agreed).stage is Stage.CHECKING
    ask(nobody_agreed)
    assert asked_agencies(nobody_agreed) == ["POLICE"]
    assert check(nobody_agreed, "POLICE").asked_because == "OVERRIDE"


@pytest.mark.parametrize(("after", "agreed"), [(0, True), (1, True), (2, False)])
def test_an_agreement_counts_until_its_last_local_day_is_over(after, agreed):
    """R55"""
    only("POLICE")
    [current] = [each for each in act(agreements.register, by=ADMINISTRATOR, at=ASKED, on=TODAY) if each.force.holds]
    act(agreements.end, current.id, by=ADMINISTRATOR, at=ASKED, on=TODAY + timedelta(days=2))
    moment = ASKED + timedelta(days=after)
    assert act(asking.has_agreement, "POLICE", current_profile(), moment) is agreed


def test_an_agency_sees_the_basis_of_the_people_in_its_scope_and_nothing_of_the_others():
    """R54, R49: an adults' agency in a joint case learns nothing of the children"""
    reference = refer(subjects=a_family())
    ask(reference)
    seen = act(queues.read_check, reference, by=rep("COUNCIL_ADULTS"), at=ASKED)
    assert [subject.subject for subject in seen.subjects] == ["S1"]
    assert set(seen.basis) == {"S1"}
    assert seen.basis["S1"]["gateway"] == "CARE2014_S6_7"
    shown = seen.model_dump_json()
    for child in a_family()[1:]:
        assert child["given_name"] not in shown
        assert child["date_of_birth"] not in shown


def test_the_template_shows_basis_consent_and_informing_of_each_person(without_police):
    """R54, R56"""
    content = act(collation.read, without_police, by=DECIDER, at=ASKED)
    [child] = content["household"][0]["subjects"]
    assert child["basis"] == BASIS
    assert child["basis_confirmed_by"] == "Team manager of the day"
    assert (child["consent_given_by"], child["consent_on"], child["informed_on"]) == (
        "The mother",
        "2026-03-12",
        "2026-03-12",
    )
    assert section(without_police, "MENTAL_HEALTH")["basis"] == {"S1": BASIS}
    page = collation.render(content)
    for words in (*BASIS, "Confirmed by", "No sharing agreement with it is in force", "The mother"):
        assert words in page
