"""A restricted referral is known to named people alone; whoever is too near to one has it no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from casework import (
    agreements,
    board,
    follow,
    hidden,
    intake,
    interests,
    queues,
    referrals,
    restriction,
    signin,
)
from casework.db import unit_of_work
from casework.ledger import entries, first_broken
from casework.notices import MASH_ALARM, MASH_TEAM, deliver_due, say, to_agency, to_duty_team
from casework.register import current_profile
from casework.restriction_documents import (
    InterestDocument,
    NamedDocument,
    RemovedDocument,
    RestrictionDocument,
    WhyDocument,
)
from engine.timekeeper import keep_clock
from engine.trial import trial_agreement
from models.account import Account
from models.check import AgencyCheck
from models.referral import Referral, Subject
from notifications.messages import MessageName
from rules.errors import Misconfigured, NotAcceptable, NotFound, NotPermitted, WrongStage
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    ADMINISTRATOR,
    ASKED,
    DECIDER,
    DUE,
    DUTY,
    FOR_A_CHILD,
    OTHER_DECIDER,
    SUPPORT,
    account_of,
    act,
    acts_of,
    check,
    document,
    duty,
    refer,
    referral,
    rep,
    walk,
)
from tests.casework.test_overrides import only
from tests.notifications.post import Postman

OFFICER = Actor("officer", Role.DUTY_TEAM, duty_team=DUTY, is_person=True)
COLLEAGUE = Actor("colleague", Role.DUTY_TEAM, duty_team=DUTY, is_person=True)
SECOND_REP = Actor("rep-POLICE-2", Role.AGENCY, agency="POLICE", is_person=True)
MANAGER = replace(SECOND_REP, id="rep-POLICE-manager", manages_colleagues=True)
WHY = WhyDocument(reason="It is still so.")
A_RELATIVE = InterestDocument(ground="RELATIVE")
#: Real time, by which mail lives.
T0 = ASKED + timedelta(hours=2)


def restricted(*named: str, **more: Any) -> RestrictionDocument:
    fields = {"ground": "STAFF_CONFLICT", "reason": "A colleague's son.", "named": [OFFICER.id, *named]}
    return RestrictionDocument.model_validate(fields | more)


def as_(actor: Actor, verb: Any, *arguments: Any, **more: Any) -> Any:
    """One look or verb, in a transaction that reads as this actor, as the portal's do."""
    with unit_of_work() as session:
        hidden.read_as(session, actor)
        return verb(session, *arguments, by=actor, **more)


def address(account_id: str) -> str:
    return f"{account_id.lower()}@example.org"


@pytest.fixture(autouse=True)
def more_people(people: Any) -> None:
    """Two officers of one duty team, and three representatives of one agency; everybody has a mailbox."""
    with unit_of_work() as session:
        for actor in (OFFICER, COLLEAGUE, SECOND_REP):
            session.add(account_of(actor, ASKED))
        manager = account_of(MANAGER, ASKED)
        manager.manages_colleagues = True
        session.add(manager)
        session.flush()
        for account in session.exec(select(Account).where(Account.is_person)):
            account.email, account.email_digest = address(account.id), signin.email_digest(address(account.id))


@pytest.fixture
def reference() -> str:
    """A restricted referral whose agencies were asked; one decision maker and one officer are named."""
    made = walk(Stage.CHECKING)
    as_(DECIDER, restriction.restrict, made, restricted(), at=ASKED)
    return made


def told(postman: Postman, at: datetime = T0) -> set[str]:
    """Who has a letter, once all are delivered."""
    while deliver_due(at):
        pass
    return {to for envelope in postman.envelopes for to in envelope.rcpt_tos}


# --- hidden ---


@pytest.mark.parametrize("who", [OTHER_DECIDER, SUPPORT, COLLEAGUE, duty()], ids=lambda who: who.id)
def test_whoever_is_not_named_finds_no_such_referral(reference: str, who: Actor):
    """S-5"""
    with pytest.raises(NotFound):
        as_(who, follow.see, reference, at=ASKED)
    everything = as_(who, follow.see_all, stages=[], after=None, limit=50, at=ASKED)
    assert everything.referrals == []


@pytest.mark.parametrize("who", [DECIDER, OFFICER], ids=lambda who: who.id)
def test_whoever_is_named_sees_it_as_before(reference: str, who: Actor):
    """S-5"""
    assert as_(who, follow.see, reference, at=ASKED).reference == reference
    assert [row.reference for row in as_(who, restriction.mine, at=ASKED)] == [reference]


def test_an_agreement_lets_it_go_on_although_the_administrator_may_not_know_of_it():
    """S-5, R55: held for want of any agreement"""
    only(ended=FOR_A_CHILD)
    held = refer()
    act(intake.screen, held, at=ASKED)
    as_(DECIDER, restriction.restrict, held, restricted(), at=ASKED)
    with pytest.raises(NotFound):
        as_(ADMINISTRATOR, follow.see, held, at=ASKED)
    profile = current_profile()
    as_(ADMINISTRATOR, agreements.add, trial_agreement(profile), profile, at=ASKED)
    while act(keep_clock, ASKED):
        pass
    assert referral(held).stage is Stage.CHECKING


def test_no_board_shows_it_to_anybody(reference: str):
    """S-5, R53: who is named may not be alone in the room"""
    shown = walk(Stage.CHECKING, sender_id="another")
    for who in (DECIDER, OTHER_DECIDER):
        assert [row.reference for row in as_(who, board.rows)] == [shown]


def test_a_representative_has_the_check_once_they_are_named(reference: str):
    """S-5"""
    police = rep("POLICE")
    assert as_(police, queues.count_open) == 0
    with pytest.raises(NotFound):
        as_(police, queues.read_check, reference, at=ASKED)
    as_(DECIDER, restriction.name, reference, NamedDocument(who=address(police.id)), at=ASKED)
    assert [task.reference for task in as_(police, queues.tasks_of).checks] == [reference]
    assert as_(SECOND_REP, queues.count_open) == 0
    assert as_(DECIDER, restriction.read, reference, at=ASKED).unheard == sorted(set(FOR_A_CHILD) - {"POLICE"})
    as_(DECIDER, restriction.remove, reference, RemovedDocument(person=police.id), at=ASKED)
    assert as_(police, queues.count_open) == 0


def test_the_hub_itself_goes_on(reference: str):
    """The engine's steps are nobody's reading"""
    assert act(follow.see, reference, by=DECIDER, at=ASKED).checks
    assert len(act(referrals.checks, reference)) == len(FOR_A_CHILD)


A_REFERENCE = sa.select(col(Referral.reference))
#: A referral is spoken of in every place that a statement has.
SPOKEN_OF = {
    "one table": A_REFERENCE,
    "under another name": sa.select(aliased(Referral).reference),
    "a join": sa.select(Account.id).join(AgencyCheck, sa.true()),
    "an outer join, counted": sa.select(sa.func.count(Subject.id))
    .select_from(sa.outerjoin(Account, Subject, sa.true()))
    .having(sa.func.count(Subject.id) > 0),
    "a subquery": sa.select(sa.select(Subject.reference).subquery()),
    "a subquery of two": sa.select(sa.union_all(A_REFERENCE, sa.select(AgencyCheck.reference)).subquery()),
    "two": sa.union_all(A_REFERENCE, sa.select(AgencyCheck.reference)),
    "a common table": sa.select(A_REFERENCE.cte()),
    "beside": sa.select(Account.id).join(sa.select(Subject.reference).lateral(), sa.true()),
    "whether there is": sa.select(Account.id).where(sa.exists().where(col(Subject.number) > 0)),
    "one of": sa.select(Account.id).where(sa.literal("POLICE").in_(sa.select(AgencyCheck.agency))),
    "a value": sa.select(Account.id).where(A_REFERENCE.scalar_subquery().is_not(None)),
    "in its order": sa.select(Account.id).order_by(A_REFERENCE.scalar_subquery()).where(sa.exists(A_REFERENCE)),
    "a change": sa.update(AgencyCheck).values(place=0).returning(col(AgencyCheck.reference)),
}


@pytest.mark.parametrize("statement", SPOKEN_OF.values(), ids=list(SPOKEN_OF))
def test_it_is_left_out_wherever_a_statement_speaks_of_it(reference: str, statement: sa.Executable):
    """S-5"""

    def read(session: Session, *, by: Actor) -> int:
        return len(session.execute(statement).all())

    assert (as_(OTHER_DECIDER, read), as_(DECIDER, read) > 0) == (0, True)


def test_nothing_is_read_as_somebody_by_a_statement_in_text(reference: str):
    """A query that cannot leave out is none"""

    def in_text(session: Session, *, by: Actor) -> None:
        session.execute(sa.text("SELECT reference FROM referral"))

    with pytest.raises(Misconfigured):
        as_(OTHER_DECIDER, in_text)


# --- by whom, and until when ---


@pytest.mark.parametrize("who", [SUPPORT, OFFICER, rep("POLICE")], ids=lambda who: who.id)
def test_only_a_decision_maker_restricts_what_is_under_way(who: Actor):
    made = walk(Stage.CHECKING)
    with pytest.raises(NotPermitted):
        as_(who, restriction.restrict, made, restricted(DECIDER.id), at=ASKED)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"ground": "BECAUSE"}, "/ground"),
        ({"named": []}, "/named"),
        ({"named": ["officer", "nobody@example.org"]}, "/named"),
        ({"named": ["officer", "operator"]}, "/named"),
        ({"named": [duty().id]}, "/named"),
    ],
)
def test_what_nobody_could_end_is_not_restricted(record: Any, changed: dict[str, Any], pointer: str):
    """Somebody named decides, and somebody of the duty team takes the outcome"""
    made = walk(Stage.CHECKING)
    with pytest.raises(NotAcceptable) as refused:
        as_(DECIDER, restriction.restrict, made, restricted(**changed), at=ASKED)
    assert [field.pointer for field in refused.value.fields] == [pointer]
    assert "RESTRICTED" not in acts_of(record, made)


def test_it_is_restricted_once(reference: str):
    with pytest.raises(WrongStage):
        as_(DECIDER, restriction.restrict, reference, restricted(), at=ASKED)


def test_the_last_decision_maker_and_the_last_officer_stay(reference: str):
    for account in (DECIDER.id, OFFICER.id):
        with pytest.raises(NotAcceptable):
            as_(OFFICER, restriction.remove, reference, RemovedDocument(person=account), at=ASKED)


def test_a_representative_who_is_named_changes_nothing(reference: str):
    police = rep("POLICE")
    as_(DECIDER, restriction.name, reference, NamedDocument(who=police.id), at=ASKED)
    for verb, said in ((restriction.name, NamedDocument(who="support")), (restriction.lift, WHY)):
        with pytest.raises(NotPermitted):
            as_(police, verb, reference, said, at=ASKED)


def test_a_review_is_overdue_after_ninety_days_and_puts_the_next_one_off(record: Any, reference: str):
    """Reliability §1: 90 days"""
    late = ASKED + timedelta(days=90, seconds=1)
    assert not as_(OFFICER, restriction.mine, at=ASKED + timedelta(days=90))[0].overdue
    assert as_(OFFICER, restriction.mine, at=late)[0].overdue
    as_(DECIDER, restriction.review, reference, WHY, at=late)
    [row] = as_(OFFICER, restriction.mine, at=late)
    assert (row.overdue, row.review_due_at) == (False, late + timedelta(days=90))


def test_once_it_is_lifted_everybody_sees_it_and_the_ledger_tells_all(record: Any, reference: str):
    as_(OFFICER, restriction.lift, reference, WhyDocument(reason="He has left."), at=ASKED)
    assert as_(OTHER_DECIDER, follow.see, reference, at=ASKED).reference == reference
    assert as_(OFFICER, restriction.mine, at=ASKED) == []
    assert acts_of(record, reference)[-2:] == ["RESTRICTED", "RESTRICTION_LIFTED"]
    assert first_broken(act(entries, reference)) is None
    as_(OTHER_DECIDER, restriction.restrict, reference, restricted(), at=ASKED)


# --- at intake ---


def test_a_duty_officer_restricts_as_they_refer(record: Any):
    """S-5: and sending it again finds it again, while nobody else runs into it"""
    sent = document(restriction=restricted(DECIDER.id).model_dump())
    made = as_(OFFICER, intake.receive, sent, at=ASKED)
    assert as_(OFFICER, intake.receive, sent, at=ASKED).reference == made.reference
    with pytest.raises(NotFound):
        as_(COLLEAGUE, follow.see, made.reference, at=ASKED)
    other = as_(COLLEAGUE, intake.receive, document(), at=ASKED)
    assert other.created
    assert other.reference != made.reference
    assert acts_of(record, made.reference)[-1] == "RESTRICTED"
    [(said,)] = record.ask("SELECT detail FROM ledger WHERE act = 'RESTRICTED'")
    assert said == {"ground": "STAFF_CONFLICT", "named": [OFFICER.id, DECIDER.id]}


def test_a_system_that_restricts_names_a_person_of_its_team(record: Any):
    sent = document(restriction=restricted(named=[DECIDER.id]).model_dump())
    with pytest.raises(NotAcceptable) as refused:
        as_(duty(), intake.receive, sent, at=ASKED)
    assert [field.pointer for field in refused.value.fields] == ["/restriction/named"]


def test_what_was_sent_before_it_was_restricted_is_the_same_referral_to_its_sender_alone(reference: str):
    """S-5, INV2: the sender's id of a hidden referral is nobody else's to run into"""
    again = as_(duty(), intake.receive, document(), at=ASKED)
    assert (again.reference, again.stage, again.created) == (reference, Stage.RECEIVED, False)
    as_(DECIDER, restriction.lift, reference, WHY, at=ASKED)
    as_(DECIDER, restriction.restrict, reference, restricted(), at=ASKED)
    assert as_(duty(), intake.receive, document(), at=ASKED).reference == reference
    assert as_(COLLEAGUE, intake.receive, document(), at=ASKED).reference != reference


# --- letters ---


def test_letters_reach_named_people_alone_and_no_shared_mailbox(record: Any, postman: Postman):
    """S-5: also those that were written before, and 0 to anybody else"""
    made = walk(Stage.CHECKING)
    as_(DECIDER, restriction.restrict, made, restricted(rep("POLICE").id), at=ASKED)
    for to in (MASH_TEAM, MASH_ALARM, to_agency("POLICE"), to_duty_team(DUTY), f"heads:{DUTY}"):
        act(say, MessageName.CHECK_CHASED, to, at=ASKED, reference=made)
    assert told(postman) == {address(who.id) for who in (DECIDER, OFFICER, rep("POLICE"))}
    assert {letter["Subject"].split(":")[0].removeprefix("[MASH] ") for letter in postman.letters} == {made}


def test_a_letter_for_an_agency_of_which_nobody_is_named_goes_to_whoever_can_name(postman: Postman, reference: str):
    act(say, MessageName.CHECK_CHASED, to_agency("MENTAL_HEALTH"), at=ASKED, reference=reference)
    assert told(postman) == {address(DECIDER.id), address(OFFICER.id)}
    assert any("reaches nobody" in letter["Subject"] for letter in postman.letters)


def test_whoever_is_removed_before_the_letter_leaves_has_none(postman: Postman, reference: str):
    """INV8: recipients are those at the time of sending"""
    as_(DECIDER, restriction.name, reference, NamedDocument(who=SUPPORT.id), at=ASKED)
    as_(DECIDER, restriction.remove, reference, RemovedDocument(person=SUPPORT.id), at=ASKED)
    assert address(SUPPORT.id) not in told(postman)


def test_a_letter_that_a_named_person_cannot_have_is_told_to_another(record: Any, postman: Postman, reference: str):
    """R42: never silently not said"""
    act(say, MessageName.OUTCOME_READY, to_duty_team(DUTY), at=ASKED, reference=reference)
    with unit_of_work() as session:
        officer = session.get(Account, OFFICER.id)
        assert officer is not None
        officer.email = officer.email_digest = None
    assert told(postman) == {address(DECIDER.id)}
    assert any(
        "not be delivered" in letter["Subject"]
        or "undelivered" in letter["Subject"].lower()
        or "told" in letter["Subject"]
        for letter in postman.letters
    )


# --- too near ---


def test_whoever_declares_an_interest_has_the_check_no_more_and_the_deputy_is_told(record: Any, postman: Postman):
    """S-6: at once; the due time stands; and the shared mailbox that they read is passed by"""
    made = walk(Stage.CHECKING)
    told(postman)
    postman.envelopes.clear()
    police = rep("POLICE")
    as_(police, interests.declare, made, A_RELATIVE, at=ASKED)
    with pytest.raises(NotFound):
        as_(police, queues.read_check, made, at=ASKED)
    assert as_(police, queues.count_open) == 0
    assert as_(SECOND_REP, queues.read_check, made, at=ASKED).due_at == check(made, "POLICE").due_at == DUE
    assert told(postman) == {address(MANAGER.id)}
    act(say, MessageName.CHECK_DUE_SOON, to_agency("POLICE"), at=ASKED, reference=made)
    act(say, MessageName.CHECK_DUE_SOON, to_agency("MENTAL_HEALTH"), at=ASKED, reference=made)
    written = told(postman)
    assert written - {address(MANAGER.id)} == told_usually("MENTAL_HEALTH")
    assert "INTEREST_DECLARED" in acts_of(record, made)
    assert first_broken(act(entries, made)) is None


def told_usually(agency: str) -> set[str]:
    from casework.register import current_profile

    return {current_profile().agency(agency).notify.primary}


def test_the_last_of_an_agency_steps_back_and_the_team_is_told(postman: Postman):
    """S-6"""
    made = walk(Stage.CHECKING)
    told(postman)
    postman.envelopes.clear()
    as_(rep("MENTAL_HEALTH"), interests.declare, made, A_RELATIVE, at=ASKED)
    assert told(postman) == {address(who) for who in (DECIDER.id, OTHER_DECIDER.id, SUPPORT.id, "manager")}


def test_whoever_of_the_team_steps_back_is_passed_by_too(postman: Postman):
    """S-6, and INV8"""
    made = walk(Stage.CHECKING)
    told(postman)
    postman.envelopes.clear()
    as_(OTHER_DECIDER, interests.declare, made, A_RELATIVE, at=ASKED)
    with pytest.raises(NotFound):
        as_(OTHER_DECIDER, follow.see, made, at=ASKED)
    assert [row.reference for row in as_(OTHER_DECIDER, board.rows)] == []
    assert [row.reference for row in as_(DECIDER, board.rows)] == [made]
    act(say, MessageName.DECISION_WANTED, MASH_TEAM, at=ASKED, reference=made)
    assert told(postman) == {address(who) for who in (DECIDER.id, SUPPORT.id, "manager")}


def test_whoever_is_named_and_too_near_is_out_too(reference: str):
    """S-6: a restriction lets nobody in who stepped back"""
    as_(DECIDER, restriction.name, reference, NamedDocument(who=SUPPORT.id), at=ASKED)
    as_(SUPPORT, interests.declare, reference, A_RELATIVE, at=ASKED)
    with pytest.raises(NotFound):
        as_(SUPPORT, restriction.read, reference, at=ASKED)
    assert as_(SUPPORT, restriction.mine, at=ASKED) == []


@pytest.mark.parametrize("who", [rep("RUH"), OFFICER], ids=lambda who: who.id)
def test_nobody_steps_back_from_what_is_not_theirs(who: Actor):
    made = walk(Stage.CHECKING)
    with pytest.raises((NotFound, NotPermitted)):
        as_(who, interests.declare, made, A_RELATIVE, at=ASKED)
