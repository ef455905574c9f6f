"""A thief of a backup learns codes and times, and nothing about anybody (R51)."""

from __future__ import annotations

import base64
from typing import Any

from casework import checks, collation, decision, discussion, early_end, outcome, reconsider
from casework.documents import DeclineDocument, EarlyEndDocument, ReturnDocument, ViewDocument
from tests.canary import Aviary
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    JUST_OVERDUE,
    SUPPORT,
    WITHHELD,
    a_child,
    act,
    acts_of,
    all_give_back,
    an_adult,
    an_item,
    ask,
    decision_on,
    document,
    duty,
    give_back,
    join,
    no_action,
    refer,
    referral,
    rep,
    talk,
)
from tests.record import Record

CANARY = "Kanarie"


def _person(bird: Aviary, base: dict[str, Any]) -> dict[str, Any]:
    words = ("given_name", "family_name", "address", "household_role", "voice", "voice_missing_because")
    reason = "RISK_TO_CHILD" if base["side"] == "child" else "RISK_TO_ADULT_OR_OTHERS"
    consent = {"consent": "NOT_SOUGHT", "consent_reason": bird(), "consent_reason_code": reason}
    basis = {"request_reason": "GENERAL_SAFEGUARDING", "confirmed_by": bird()}
    said = {**consent, "consent_given_by": bird(), "basis": basis}
    return {**base, **{word: bird() for word in words}, **said}


def _return(bird: Aviary) -> ReturnDocument:
    return ReturnDocument.model_validate(
        {
            "result": "KNOWN_OPEN",
            "summary": bird(),
            "items": [an_item(text=bird(), source=bird()), {**an_item(text=bird()), **WITHHELD}],
            "systems_searched": [
                {"system": bird(), "searched_with": bird(), "searched_at": "2026-03-16T11:00:00+00:00"}
            ],
            "consultations": [
                {
                    **{word: bird() for word in ("who", "role", "organisation", "what_was_asked", "what_they_said")},
                    "consulted_at": "2026-03-16T12:00:00+00:00",
                }
            ],
        }
    )


def _a_life_in_which_every_field_sings(bird: Aviary) -> str:
    people = [_person(bird, a_child()), {**_person(bird, an_adult()), "open_to_worker": bird()}]
    sent = document(people)
    sent["concern"]["narrative"], sent["eligibility"]["clarification_question"] = bird(), bird()
    sent["sending_officer"] = {"name": bird(), "reply_to": f"{bird()}@duty.example"}
    sent["decision_to_refer"] |= {"by": bird(), "why_existing_information_is_not_enough": bird()}
    reference = refer(**{name: value for name, value in sent.items() if name not in ("duty_team", "sender_id")})
    ask(reference)
    act(checks.ask_clarification, reference, "POLICE", bird(), by=rep("POLICE"), at=ASKED)
    act(checks.answer_clarification, reference, "POLICE", bird(), by=SUPPORT, at=ASKED)
    give_back(reference, "COUNCIL_CHILDREN", _return(bird))
    refusal = DeclineDocument(reason="NO_ISA", note=bird())
    act(checks.decline, reference, "MENTAL_HEALTH", refusal, by=rep("MENTAL_HEALTH"), at=AFTERNOON)
    not_searched = ReturnDocument(result="NOT_SEARCHED", not_searched_because=bird())
    give_back(reference, "COMMUNITY_HEALTH_CHILDREN", not_searched)
    join(reference, JUST_OVERDUE)
    present = [{"agency": "POLICE", "name": bird(), "role": bird()}]
    act(discussion.record_discussion, reference, talk(note=bird(), present=present), by=SUPPORT, at=JUST_OVERDUE)
    view = ViewDocument(agency="POLICE", view="DISAGREE", reason=bird())
    act(discussion.record_view, reference, view, by=rep("POLICE"), at=JUST_OVERDUE)
    _decide(reference, bird)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    for verb in (outcome.read, outcome.acknowledge):
        act(verb, reference, by=duty(), at=JUST_OVERDUE)
    act(collation.read, reference, by=DECIDER, at=JUST_OVERDUE)
    give_back(reference, "POLICE", _return(bird), at=JUST_OVERDUE)
    act(reconsider.let_stand, reference, bird(), by=DECIDER, at=JUST_OVERDUE)
    return reference


def _decide(reference: str, bird: Aviary) -> None:
    action = {"what": bird(), "owner": bird(), "due_on": "2026-03-20"}
    said = no_action(rationale=bird(), words_for_duty_team=bird(), actions=[action])
    signed = decision_on(reference, said, without_discussion_because=bird())
    act(decision.decide, reference, signed, by=DECIDER, at=JUST_OVERDUE)


def _found(word: str, stolen: bytes) -> bool:
    """Whether a word is in a dump, as it is or in one of the ways in which data hides."""
    raw = word.encode()
    shapes = {raw, raw.hex().encode(), word.encode("utf-16-le"), word.encode("utf-16-le").hex().encode()}
    for offset in range(3):
        # The middle of a base64 text does not depend on what stands around it.
        encoded = base64.b64encode(b"\x00" * offset + raw)
        shapes.add(encoded[4:-4])
    return any(shape.lower() in stolen.lower() for shape in shapes)


def test_the_scanner_finds_what_is_hidden_in_each_way(record: Record):
    """§4.4: a scan that cannot find is void"""
    word = f"{CANARY}999x"
    hidden = [word, word.upper(), word.encode().hex(), base64.b64encode(f"the {word} sings".encode()).decode()]
    hidden.append(word.encode("utf-16-le").hex())
    for number, text in enumerate(hidden):
        reference = refer(sender_id=str(number), upstream_reference=text)
        assert _found(word, record.server.dump()), text
        assert referral(reference).upstream_reference == text
        with record.as_app() as connection:
            connection.execute("UPDATE referral SET upstream_reference = '-' WHERE reference = %s", [reference])
        assert not _found(word, record.server.dump())


def test_no_word_that_anybody_wrote_can_be_read_in_a_dump(record: Record):
    """INV14, R51: through pg_dump, without the key"""
    bird = Aviary()
    reference = _a_life_in_which_every_field_sings(bird)
    assert len(bird.birds) >= 50
    assert acts_of(record, reference)[-1] == "RECONSIDER_SETTLED"
    stolen = record.server.dump()
    assert reference.encode() in stolen
    assert bird.found_in(stolen) == set()
    assert [number for number in _numbers() if _found(number, stolen)] == []


def _numbers() -> list[str]:
    """Whole ones: few enough digits stand in any dump by chance, in base64 soonest."""
    numbers = [person[kind] for person in (a_child(), an_adult()) for kind in ("nhs_number", "date_of_birth")]
    assert min(map(len, numbers)) >= len("2016-05-04")
    return numbers


def test_with_the_key_every_word_is_still_there(record: Record):
    """So that the scan before has not passed because nothing was kept"""
    bird = Aviary()
    reference = _a_life_in_which_every_field_sings(bird)
    everything = str([kept.content for kept in act(collation.kept, reference)])
    kept = [word for word in bird.birds if word in everything]
    assert len(kept) >= 20
    assert referral(reference).sending_officer in bird.birds


def test_a_withdrawal_leaves_no_word_either(record: Record):
    bird = Aviary()
    reference = refer(subjects=[_person(bird, a_child())])
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    act(early_end.withdraw, reference, EarlyEndDocument(reason="DIED"), by=duty(), at=AFTERNOON)
    act(outcome.hand_back, reference, at=AFTERNOON)
    assert bird.found_in(record.server.dump()) == set()
