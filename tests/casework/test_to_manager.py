"""What a decision maker may not decide goes to a manager, who decides or sends it back (R39)."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from casework import accounts, board, decided, decision, early_end, facts, to_manager
from casework.documents import EarlyEndDocument, InductionDocument, SendBackDocument, ToManagerDocument
from casework.register import current_profile
from models.account import Account
from models.decision import ManagerRequest
from rules.errors import Conflict, NeedsManager, NotAcceptable, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    MANAGER,
    SUPPORT,
    account_of,
    act,
    acts_of,
    an_adult,
    answer,
    decide,
    decision_on,
    duty,
    give_back,
    notices_of,
    referral,
    verdict,
    walk,
)

TRANSFER = ToManagerDocument(outcome="OTHER_LA", reason="They moved across the boundary.")
NOT_YET = SendBackDocument(reason="Ask the other authority first.")
ADMIN = Actor("admin", Role.ACCOUNT_ADMIN, is_person=True)
SOMEONE = Actor("someone", Role.DECISION_MAKER, mash_profile=True, is_person=True)


@pytest.fixture
def wanted(record) -> str:
    return walk(Stage.AWAITING_DECISION)


def send(reference: str, document: ToManagerDocument = TRANSFER, by: Actor = DECIDER) -> None:
    act(to_manager.send, reference, document, by=by, at=AFTERNOON)


def send_back(reference: str, by: Actor = MANAGER) -> None:
    act(to_manager.send_back, reference, NOT_YET, by=by, at=AFTERNOON)


def last_sent(reference: str) -> to_manager.Sent:
    found = act(to_manager.read, reference, by=SUPPORT, at=AFTERNOON)
    assert found is not None
    return found


def waiting() -> list[str]:
    return [task.reference for task in act(to_manager.waiting, by=MANAGER).referrals]


def test_the_shipped_profile_keeps_an_outcome_of_each_side_for_a_manager():
    """R39: and the statutory duties wait for nobody"""
    matrix = current_profile().authority.outcomes
    sides = {side for outcome in current_profile().outcomes if outcome.code in matrix for side in outcome.sides}
    assert len(sides) == 2
    assert not {"C_STRATEGY", "A_S42"} & set(matrix)


def test_an_outcome_that_needs_a_manager_is_refused_to_a_decision_maker_whatever_else_is_wrong(record, wanted):
    """R39"""
    document = decision_on(wanted, verdict(outcome="OTHER_LA", level_of_need="L9"))
    with pytest.raises(NeedsManager) as needed:
        act(decision.decide, wanted, document, by=DECIDER, at=AFTERNOON)
    assert needed.value.outcomes == ("OTHER_LA",)
    assert "DECIDED" not in acts_of(record, wanted)


def test_a_manager_decides_what_was_sent_and_the_ledger_says_by_whose_authority(record, wanted):
    """R39"""
    send(wanted)
    assert waiting() == [wanted]
    assert ("manager_wanted", "mash:alarm") in notices_of(record, wanted)
    decide(wanted, verdict(outcome="OTHER_LA"), by=MANAGER)
    assert waiting() == []
    assert last_sent(wanted).conclusion == "DECIDED"
    [one] = act(decided.read, wanted, by=SUPPORT, at=AFTERNOON)
    assert (one.outcome, one.grade) == ("OTHER_LA", "MANAGER")
    told = record.ask("SELECT act, actor, detail FROM ledger WHERE reference = %s ORDER BY number", wanted)
    [sent] = [(actor, detail) for said, actor, detail in told if said == "SENT_TO_MANAGER"]
    assert sent == ("decider", {"outcome": "OTHER_LA"})
    [signed] = [(actor, detail["grade"]) for said, actor, detail in told if said == "DECIDED"]
    assert signed == ("manager", "MANAGER")


def test_a_manager_sends_it_back_with_a_reason_and_it_can_be_sent_again(record, wanted):
    """R39"""
    send(wanted)
    send_back(wanted)
    assert waiting() == []
    found = last_sent(wanted)
    assert (found.conclusion, found.answer) == ("SENT_BACK", NOT_YET.reason)
    assert ("manager_sent_back", "mash:team") in notices_of(record, wanted)
    send(wanted)
    assert notices_of(record, wanted).count(("manager_wanted", "mash:alarm")) == 2
    assert acts_of(record, wanted)[-3:] == ["SENT_TO_MANAGER", "SENT_BACK_BY_MANAGER", "SENT_TO_MANAGER"]


def test_what_is_sent_holds_up_nobody_who_may_decide_otherwise(record, wanted):
    """R39, R36: it is the manager's move, and a statutory outcome does not wait for them"""
    send(wanted)
    [row] = [row for row in act(board.rows, by=SUPPORT) if row.reference == wanted]
    assert row.with_manager
    found = act(facts.threshold_decided, wanted, AFTERNOON)
    assert found is not None
    assert found.why.startswith("A manager")
    decide(wanted, verdict(outcome="C_STRATEGY"), by=DECIDER)
    assert referral(wanted).stage is Stage.HANDING_BACK
    assert waiting() == []


@pytest.mark.parametrize("by", [DECIDER, SUPPORT, duty()])
def test_only_a_manager_sends_back(wanted, by):
    """R39"""
    send(wanted)
    with pytest.raises(NotPermitted):
        send_back(wanted, by=by)
    assert waiting() == [wanted]


@pytest.mark.parametrize("by", [SUPPORT, duty()])
def test_only_who_decides_sends_to_a_manager(wanted, by):
    """R17, R39"""
    with pytest.raises(NotPermitted):
        send(wanted, by=by)


@pytest.mark.parametrize(
    ("outcome", "by"), [("C_STRATEGY", DECIDER), ("A_OTHER_ENQUIRY", DECIDER), ("NONE", DECIDER), ("OTHER_LA", MANAGER)]
)
def test_what_one_may_decide_oneself_or_is_no_outcome_for_these_people_is_not_sent(wanted, outcome, by):
    """R39: a child's referral has no adult's outcome"""
    with pytest.raises(NotAcceptable) as refused:
        send(wanted, ToManagerDocument(outcome=outcome, reason="So."), by=by)
    assert [field.pointer for field in refused.value.fields] == ["/outcome"]


def test_an_adults_other_enquiry_is_a_managers(record):
    """R39"""
    adult = walk(Stage.AWAITING_DECISION, subjects=[an_adult()], team="ADULT_ASIST")
    send(adult, ToManagerDocument(outcome="A_OTHER_ENQUIRY", reason="Beyond the statutory one."))
    assert waiting() == [adult]


@pytest.mark.parametrize("stage", [Stage.CHECKING, Stage.HANDING_BACK, Stage.AWAITING_ACK, Stage.CLOSED])
def test_only_what_waits_for_a_decision_is_sent(record, stage):
    """R39"""
    reference = walk(stage)
    with pytest.raises(WrongStage):
        send(reference)


def test_a_changed_mind_after_the_decision_can_need_a_manager_too(record):
    """R24, R39"""
    reference = walk(Stage.AWAITING_ACK)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"))
    send(reference)
    decide(reference, verdict(outcome="OTHER_LA"), by=MANAGER)
    assert last_sent(reference).conclusion == "DECIDED"


def test_it_is_with_one_manager_at_a_time(wanted):
    """R39"""
    with pytest.raises(WrongStage):
        send_back(wanted)
    send(wanted)
    with pytest.raises(WrongStage):
        send(wanted)


def test_a_referral_that_ends_early_waits_for_no_manager(wanted):
    """R06, R39"""
    send(wanted)
    act(early_end.withdraw, wanted, EarlyEndDocument(reason="OTHER"), by=duty(), at=AFTERNOON)
    assert waiting() == []
    assert last_sent(wanted).conclusion == "ENDED"


@pytest.fixture
def a_decider(record) -> str:
    act(lambda session: session.add_all(account_of(each, AFTERNOON) for each in (ADMIN, SOMEONE)))
    return SOMEONE.id


def has_authority(account_id: str) -> bool:
    return act(lambda session: session.get(Account, account_id).as_actor().manager_authority)


def test_an_administrator_gives_the_authority_and_takes_it_away_and_both_are_kept(a_decider):
    """R39, R20b: with the profile it goes, and with the account"""
    by = {"by": ADMIN, "at": AFTERNOON}
    act(accounts.grant_manager_authority, a_decider, **by)
    assert has_authority(a_decider)
    act(accounts.withdraw_manager_authority, a_decider, **by)
    assert not has_authority(a_decider)
    kept = [event.act for event in act(accounts.events, a_decider)]
    assert kept == ["MANAGER_AUTHORITY_WITHDRAWN", "MANAGER_AUTHORITY_GRANTED"]
    act(accounts.grant_manager_authority, a_decider, **by)
    act(accounts.withdraw_mash_profile, a_decider, **by)
    with pytest.raises(Conflict):
        act(accounts.grant_manager_authority, a_decider, **by)
    act(accounts.grant_mash_profile, a_decider, InductionDocument(inducted_at=AFTERNOON), **by)
    assert not has_authority(a_decider)
    act(accounts.grant_manager_authority, a_decider, **by)
    act(accounts.disable, a_decider, **by)
    assert not has_authority(a_decider)


@pytest.mark.parametrize(
    ("account_id", "by", "refusal"),
    [("someone", MANAGER, NotPermitted), ("admin", ADMIN, NotPermitted), ("support", ADMIN, Conflict)],
)
def test_nobody_gives_the_authority_to_themselves_or_to_who_may_not_decide(a_decider, account_id, by, refusal):
    """R39, S-9"""
    with pytest.raises(refusal):
        act(accounts.grant_manager_authority, account_id, by=by, at=AFTERNOON)


def test_the_reason_is_sealed(record, wanted):
    """R51"""
    send(wanted)
    [(raw,)] = record.ask("SELECT reason FROM manager_request WHERE reference = %s", wanted)
    assert b"boundary" not in bytes(raw)
    assert act(_reason) == TRANSFER.reason


def _reason(session: Session) -> str:
    return session.exec(select(ManagerRequest)).one().reason
