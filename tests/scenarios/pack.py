"""The scenario pack (R65): a week of a hub's life, each case in the words of a safeguarding lead.

The demo plays these and the tests assert on the same play. A case fails at the first line that is not so. Its words are
those of B&NES; another area plays the same pack with its own teams and agencies (R70), and its urgency bands with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.profile import Profile
from tests.scenarios.case import Case, london
from tests.scenarios.people import BASIS, a_child, a_family, a_referral, an_adult

STARTS = london("Fri 13 Mar 2026 09:00")
DUTY, ASIST = "CHILDREN_DUTY", "ADULT_ASIST"
FOR_A_CHILD = ("POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN", "MENTAL_HEALTH")
FOR_AN_ADULT = ("POLICE", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_ADULTS", "MENTAL_HEALTH")
FOR_BOTH = tuple(dict.fromkeys(FOR_A_CHILD + FOR_AN_ADULT))


def threshold_met(outcome: str, level: str = "L4") -> dict[str, Any]:
    """The threshold is met, and this follows."""
    return {
        "threshold_met": True,
        "level_of_need": level,
        "outcome": outcome,
        "rationale": "The returns together show a pattern that none of them shows alone.",
        "words_for_duty_team": "The threshold is met. Please hold the strategy discussion within the day.",
        "actions": [{"what": "Hold the strategy discussion", "owner": "Duty manager", "due_on": "2026-03-20"}],
    }


def threshold_not_met(outcome: str, level: str = "L2", consent: str | None = None) -> dict[str, Any]:
    """The threshold is not met; something else may help."""
    return {
        "threshold_met": False,
        "level_of_need": level,
        "outcome": outcome,
        "rationale": "Nothing that the agencies hold makes the concern more serious.",
        "words_for_duty_team": "The threshold is not met. What we found supports the offer named here.",
        "actions": [],
        "consent": consent,
    }


def a_child_at_risk(case: Case) -> None:
    """A child: all agencies answer within the day, the threshold is met, children's Duty is told

    R15, R21, R27, R30, R35, R42, R43
    """
    case.at("Mon 16 Mar 2026 10:00")
    case.is_referred(DUTY, a_referral(DUTY, "child-1", [a_child(11)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.due_is("POLICE", "Tue 17 Mar 2026 10:00")

    case.at("Mon 16 Mar 2026 11:30")
    case.acknowledges("POLICE", known="KNOWN_OPEN")
    case.asks("COUNCIL_CHILDREN", "Do you want the records of the sibling who moved away?")
    case.is_told("mash:team", "asks what is meant")
    case.is_answered("COUNCIL_CHILDREN", "No, of this child alone.")
    case.is_told("agency:COUNCIL_CHILDREN", "your question is answered")

    case.at("Mon 16 Mar 2026 15:00")
    case.returns("POLICE", "KNOWN_OPEN", ("2026-02-20", "Called to the address at night."), ("2025-11-02", "A check."))
    case.section_is("POLICE", "RETURNED")
    case.section_is("MENTAL_HEALTH", "AWAITED")
    case.returns("COMMUNITY_HEALTH_CHILDREN", "KNOWN_CLOSED", ("2026-01-09", "A bruise, explained as a fall."))
    case.know_nothing("COUNCIL_CHILDREN", "MENTAL_HEALTH")
    case.reaches("AWAITING_DECISION")
    case.is_told("mash:team", "a threshold decision is wanted")
    case.breaches_are()
    dates = [item["event_date"] for item in case.template()["chronology"]]
    case.expect(dates == sorted(dates) and len(dates) == 3, "the chronology interleaves by the date of the event")
    case.section_is("PROBATION", "NOT_ASKED")

    case.is_discussed(FOR_A_CHILD)
    case.is_decided(S1=threshold_met("C_STRATEGY"))
    case.is_told(f"duty:{DUTY}", "the outcome is ready")
    case.is_not_told(f"duty:{ASIST}")
    case.expect(case.outcome_for(DUTY)["S1"]["outcome"] == "C_STRATEGY", "Duty reads the outcome")
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


def an_adult_at_risk(case: Case) -> None:
    """An adult: the same process on the other side, a section 42 enquiry, ASIST is told

    R15, R42, R52
    """
    case.at("Mon 16 Mar 2026 10:30")
    case.is_referred(ASIST, a_referral(ASIST, "adult-1", [an_adult(12)], case.now))
    case.are_asked(*FOR_AN_ADULT)

    case.at("Tue 17 Mar 2026 09:00")
    case.returns("COUNCIL_ADULTS", "KNOWN_HISTORIC", ("2024-06-01", "An earlier concern about money."))
    case.know_nothing("POLICE", "COMMUNITY_HEALTH_ADULTS", "MENTAL_HEALTH")
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_AN_ADULT)
    case.is_decided(S1=threshold_met("A_S42"))
    case.is_told(f"duty:{ASIST}", "the outcome is ready")
    case.is_not_told(f"duty:{DUTY}")
    case.is_acknowledged(ASIST)
    case.reaches("CLOSED")


def a_mother_and_two_children(case: Case) -> None:
    """A mother and two children: one discussion, three decisions, each to its own team

    R08, R15, R42
    """
    case.at("Mon 16 Mar 2026 11:00")
    case.is_referred(DUTY, a_referral(DUTY, "joint-1", a_family(), case.now))
    case.are_asked(*FOR_BOTH)

    case.at("Mon 16 Mar 2026 16:00")
    case.returns("POLICE", "KNOWN_OPEN", ("2026-03-01", "Called to the address; the children were awake."))
    case.know_nothing(*(agency for agency in FOR_BOTH if agency != "POLICE"))
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_BOTH)
    case.is_decided(S1=threshold_met("A_S42"), S2=threshold_met("C_STRATEGY"), S3=threshold_met("C_ASSESS", "L3"))
    case.is_told(f"duty:{DUTY}", "the outcome is ready")
    case.is_told(f"duty:{ASIST}", "the outcome is ready")
    case.expect(set(case.outcome_for(DUTY)) == {"S2", "S3"}, "Duty reads of the children alone")
    case.expect(set(case.outcome_for(ASIST)) == {"S1"}, "ASIST reads of the mother alone")
    case.is_acknowledged(DUTY)
    case.expect(case.status()["stage"] == "AWAITING_ACK", "one team's acknowledgement is not the other's")
    case.is_acknowledged(ASIST)
    case.reaches("CLOSED")


def saturday_evening(case: Case) -> None:
    """Out of hours: said plainly that nobody is watching, and asked when the hub opens on Monday

    R21, R26
    """
    case.at("Sat 14 Mar 2026 20:00")
    received = case.is_referred(ASIST, a_referral(ASIST, "out-of-hours-1", [an_adult(13)], case.now))
    case.expect(received["stage"] == "QUEUED_OUT_OF_HOURS", "it is queued")
    case.expect("999" in " ".join(received["advice"]), "the sender is told whom to call in an emergency")
    case.is_not_told("agency:POLICE")

    case.at(case.opening("Mon 16 Mar 2026"))
    case.are_asked(*FOR_AN_ADULT)
    case.due_is("POLICE", case.opening("Tue 17 Mar 2026"))
    case.know_nothing(*FOR_AN_ADULT)
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_AN_ADULT)
    case.is_decided(S1=threshold_not_met("ADVICE"))
    case.is_told(f"duty:{ASIST}", "the outcome is ready")
    case.is_acknowledged(ASIST)
    case.reaches("CLOSED")


def friday_afternoon_and_a_silent_agency(case: Case) -> None:
    """One silent agency, asked on a Friday at 16:30: joined without it on Monday at 16:30, one breach, no one held up

    R21, R22, R23
    """
    case.at("Fri 13 Mar 2026 16:30")
    case.is_referred(DUTY, a_referral(DUTY, "silent-1", [a_child(14)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.due_is("MENTAL_HEALTH", "Mon 16 Mar 2026 16:30")

    case.at("Mon 16 Mar 2026 09:00")
    case.know_nothing("POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN")

    case.at("Mon 16 Mar 2026 16:30")
    case.is_told("agency:MENTAL_HEALTH", "your check is due soon")
    case.breaches_are()
    case.expect(case.status()["stage"] == "CHECKING", "the agency has until 16:30, and at 16:30 it is not late")

    case.at("Mon 16 Mar 2026 16:31")
    case.reaches("AWAITING_DECISION")
    case.breaches_are("MENTAL_HEALTH")
    case.is_told("agency:MENTAL_HEALTH", "your check is overdue")
    case.section_is("MENTAL_HEALTH", "NOT_RETURNED")
    case.is_discussed(FOR_A_CHILD[:3])
    case.is_decided(S1=threshold_not_met("NFA", "L1"))
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")
    case.expect(case.acts().count("CHECK_BREACHED") == 1, "exactly one breach is in the ledger")


def a_return_after_the_decision(case: Case) -> None:
    """A late return after the decision: kept, the decision untouched, and somebody must say whether it stands

    R24, R41
    """
    case.at("Mon 16 Mar 2026 12:00")
    case.is_referred(DUTY, a_referral(DUTY, "late-1", [a_child(15)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.know_nothing("POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN")

    case.at("Tue 17 Mar 2026 12:01")
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_A_CHILD[:3])
    case.is_decided(S1=threshold_not_met("NFA", "L1"))
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")

    case.at("Tue 17 Mar 2026 15:00")
    case.returns("MENTAL_HEALTH", "KNOWN_OPEN", ("2026-03-10", "The mother said that she was afraid."))
    case.check_is("MENTAL_HEALTH", "RETURNED_LATE")
    case.breaches_are("MENTAL_HEALTH")
    case.is_told("mash:team", "does the decision stand?")
    case.expect(case.outcome_for(DUTY)["S1"]["outcome"] == "NFA", "the decision is as it was")

    case.at("Tue 17 Mar 2026 16:00")
    case.is_discussed(FOR_A_CHILD)
    case.is_decided(S1=threshold_met("C_ASSESS", "L3"))
    case.is_told(f"duty:{DUTY}", "the outcome is ready", times=2)
    case.expect(case.outcome_for(DUTY)["S1"]["outcome"] == "C_ASSESS", "Duty reads the new decision")
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")
    case.expect(case.acts().count("DECIDED") == 2, "both decisions are in the ledger")


def agencies_disagree(case: Case) -> None:
    """Dissent: recorded with its reason, on the template, escalated when nobody resolves it

    R34, R37
    """
    case.at("Mon 16 Mar 2026 13:00")
    case.is_referred(DUTY, a_referral(DUTY, "dissent-1", [a_child(16)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.know_nothing(*FOR_A_CHILD)
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_A_CHILD, COMMUNITY_HEALTH_CHILDREN="DISAGREE")
    case.view_is("COMMUNITY_HEALTH_CHILDREN", "DISAGREE")
    case.is_decided(S1=threshold_not_met("NFA", "L1"))
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")

    case.at("Tue 17 Mar 2026 13:01")
    case.expect("DISSENT_ESCALATED" in case.acts(), "a day later the disagreement goes one stage up")
    case.is_told("mash:alarm", "agencies disagree", times=1)


def a_clear_concern(case: Case) -> None:
    """A concern that is clear and agreed: no agency is asked, straight back to children's Duty

    R06
    """
    case.at("Mon 16 Mar 2026 14:00")
    document = a_referral(DUTY, "clear-1", [a_child(17)], case.now)
    document["eligibility"] = {"safeguarding_concern": True, "extent_unclear": False}
    received = case.is_referred(DUTY, document)
    case.expect(bool(received["advice"]), "the sender is told at once that this is not for the MASH")
    case.is_told(f"duty:{DUTY}", "the outcome is ready")
    case.expect(case.status()["checks"] == [], "no agency is asked")
    case.expect(case.outcome_for(DUTY)["S1"]["outcome"] == "CLEAR_CONCERN_RETURN", "Duty reads why")
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


def a_concern_that_becomes_clear(case: Case) -> None:
    """A clear concern arriving half-way: open checks are cancelled, none is a breach

    R06
    """
    case.at("Mon 16 Mar 2026 14:30")
    case.is_referred(DUTY, a_referral(DUTY, "half-way-1", [a_child(18)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.know_nothing("COUNCIL_CHILDREN")

    case.at("Mon 16 Mar 2026 15:30")
    case.concern_becomes_clear(DUTY)
    case.is_told(f"duty:{DUTY}", "the outcome is ready")
    case.check_is("POLICE", "CANCELLED")
    case.check_is("COUNCIL_CHILDREN", "RETURNED")
    case.is_told("agency:POLICE", "no longer needed")
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")
    case.breaches_are()


def a_withdrawal(case: Case) -> None:
    """The duty team withdraws its referral: checks end, and it need not be told what it did itself

    R06
    """
    case.at("Tue 17 Mar 2026 09:30")
    case.is_referred(ASIST, a_referral(ASIST, "withdrawn-1", [an_adult(19)], case.now))
    case.are_asked(*FOR_AN_ADULT)
    case.is_withdrawn(ASIST, "NEEDS_MET_ELSEWHERE")
    case.reaches("CLOSED")
    case.check_is("POLICE", "CANCELLED")
    case.is_not_told(f"duty:{ASIST}")


def an_agency_without_an_agreement(case: Case) -> None:
    """An agency declines for want of an information sharing agreement: neither a return nor a breach

    R57
    """
    case.at("Tue 17 Mar 2026 10:00")
    case.is_referred(ASIST, a_referral(ASIST, "declined-1", [an_adult(20)], case.now))
    case.are_asked(*FOR_AN_ADULT)
    case.declines("MENTAL_HEALTH", "NO_ISA")
    case.know_nothing("POLICE", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_ADULTS")
    case.reaches("AWAITING_DECISION")
    case.section_is("MENTAL_HEALTH", "DECLINED")
    case.breaches_are()
    case.is_discussed(FOR_AN_ADULT[:3])
    case.is_decided(S1=threshold_not_met("A_NEEDS_ASSESS", "L2"))
    case.is_acknowledged(ASIST)
    case.reaches("CLOSED")


def early_help(case: Case) -> None:
    """Early help, the discussion called early: below the threshold, and not shared onward until consent is given

    R13, R40
    """
    case.at("Tue 17 Mar 2026 10:30")
    case.is_referred(DUTY, a_referral(DUTY, "early-help-1", [a_child(21)], case.now))
    case.are_asked(*FOR_A_CHILD)
    case.know_nothing("POLICE", "COUNCIL_CHILDREN")

    case.at("Tue 17 Mar 2026 11:00")
    case.is_called_early()
    case.reaches("AWAITING_DECISION")
    case.check_is("MENTAL_HEALTH", "NOT_AWAITED")
    case.section_is("MENTAL_HEALTH", "NOT_AWAITED")
    case.is_discussed(FOR_A_CHILD[:2])
    case.is_refused(lambda: case.is_decided(S1=threshold_not_met("C_EARLY_HELP")), status=422)
    case.is_decided(S1=threshold_not_met("C_EARLY_HELP", consent="NOT_SOUGHT"))
    case.is_told(f"duty:{DUTY}", "the outcome is ready")
    case.expect(case.outcome_for(DUTY)["S1"]["may_be_shared_onward"] is False, "not onward without consent")
    case.breaches_are()

    case.at("Wed 18 Mar 2026 11:01")
    case.is_told(f"duty:{DUTY}", "please acknowledge")
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


def consent_is_missing(case: Case) -> None:
    """Consent is refused and no basis recorded: no agency is asked until the MASH team has completed both

    R54, R56
    """
    child = a_child(71)
    unsaid = {"consent": "REFUSED_RESPECTED", "consent_given_by": None, "consent_on": None, "basis": None}
    case.at("Mon 16 Mar 2026 13:00")
    case.is_referred(DUTY, a_referral(DUTY, "held-1", [{**child, **unsaid}], case.now))
    case.basis_is_missing("S1", "basis", "consent")
    case.is_told(f"duty:{DUTY}", "the lawful basis is not complete")
    case.is_told("mash:team", "the lawful basis is not complete")

    case.at("Mon 16 Mar 2026 14:00")
    overridden = {
        "informed": "INFORMED",
        "consent": "REFUSED_OVERRIDDEN",
        "consent_reason_code": "RISK_TO_CHILD",
        "consent_reason": "The duty team spoke to the school: she may be hurt if nobody looks.",
        "basis": BASIS,
    }
    case.basis_is_completed("S1", overridden)
    case.are_asked(*FOR_A_CHILD)
    case.due_is("POLICE", "Tue 17 Mar 2026 14:00")
    case.know_nothing(*FOR_A_CHILD)
    case.reaches("AWAITING_DECISION")
    case.is_discussed(FOR_A_CHILD)
    case.is_decided(S1=threshold_not_met("NFA", "L1"))
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


PACK = (
    friday_afternoon_and_a_silent_agency,
    saturday_evening,
    a_child_at_risk,
    an_adult_at_risk,
    a_mother_and_two_children,
    a_return_after_the_decision,
    agencies_disagree,
    a_clear_concern,
    a_concern_that_becomes_clear,
    a_withdrawal,
    an_agency_without_an_agreement,
    early_help,
    consent_is_missing,
)


def a_red_referral(case: Case) -> None:
    """Urgency red: four hours of opening time, over a night; one agency stays silent, and nobody waits longer for it

    R10, R21, R22, R23
    """
    case.at("Mon 16 Mar 2026 15:30")
    document = a_referral(DUTY, "red-1", [a_child(22)], case.now)
    document["concern"]["urgency"] = "RED"
    case.is_referred(DUTY, document)
    case.are_asked(*FOR_A_CHILD)
    case.due_is("POLICE", "Tue 17 Mar 2026 09:30")
    case.know_nothing(*FOR_A_CHILD[:3])

    case.at("Tue 17 Mar 2026 09:30")
    case.is_told("agency:MENTAL_HEALTH", "your check is due soon")
    case.breaches_are()

    case.at("Tue 17 Mar 2026 09:31")
    case.reaches("AWAITING_DECISION")
    case.breaches_are("MENTAL_HEALTH")
    case.is_discussed(FOR_A_CHILD[:3])
    case.is_decided(S1=threshold_met("C_STRATEGY"))
    case.is_acknowledged(DUTY)
    case.reaches("CLOSED")


def a_green_referral(case: Case) -> None:
    """Urgency green: 72 hours with closed days left out; an answer on the third working day is in time

    R10, R21
    """
    case.at("Fri 13 Mar 2026 15:30")
    document = a_referral(ASIST, "green-1", [an_adult(23)], case.now)
    document["concern"]["urgency"] = "GREEN"
    case.is_referred(ASIST, document)
    case.are_asked(*FOR_AN_ADULT)
    case.due_is("POLICE", "Wed 18 Mar 2026 15:30")

    case.at("Wed 18 Mar 2026 10:00")
    case.know_nothing(*FOR_AN_ADULT)
    case.reaches("AWAITING_DECISION")
    case.breaches_are()
    case.is_discussed(FOR_AN_ADULT)
    case.is_decided(S1=threshold_not_met("ADVICE"))
    case.is_acknowledged(ASIST)
    case.reaches("CLOSED")


#: What is played besides where there are bands of these hours.
BY_BAND = {"RED": a_red_referral, "GREEN": a_green_referral}


def of_area(profile: Profile) -> tuple[Callable[[Case], None], ...]:
    """The pack, as an area plays it."""
    bands = {band.code for band in profile.clocks.bands}
    return (*PACK, *(scenario for band, scenario in BY_BAND.items() if band in bands))
