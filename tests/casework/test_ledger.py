"""The formal record: whole, dense, and true about itself; no change without its entry, no entry without its change."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from casework import (
    checks,
    clock,
    collation,
    decision,
    discussion,
    due_times,
    early_end,
    follow_up,
    intake,
    outcome,
    queues,
    reconsider,
    secondary,
    to_manager,
)
from casework.db import database
from casework.documents import (
    AcknowledgeDocument,
    DeclineDocument,
    EarlyEndDocument,
    ExtendDocument,
    PauseDocument,
    ResolutionDocument,
    SecondaryDocument,
    SendBackDocument,
    ToManagerDocument,
    ViewDocument,
)
from casework.ledger import Act, entries, first_broken
from models.ledger import LedgerEntry
from rules.stages import Stage
from tests.casework.factory import (
    AFTERNOON,
    ASKED,
    DECIDER,
    DUE,
    JUST_OVERDUE,
    MANAGER,
    SUPPORT,
    act,
    acts_of,
    all_give_back,
    answer,
    ask,
    decide,
    decision_on,
    document,
    duty,
    give_back,
    join,
    london,
    no_action,
    refer,
    referral,
    rep,
    talk,
    walk,
)
from tests.record import Record
from tests.rules.london import LONDON

MS = timedelta(milliseconds=1)


def _whole_life(**sent: Any) -> str:
    """A referral with a late return and a second decision: most acts there are."""
    reference = refer(**sent)
    ask(reference)
    act(checks.ask_clarification, reference, "POLICE", "Which year?", by=rep("POLICE"), at=ASKED)
    act(checks.answer_clarification, reference, "POLICE", "This.", by=SUPPORT, at=ASKED)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, no_action(), at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    act(outcome.acknowledge, reference, by=duty(), at=JUST_OVERDUE)
    act(outcome.close, reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", answer("KNOWN_OPEN"), at=JUST_OVERDUE + MS)
    decide(reference, at=JUST_OVERDUE + MS)
    return reference


def test_a_whole_life_is_one_dense_unbroken_chain():
    """INV11, R28"""
    reference = _whole_life()
    chain = act(entries, reference)
    assert len(chain) > 20
    assert [entry.number for entry in chain] == list(range(1, len(chain) + 1))
    assert first_broken(chain) is None
    assert [entry.at for entry in chain] == sorted(entry.at for entry in chain)


def test_an_entry_holds_codes_and_never_content(record: Record):
    """R51"""
    _whole_life(subjects=[{**document()["subjects"][0], "given_name": "Canary", "voice": "Canary"}])
    [(everything,)] = record.ask("SELECT string_agg(detail::text, '') FROM ledger")
    for content in ("Canary", "Ashdown", "Which year", "neighbour", "pattern", "Records", "officer"):
        assert content not in everything


# --- tampering ---

FORGERIES: dict[str, Callable[[random.Random, LedgerEntry], Any]] = {
    "at": lambda chance, entry: entry.at + timedelta(microseconds=chance.choice([-1, 1, 3_600_000_000])),
    "actor": lambda chance, entry: chance.choice([entry.actor + " ", "somebody", entry.actor.upper() + "."]),
    "act": lambda chance, entry: chance.choice([other for other in Act if other != entry.act]),
    "number": lambda chance, entry: entry.number + chance.choice([1000, -1000]),
    "detail": lambda chance, entry: chance.choice([{**entry.detail, "x": 1}, {**entry.detail, "agency": "CAMHS"}, []]),
    "commitment": lambda chance, entry: _other_digit(chance, entry.commitment or "0" * 64),
    "previous": lambda chance, entry: _other_digit(chance, entry.previous),
    "digest": lambda chance, entry: _other_digit(chance, entry.digest),
    "reference": lambda chance, entry: None,  # to the other referral
    "gone": lambda chance, entry: None,
    "swapped": lambda chance, entry: None,
}


def _other_digit(chance: random.Random, digest: str) -> str:
    place = chance.randrange(64)
    return digest[:place] + chance.choice([c for c in "0123456789abcdef" if c != digest[place]]) + digest[place + 1 :]


def _forge(session: Session, chance: random.Random, kind: str, victim: LedgerEntry, other: str) -> None:
    """Change one thing in the table."""
    match kind:
        case "gone":
            _run(session, "DELETE FROM ledger WHERE id = :id", victim)
        case "reference":
            _run(session, "UPDATE ledger SET reference = :new, number = number + 5000 WHERE id = :id", victim, other)
        case "swapped":
            swap = "UPDATE ledger SET number = CASE number WHEN :new THEN :new + 1 ELSE :new END"
            _run(session, "ALTER TABLE ledger DROP CONSTRAINT ledger_number_once", victim)
            here = " WHERE reference = (SELECT reference FROM ledger WHERE id = :id) AND number IN (:new, :new + 1)"
            _run(session, swap + here, victim, victim.number)
        case "detail":
            forged = json.dumps(FORGERIES[kind](chance, victim))
            _run(session, "UPDATE ledger SET detail = cast(:new AS jsonb) WHERE id = :id", victim, forged)
        case _:
            _run(session, f"UPDATE ledger SET {kind} = :new WHERE id = :id", victim, FORGERIES[kind](chance, victim))


def _run(session: Session, statement: str, victim: LedgerEntry, new: Any = None) -> None:
    values = {name: value for name, value in (("id", victim.id), ("new", new)) if f":{name}" in statement}
    session.execute(sa.text(statement), values)


def test_two_hundred_single_forgeries_are_all_found(record: Record):
    """S-22, INV11: by an owner who has switched the guard off; the first bad number is the one that was changed"""
    seed = 20260316
    chance = random.Random(seed)
    reference, other = _whole_life(), _whole_life(sender_id="two")
    owner = sa.create_engine(record.server.url("mash_owner"))
    missed = []
    for trial in range(200):
        kind = list(FORGERIES)[trial % len(FORGERIES)]
        with Session(owner) as session:
            session.execute(sa.text("ALTER TABLE ledger DISABLE TRIGGER USER"))
            session.execute(sa.text("ALTER TABLE ledger_content DROP CONSTRAINT ledger_content_has_its_entry"))
            victim = chance.choice(entries(session, reference)[:-1])
            session.expunge_all()
            _forge(session, chance, kind, victim, other)
            found = first_broken(entries(session, reference))
            if found is None or (found != victim.number and kind != "number"):
                missed.append((seed, trial, kind, victim.number, found))
            session.rollback()
    owner.dispose()
    assert missed == []
    assert first_broken(act(entries, reference)) is None


def test_a_chain_is_whole_in_whatever_zone_its_moments_are_read():
    """The digest is over the moment, not over how a connection shows it"""
    chain = act(entries, walk(Stage.CHECKING))
    for entry in chain:
        entry.at = entry.at.astimezone(LONDON)
    assert first_broken(chain) is None


# --- no change without its entry ---


def _closed_with_a_late_return() -> str:
    reference = refer()
    ask(reference)
    all_give_back(reference, but=["POLICE"])
    join(reference, JUST_OVERDUE)
    decide(reference, at=JUST_OVERDUE)
    act(outcome.hand_back, reference, at=JUST_OVERDUE)
    give_back(reference, "POLICE", at=JUST_OVERDUE)
    return reference


def _accepted() -> str:
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    return reference


def _with_a_question() -> str:
    reference = walk(Stage.CHECKING)
    act(checks.ask_clarification, reference, "POLICE", "Which year?", by=rep("POLICE"), at=ASKED)
    return reference


def _with_all_returns() -> str:
    reference = walk(Stage.CHECKING)
    all_give_back(reference)
    return reference


def _joined() -> str:
    reference = _with_all_returns()
    act(collation.collate, reference, at=AFTERNOON)
    return reference


def _disagreed() -> str:
    reference = walk(Stage.CHECKING)
    view = ViewDocument(agency="POLICE", view="DISAGREE", reason="So.")
    act(discussion.record_view, reference, view, by=SUPPORT, at=ASKED)
    return reference


def _with_a_manager() -> str:
    reference = walk(Stage.AWAITING_DECISION)
    document = ToManagerDocument(outcome="OTHER_LA", reason="So.")
    act(to_manager.send, reference, document, by=DECIDER, at=AFTERNOON)
    return reference


def _returned() -> str:
    reference = walk(Stage.CHECKING)
    give_back(reference, "POLICE")
    return reference


def _followed_up() -> str:
    reference = _returned()
    act(follow_up.ask, reference, "POLICE", "Who?", by=SUPPORT, at=AFTERNOON)
    return reference


def _paused() -> str:
    reference = walk(Stage.CHECKING)
    act(due_times.pause, reference, "POLICE", PauseDocument(reason="SYSTEM_DOWN"), by=SUPPORT, at=ASKED)
    return reference


def _acknowledged() -> str:
    reference = walk(Stage.AWAITING_ACK)
    act(outcome.acknowledge, reference, by=duty(), at=AFTERNOON)
    return reference


def _at(stage: Stage) -> Callable[[], str]:
    return lambda: walk(stage)


NOW = {"at": AFTERNOON}
LATER = london("Thu 19 Mar 2026 12:00")
AGREES = ViewDocument(agency="POLICE", view="AGREE")
POLICE = {"by": rep("POLICE"), "at": AFTERNOON}
VERBS: dict[str, tuple[Callable[[], str], Callable[[Session, str], Any], list[str]]] = {
    "screen": (_at(Stage.RECEIVED), lambda s, r: intake.screen(s, r, **NOW), ["ASKING_PLANNED", "ACCEPTED"]),
    "request_check": (
        _accepted,
        lambda s, r: checks.request_check(s, r, "POLICE", **NOW),
        ["CHECK_REQUESTED"],
    ),
    "acknowledge a check": (
        _at(Stage.CHECKING),
        lambda s, r: checks.acknowledge(s, r, "POLICE", AcknowledgeDocument(), **POLICE),
        ["CHECK_ACKNOWLEDGED"],
    ),
    "ask_clarification": (
        _at(Stage.CHECKING),
        lambda s, r: checks.ask_clarification(s, r, "POLICE", "What?", **POLICE),
        ["CLARIFICATION_ASKED"],
    ),
    "answer_clarification": (
        _with_a_question,
        lambda s, r: checks.answer_clarification(s, r, "POLICE", "That.", by=SUPPORT, **NOW),
        ["CLARIFICATION_ANSWERED"],
    ),
    "ask about a return": (
        _returned,
        lambda s, r: follow_up.ask(s, r, "POLICE", "Who?", by=SUPPORT, **NOW),
        ["FOLLOW_UP_ASKED"],
    ),
    "pause a question": (
        _followed_up,
        lambda s, r: follow_up.pause(s, r, "POLICE", PauseDocument(reason="SYSTEM_DOWN"), by=SUPPORT, **NOW),
        ["FOLLOW_UP_PAUSED"],
    ),
    "answer about a return": (
        _followed_up,
        lambda s, r: follow_up.answer(s, r, "POLICE", "Her aunt.", **POLICE),
        ["FOLLOW_UP_ANSWERED"],
    ),
    "record_return": (
        _at(Stage.CHECKING),
        lambda s, r: checks.record_return(s, r, "POLICE", answer(), **POLICE),
        ["CHECK_RETURNED"],
    ),
    "record_return, late": (
        _at(Stage.CHECKING),
        lambda s, r: checks.record_return(s, r, "POLICE", answer(), by=rep("POLICE"), at=JUST_OVERDUE),
        ["CHECK_BREACHED", "CHECK_RETURNED"],
    ),
    "decline": (
        _at(Stage.CHECKING),
        lambda s, r: checks.decline(s, r, "POLICE", DeclineDocument(reason="NO_ISA"), **POLICE),
        ["CHECK_DECLINED"],
    ),
    "warn": (_at(Stage.CHECKING), lambda s, r: clock.warn(s, r, "POLICE", **NOW), ["CHECK_WARNED"]),
    "collate": (_with_all_returns, lambda s, r: collation.collate(s, r, **NOW), ["COLLATED"]),
    "request_decision": (_joined, lambda s, r: collation.request_decision(s, r, **NOW), ["DECISION_REQUESTED"]),
    "read the template": (
        _at(Stage.CHECKING),
        lambda s, r: collation.read(s, r, by=SUPPORT, **NOW),
        ["ASSESSMENT_READ"],
    ),
    "read a kept template": (
        _at(Stage.AWAITING_DECISION),
        lambda s, r: queues.read_kept(s, r, 1, by=SUPPORT, **NOW),
        ["ASSESSMENT_READ"],
    ),
    "read one's check": (_at(Stage.CHECKING), lambda s, r: queues.read_check(s, r, **POLICE), ["CHECK_READ"]),
    "read a check for the team": (
        _at(Stage.CHECKING),
        lambda s, r: queues.read_check_for_team(s, r, "POLICE", by=SUPPORT, **NOW),
        ["CHECK_READ"],
    ),
    "discuss_now": (
        _at(Stage.CHECKING),
        lambda s, r: discussion.discuss_now(s, r, by=SUPPORT, **NOW),
        ["DISCUSSED_NOW", *["CHECK_NOT_AWAITED"] * 4],
    ),
    "record_discussion": (
        _at(Stage.AWAITING_DECISION),
        lambda s, r: discussion.record_discussion(s, r, talk(), by=SUPPORT, **NOW),
        ["DISCUSSED"],
    ),
    "send to a manager": (
        _at(Stage.AWAITING_DECISION),
        lambda s, r: to_manager.send(s, r, ToManagerDocument(outcome="OTHER_LA", reason="So."), by=DECIDER, **NOW),
        ["SENT_TO_MANAGER"],
    ),
    "send back": (
        _with_a_manager,
        lambda s, r: to_manager.send_back(s, r, SendBackDocument(reason="Not yet."), by=MANAGER, **NOW),
        ["SENT_BACK_BY_MANAGER"],
    ),
    "record_view": (
        _at(Stage.AWAITING_DECISION),
        lambda s, r: discussion.record_view(s, r, AGREES, **POLICE),
        ["VIEW_RECORDED"],
    ),
    "escalate_dissent": (
        _disagreed,
        lambda s, r: discussion.escalate_dissent(s, r, at=DUE + timedelta(days=1)),
        ["DISSENT_ESCALATED"],
    ),
    "resolve_dissent": (
        _disagreed,
        lambda s, r: discussion.resolve_dissent(
            s, r, ResolutionDocument(version_seen=referral(r).version, resolution="Agreed."), by=DECIDER, **NOW
        ),
        ["DISSENT_RESOLVED"],
    ),
    "ask a secondary agency": (
        _at(Stage.CHECKING),
        lambda s, r: secondary.ask(s, r, SecondaryDocument(agency="RUH", blocking=False), by=SUPPORT, **NOW),
        ["CHECK_REQUESTED"],
    ),
    "extend": (
        _at(Stage.CHECKING),
        lambda s, r: due_times.extend(
            s, r, "POLICE", ExtendDocument(until=LATER, due_seen=DUE, reason="SYSTEM_DOWN"), by=SUPPORT, **NOW
        ),
        ["CLOCK_EXTENDED"],
    ),
    "pause": (
        _at(Stage.CHECKING),
        lambda s, r: due_times.pause(s, r, "POLICE", PauseDocument(reason="SYSTEM_DOWN"), by=SUPPORT, **NOW),
        ["CLOCK_PAUSED"],
    ),
    "resume": (_paused, lambda s, r: due_times.resume(s, r, "POLICE", by=SUPPORT, **NOW), ["CLOCK_RESUMED"]),
    "chase an agency": (
        _at(Stage.CHECKING),
        lambda s, r: due_times.chase(s, r, "POLICE", by=SUPPORT, **NOW),
        ["CHECK_CHASED"],
    ),
    "decide": (
        _at(Stage.AWAITING_DECISION),
        lambda s, r: decision.decide(
            s, r, decision_on(r, without_discussion_because="A child in hospital."), by=DECIDER, **NOW
        ),
        ["COLLATED", "DECIDED"],
    ),
    "let_stand": (
        _closed_with_a_late_return,
        lambda s, r: reconsider.let_stand(s, r, "It adds nothing.", by=DECIDER, at=JUST_OVERDUE),
        ["RECONSIDER_SETTLED"],
    ),
    "hand_back": (_at(Stage.HANDING_BACK), lambda s, r: outcome.hand_back(s, r, **NOW), ["HANDED_BACK"]),
    "read the outcome": (
        _at(Stage.AWAITING_ACK),
        lambda s, r: outcome.read(s, r, by=duty(), **NOW),
        ["OUTCOME_READ"],
    ),
    "acknowledge the outcome": (
        _at(Stage.AWAITING_ACK),
        lambda s, r: outcome.acknowledge(s, r, by=duty(), **NOW),
        ["ACKNOWLEDGED"],
    ),
    "chase": (_at(Stage.AWAITING_ACK), lambda s, r: outcome.chase(s, r, "CHILDREN_DUTY", **NOW), ["ACK_CHASED"]),
    "close": (_acknowledged, lambda s, r: outcome.close(s, r, **NOW), ["CLOSED"]),
    "clear_concern": (
        _at(Stage.CHECKING),
        lambda s, r: early_end.clear_concern(s, r, EarlyEndDocument(), by=duty(), **NOW),
        ["SUBJECT_EXITED", "ENDED_EARLY", *["CHECK_CANCELLED"] * 4],
    ),
    "withdraw": (
        _at(Stage.RECEIVED),
        lambda s, r: early_end.withdraw(s, r, EarlyEndDocument(reason="OTHER"), by=duty(), **NOW),
        ["SUBJECT_EXITED", "ENDED_EARLY"],
    ),
}


def _everything(record: Record) -> list[Any]:
    tables = record.ask("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [record.ask(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1") for (table,) in tables]


@pytest.mark.parametrize(("before", "verb", "acts"), VERBS.values(), ids=VERBS)
def test_a_verb_leaves_its_entries_in_the_transaction_of_its_change(record: Record, before, verb, acts):
    """INV12: rolled back, it leaves neither; committed, it leaves both"""
    reference = before()
    written, untouched = acts_of(record, reference), _everything(record)
    with Session(database()) as session:
        verb(session, reference)
        session.flush()
        session.rollback()
    assert _everything(record) == untouched
    act(verb, reference)
    assert acts_of(record, reference)[len(written) :] == acts
    assert first_broken(act(entries, reference)) is None


def test_every_act_of_a_referrals_life_is_one_that_some_verb_is_shown_to_leave():
    shown = {name for _, _, acts in VERBS.values() for name in acts}
    elsewhere = {
        "RECEIVED", "QUEUED",  # test_intake
        "DISSENT_RECORDED",  # test_clock
        "CLOCK_EXTENDED", "CLOCK_PAUSED", "CLOCK_RESUMED", "CHECK_CHASED",  # test_due_times
        "RECONSIDER_OPENED",  # test_checks
        "ITEM_RELEASED", "ITEM_WITHHELD",  # test_releases
        "ALARM_OVERRIDDEN", "HAND_BACK_STOPPED",  # test_outgoing
        "NOTICE_UNDELIVERED", "NOTICE_PERHAPS_TWICE",  # test_notices
        "ENGINE_CANCELLED", "ENGINE_RESUMED",  # test_repairs
        "POST_RELEASED",  # test_restore
        "EVIDENCE_PACKED",  # test_evidence
        "URGENCY_RATED", "URGENT_CALLED", "URGENT_ACKNOWLEDGED",  # test_urgency
        "BASIS_AWAITED", "BASIS_CHASED", "BASIS_READ", "BASIS_RECORDED",  # test_legal_gate
        "AGREEMENT_OVERRIDDEN",  # test_overrides
        "CAUSE_RECORDED",  # test_due_times
        "RETURN_MARKED",  # test_quality
        "SECOND_LOOK_RECORDED",  # test_second_look
        "DETAILS_CORRECTED", "DETAILS_READ",  # test_corrections
        "CONTACT_CONFIRMED", "CONTACT_DISMISSED",  # test_radar
        "FOLLOW_UP_RESUMED",  # test_follow_up
        "RESTRICTED", "RESTRICTION_LIFTED", "RESTRICTION_REVIEWED",  # test_restriction
        "PERSON_NAMED", "PERSON_REMOVED", "INTEREST_DECLARED",  # test_restriction
        "GLASS_BROKEN",  # test_break_glass
        "HOLD_SET", "HOLD_LIFTED", "CONTENT_ERASED",  # test_retention
        "ACCESS_ASKED", "ACCESS_HELD", "ACCESS_HOLD_LIFTED", "ACCESS_EXPORTED",  # test_subject_access
    }  # fmt: skip
    assert shown | elsewhere == {name.value for name in Act}


def test_many_writers_at_once_make_no_fork_and_no_gap(record: Record):
    """S-23b, INV11"""
    reference = walk(Stage.AWAITING_ACK)
    before = len(act(entries, reference))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: act(outcome.read, reference, by=duty(), at=AFTERNOON), range(40)))
    chain = act(entries, reference)
    assert len(chain) == before + 40
    assert first_broken(chain) is None


def test_two_chains_never_wait_for_each_other(record: Record):
    """Architecture §5: one chain for each referral"""
    one, two = walk(Stage.AWAITING_ACK), walk(Stage.AWAITING_ACK, sender_id="two")
    with Session(database()) as session, session.begin():
        outcome.read(session, one, by=duty(), at=AFTERNOON)
        with ThreadPoolExecutor(1) as thread:
            thread.submit(act, outcome.read, two, by=duty(), at=AFTERNOON).result(timeout=10)


def test_a_fork_of_the_chain_is_refused_by_the_database(record: Record):
    """INV11: should a writer ever go without the lock"""
    reference = walk(Stage.RECEIVED)
    [first] = act(entries, reference)
    fork = LedgerEntry(**{**first.model_dump(exclude={"id"}), "act": Act.CLOSED})
    with pytest.raises(IntegrityError, match="ledger_number_once"), Session(database()) as session, session.begin():
        session.add(fork)
    assert acts_of(record, reference) == ["RECEIVED"]
