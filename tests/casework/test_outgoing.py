"""Nothing that is protected leaves with an outcome, a question, an answer, or the words for the referrer (R29, R45)."""

from __future__ import annotations

from typing import Any

import pytest

from casework import checks, decision, intake, outcome, reconsider, referrals, secondary
from casework.db import unit_of_work
from casework.documents import SecondaryDocument
from casework.facts import threshold_decided
from rules.errors import FieldError, NotAcceptable
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASIST,
    ASKED,
    DECIDER,
    SUPPORT,
    a_child,
    a_family,
    act,
    acts_of,
    answer,
    decision_on,
    document,
    duty,
    no_action,
    notices_of,
    referral,
    rep,
    verdict,
    walk,
)
from tests.casework.test_releases import choice, item, joined, told, withheld

HIDDEN = "14 Larkhall Row, Bath BA1 6RT, telephone 01225 123456"
WRITTEN = "14 larkhall\nRow"


def hidden_child() -> dict[str, Any]:
    return {**a_child(), "address": HIDDEN, "protected_address": True}


def refused(reference: str, *verdicts: dict[str, Any]) -> list[FieldError]:
    """What stops a decision."""
    with pytest.raises(NotAcceptable) as stopped:
        sign(reference, *verdicts)
    return list(stopped.value.fields)


def sign(reference: str, *verdicts: dict[str, Any]) -> None:
    act(decision.decide, reference, decision_on(reference, *verdicts), by=DECIDER, at=AFTERNOON)


@pytest.mark.parametrize(
    ("pointer", "more"),
    [
        ("words_for_duty_team", {"words_for_duty_team": f"Visit {WRITTEN}."}),
        ("actions/0/what", {"actions": [{"what": f"Visit {WRITTEN}", "owner": "Duty", "due_on": "2026-03-20"}]}),
        ("actions/0/owner", {"actions": [{"what": "Visit", "owner": WRITTEN, "due_on": "2026-03-20"}]}),
        ("items/0", {"items": [choice(1)]}),
    ],
)
def test_a_protected_address_stops_the_decision_and_is_not_repeated(record, pointer, more):
    """R29: it says where, whose, and which kind; no reason lets it leave"""
    reference = joined(item(f"Seen at {WRITTEN}."), subjects=[hidden_child()])
    for because in (None, "It is none."):
        [found] = refused(reference, verdict(false_alarm_because=because, **more))
        assert found.pointer == f"/decisions/0/{pointer}"
        assert "a protected address (S1)" in found.detail
        assert "arkhall" not in found.detail
    assert "DECIDED" not in acts_of(record, reference)


def test_where_an_item_is_stopped_it_can_be_withheld(record):
    """R29"""
    reference = joined(item(f"Seen at {WRITTEN}."), subjects=[hidden_child()])
    assert "withhold item 1 of POLICE" in refused(reference, verdict(items=[choice(1)]))[0].detail
    sign(reference, verdict(items=[choice(1, "RISK_TO_PERSON")]))
    assert "arkhall" not in str(told(reference)).replace(HIDDEN, "")


def test_one_protected_person_protects_the_address_of_all_who_live_there(record):
    """R29: a child's address is its mother's"""
    child = {**a_child(), "address": HIDDEN}
    reference = joined(item("Seen."), subjects=[{**hidden_child(), "address": None}, child])
    found = refused(reference, verdict("S1", words_for_duty_team="At 14, Larkhall Row."), verdict("S2"))
    assert [each.pointer for each in found] == ["/decisions/0/words_for_duty_team"]


def test_an_address_that_nobody_protects_may_leave(record):
    reference = joined(item(f"Seen at {WRITTEN}."), subjects=[{**a_child(), "address": HIDDEN}])
    sign(reference, verdict(items=[choice(1)]))


def test_what_an_agency_withholds_guards_the_names_and_numbers_in_it(record):
    """R29: a name out of what was withheld, or what this decision withholds, or what is for the MASH alone"""
    reference = joined(
        withheld("Lodger Darren Holt, 07700 900123."), item("Neighbour Mrs Pell rang."), item("Mr Reed.", "MASH"),
        item("Darren came."),
    )  # fmt: skip
    found = refused(
        reference,
        verdict(words_for_duty_team="Ask Holt, Darren; ring +44 7700 900123.", items=[choice(2, "RISK_TO_PERSON")]),
    )
    assert [each.pointer for each in found] == ["/decisions/0/words_for_duty_team", "/decisions/0/false_alarm_because"]
    assert "Holt" not in found[0].detail
    assert refused(reference, verdict(words_for_duty_team="Ask Mrs Pell.", items=[choice(2, "RISK_TO_PERSON")]))
    assert refused(reference, verdict(words_for_duty_team="Ask Mr. Reed."))
    sign(reference, verdict(words_for_duty_team="Ask Mrs Pell.", items=[choice(2), choice(4)]))


def test_a_false_alarm_is_let_go_in_somebodys_name_with_a_reason(record):
    """R29: the ledger says who, where and which kind; the reason is sealed"""
    reference = joined(item("Seen at Larkhall Row Surgery."), subjects=[hidden_child()])
    found = refused(reference, verdict(items=[choice(1)]))
    assert [each.pointer for each in found] == ["/decisions/0/items/0", "/decisions/0/false_alarm_because"]
    sign(reference, verdict(items=[choice(1)], false_alarm_because="The surgery is in another part of the street."))
    [(actor, detail)] = record.ask("SELECT actor, detail FROM ledger WHERE act = 'ALARM_OVERRIDDEN'")
    assert actor == DECIDER.id
    assert detail == {"subject": "S1", "found": [{"place": "/items/0", "kinds": ["PLACE"], "of": ["S1"]}]}


def test_a_reason_where_nothing_was_found_overrides_nothing(record):
    reference = joined(item("Seen."))
    sign(reference, verdict(items=[choice(1)], false_alarm_because="To be sure."))
    assert "ALARM_OVERRIDDEN" not in acts_of(record, reference)


def test_the_other_sides_team_learns_no_name_of_a_child_and_the_sender_may_read_whom_it_named(record):
    """R08, R29"""
    family = [{**person, "protected_address": False} for person in a_family()]
    reference = walk(Stage.AWAITING_DECISION, subjects=family)
    named = "Perrin Quill is with his mother, Marla Quill."
    mother = verdict("S1", outcome="A_S42", words_for_duty_team=named)
    children = [verdict(code, words_for_duty_team=named) for code in ("S2", "S3")]
    signed = decision_on(reference, mother, *children, without_discussion_because="Urgent.")
    with pytest.raises(NotAcceptable) as stopped:
        act(decision.decide, reference, signed, by=DECIDER, at=AFTERNOON)
    assert [each.pointer for each in stopped.value.fields] == [
        "/decisions/0/words_for_duty_team", "/decisions/0/false_alarm_because",
    ]  # fmt: skip
    assert "(S2)" in stopped.value.fields[0].detail


def test_a_question_with_the_address_is_not_sent_to_the_agencies(record):
    """R29: at intake, when a secondary agency is asked, and when a question is answered"""
    sent = document([hidden_child()])
    sent["eligibility"]["clarification_question"] = f"Was she seen at {WRITTEN}?"
    with pytest.raises(NotAcceptable) as stopped:
        act(intake.receive, sent, by=duty(), at=ASKED)
    assert [each.pointer for each in stopped.value.fields] == ["/eligibility/clarification_question"]
    reference = walk(Stage.CHECKING, subjects=[hidden_child()])
    wanted = SecondaryDocument(agency="PROBATION", blocking=False, question="Ring 01225-123456?")
    with pytest.raises(NotAcceptable) as stopped:
        act(secondary.ask, reference, wanted, by=SUPPORT, at=ASKED)
    assert [each.pointer for each in stopped.value.fields] == ["/question"]
    act(checks.ask_clarification, reference, "POLICE", "Which house?", by=rep("POLICE"), at=ASKED)
    with pytest.raises(NotAcceptable) as stopped:
        act(checks.answer_clarification, reference, "POLICE", "Fourteen, Larkhall Row.", by=SUPPORT, at=ASKED)
    assert [each.pointer for each in stopped.value.fields] == ["/text"]


def test_the_words_for_the_referrer_leave_out_what_names_somebody_and_say_so(record):
    """R45"""
    reference = joined(
        item("Wren Ashdown was seen.", "REFERRER"), item("She was seen on Monday.", "REFERRER"),
        withheld("Darren Holt."), item("D. Holt came.", "REFERRER"), concern={**document()["concern"], "source": "2A"},
    )  # fmt: skip
    sign(reference, no_action(items=[choice(1), choice(2), choice(4)], false_alarm_because="Another Holt."))
    act(outcome.hand_back, reference, at=AFTERNOON)
    read = act(outcome.read, reference, by=duty(), at=AFTERNOON)
    assert "She was seen on Monday." in read["words_for_referrer"]
    assert not [name for name in ("Wren", "Holt") if name in read["words_for_referrer"]]
    assert [each["holds"] for each in read["left_out_for_referrer"]] == [
        ["the name of somebody whom its reader may not learn of"]
    ] * 2
    assert ASIST not in str(read)


# --- searched once more, when the outcome leaves ---


def protect(reference: str) -> None:
    """The child's address becomes known, and protected."""
    with unit_of_work() as session:
        [child] = referrals.subjects(session, reference)
        child.address, child.protected_address = HIDDEN, True
        session.add(child)


@pytest.mark.parametrize(
    ("place", "said", "more"),
    [
        ("/words_for_duty_team", "the words for the duty team", {"words_for_duty_team": f"Visit {WRITTEN}."}),
        ("/items/0", "withhold item 1 of POLICE", {"items": [choice(1)]}),
    ],
)
def test_what_became_protected_after_it_was_signed_goes_to_nobody_and_a_person_decides_anew(record, place, said, more):
    """R29: it says where, and repeats nothing"""
    reference = joined(item(f"Seen at {WRITTEN}."))
    sign(reference, verdict(**more))
    protect(reference)
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert (referral(reference).stage, referral(reference).decided_at) == (Stage.AWAITING_DECISION, None)
    [(detail,)] = record.ask("SELECT detail FROM ledger WHERE act = 'HAND_BACK_STOPPED'")
    assert detail == {"found": [{"subject": "S1", "place": place, "kinds": ["ADDRESS"], "of": ["S1"]}]}
    assert record.ask("SELECT count(*) FROM hand_back") == [(0,)]
    assert notices_of(record, reference)[-1] == ("outcome_stopped", "mash:team")
    assert act(threshold_decided, reference, AFTERNOON) is not None
    [why] = act(outcome.why_stopped, reference, by=DECIDER, at=AFTERNOON)
    assert said in why
    assert "arkhall" not in why
    sign(reference, verdict(items=[choice(1, "RISK_TO_PERSON")]))
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_ACK
    assert act(outcome.why_stopped, reference, by=DECIDER, at=AFTERNOON) == []


def test_a_number_that_an_agency_withholds_after_the_decision_stops_it_and_the_new_one_settles_both(record):
    """R24, R29: a return that came between the signature and the outcome"""
    reference = joined(item("Seen."))
    sign(reference, verdict(words_for_duty_team="Ring 07700 900123.", items=[choice(1)]))
    late = answer("KNOWN_OPEN", items=[withheld("The lodger is at 07700 900123.")])
    act(checks.record_return, reference, "POLICE", late, by=rep("POLICE"), at=AFTERNOON)
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_DECISION
    sign(reference, verdict(words_for_duty_team="Ring the desk."))
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_ACK
    assert act(reconsider.open_ones, reference) == []


def test_what_somebody_let_go_in_their_name_still_goes():
    """R29"""
    reference = joined(item("Seen at Larkhall Row Surgery."), subjects=[hidden_child()])
    sign(reference, verdict(items=[choice(1)], false_alarm_because="The surgery is elsewhere in the street."))
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_ACK


def test_what_is_found_beside_it_since_does_not_go():
    """R29: a reason is for what was found then"""
    reference = joined(item("Seen at Larkhall Row Surgery by the lodger, 07700 900123."), subjects=[hidden_child()])
    sign(reference, verdict(items=[choice(1)], false_alarm_because="The surgery is elsewhere in the street."))
    late = answer("KNOWN_OPEN", items=[withheld("The lodger is at 07700 900123.")])
    act(checks.record_return, reference, "MENTAL_HEALTH", late, by=rep("MENTAL_HEALTH"), at=AFTERNOON)
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert referral(reference).stage is Stage.AWAITING_DECISION
