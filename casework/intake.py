"""A referral comes in, is screened, and goes on to the agencies or straight back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlmodel import Session, col, select

from casework import hidden, ledger, legal_gate, outgoing, radar, referrals, restriction
from casework.documents import REFERRAL_CODES, ReferralDocument, SubjectDocument
from casework.field_errors import field_errors
from casework.ledger import Act
from casework.legal_documents import LegalDocument
from casework.register import current_profile, use_profile
from casework.wakes import wake
from models.agency import Agency
from models.keyed import person_digest
from models.profile import Profile
from models.referral import MisdirectedContact, Referral, Subject
from rules import eligibility
from rules.errors import Conflict, FieldError, NotAcceptable
from rules.permissions import HUB, Actor, check_may_refer
from rules.reference import new_reference
from rules.stages import Stage
from rules.urgency import UrgencyRating, board_place

#: How far another system's clock may run ahead of the hub's before "in the future" is an error.
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True)
class Received:
    """What the sender is told at once. `advice` is for a person to read now: sentences, possibly none."""

    reference: str
    stage: Stage
    created: bool
    advice: tuple[str, ...]


def receive(session: Session, document: Any, *, by: Actor, at: datetime) -> Received:
    """Take a duty team's referral (R01-R06), once for each of the sender's own ids (INV2).

    `document` is the JSON as sent; see ReferralDocument. Raises NotAcceptable with every bad field at once,
    NotPermitted for anybody but the duty team itself, Conflict when the id was used for another document.
    """
    profile = current_profile()
    parsed = _parse(document, profile, at)
    check_may_refer(by, parsed.duty_team)
    digest = _digest(parsed)
    _one_at_a_time(session, parsed)
    if earlier := _earlier(session, parsed, by):
        if earlier.body_digest != digest:
            raise Conflict(f"sender_id was already used, for referral {earlier.reference}, with other content")
        # Whoever may not know of it any longer is told what they were told then.
        seen = session.exec(select(Referral.stage).where(Referral.reference == earlier.reference)).first()
        return Received(earlier.reference, Stage(seen or Stage.RECEIVED), False, _advice(earlier, profile))
    use_profile(session, profile, at)
    referral = _open(session, parsed, digest, profile, at)
    ledger.write(
        session, referral.reference, Act.RECEIVED, by=by, at=at, content=_said(parsed),
        duty_team=parsed.duty_team, subjects=[s.side for s in parsed.subjects], urgency=referral.urgency,
        level_of_need=referral.level_of_need, profile=profile.version,
    )  # fmt: skip
    _plan_run(session, referral, profile, at)
    if parsed.restriction:
        restriction.begin(session, referral, parsed.restriction, "/restriction", by=by, at=at)
    return Received(referral.reference, referral.stage, True, _advice(referral, profile))


def count_misdirected(session: Session, by: Actor, at: datetime) -> None:
    """An agency tried to refer: count it, keep nothing of it (R02)."""
    use_profile(session, current_profile(), at)
    if by.agency and session.get(Agency, by.agency):
        session.add(MisdirectedContact(agency=by.agency, at=at))


def screen(session: Session, reference: str, *, at: datetime) -> None:
    """Send back what is not for the MASH, and accept or hold the rest (R05, R06, R12, R54); look who came before (R14).

    Nothing to do: nothing happens.
    """
    referral = referrals.lock(session, reference)
    if referral.stage not in (Stage.RECEIVED, Stage.QUEUED_OUT_OF_HOURS):
        return
    radar.look(session, reference, at=at)
    exit_code = eligibility.exit_for_referral(
        safeguarding_concern=referral.safeguarding_concern, extent_unclear=referral.extent_unclear
    )
    for subject in referrals.subjects(session, reference):
        code = exit_code or (eligibility.OPEN_TO_WORKER if subject.open_to_worker else None)
        if code and subject.exit_code is None:
            subject.exit_code = code
            ledger.write(session, reference, Act.SUBJECT_EXITED, by=HUB, at=at, subject=subject.code, outcome=code)
    if referrals.remaining(session, reference):
        legal_gate.let_through(session, referral, by=HUB, at=at)
    else:
        referral.move_to(Stage.HANDING_BACK, at)


def _parse(document: Any, profile: Profile, at: datetime) -> ReferralDocument:
    as_mapping = document if isinstance(document, dict) else {}
    found = {
        problem.pointer: problem
        for problem in (
            *eligibility.problems(as_mapping),
            *eligibility.unknown_codes(as_mapping, REFERRAL_CODES, profile.codes),
            *_area_problems(as_mapping, profile),
        )
    }
    try:
        parsed = ReferralDocument.model_validate_json(json.dumps(document), strict=True)
    except ValidationError as error:
        found |= {problem.pointer: problem for problem in field_errors(error)}
    else:
        level = parsed.concern.level_of_need
        for number, subject in enumerate(parsed.subjects):
            wrong = legal_gate.wrong(subject, subject.side, level, profile, at=at, pointer=f"/subjects/{number}")
            found = {problem.pointer: problem for problem in wrong} | found
        late = (*_from_the_future(parsed, at), *outgoing.in_a_referral(parsed))
        found |= {problem.pointer: problem for problem in late}
    if found:
        raise NotAcceptable(*found.values()) from None
    return parsed


def _area_problems(document: dict[str, Any], profile: Profile) -> list[FieldError]:
    found = []
    teams = [team.code for team in profile.duty_teams]
    if isinstance(team := document.get("duty_team"), str) and team not in teams:
        found.append(FieldError("/duty_team", f"only {' and '.join(teams)} send referrals to this hub"))
    concern = document.get("concern")
    urgency = concern.get("urgency") if isinstance(concern, dict) else None
    bands = [band.code for band in profile.clocks.bands]
    if isinstance(urgency, str) and urgency not in bands:
        found.append(FieldError("/concern/urgency", f"not an urgency band of this area: use one of {', '.join(bands)}"))
    answers = document.get("eligibility")
    about = answers.get("question_about") if isinstance(answers, dict) else None
    topics = profile.asking.question_about
    if isinstance(about, list) and any(isinstance(code, str) and code not in topics for code in about):
        found.append(FieldError("/eligibility/question_about", f"use codes of {', '.join(topics)}"))
    return found


def _from_the_future(parsed: ReferralDocument, at: datetime) -> list[FieldError]:
    today = (at + _CLOCK_SKEW).date()
    found = [
        FieldError(f"/subjects/{number}/date_of_birth", "is in the future")
        for number, subject in enumerate(parsed.subjects)
        if subject.date_of_birth and subject.date_of_birth > today
    ]
    if parsed.decision_to_refer.at > at + _CLOCK_SKEW:
        found.append(FieldError("/decision_to_refer/at", "is in the future"))
    return found


def _said(parsed: ReferralDocument) -> dict[str, Any]:
    """What was referred; why it is restricted is an entry of its own."""
    return parsed.model_dump(mode="json", exclude={"restriction"})


def _digest(parsed: ReferralDocument) -> str:
    # Whoever sent the same before there were these fields is still understood.
    unsaid: dict[str, Any] = {} if parsed.restriction else {"restriction": True}
    if not parsed.eligibility.question_about:
        unsaid["eligibility"] = {"question_about"}
    return hashlib.sha256(parsed.model_dump_json(exclude=unsaid).encode()).hexdigest()


def _one_at_a_time(session: Session, parsed: ReferralDocument) -> None:
    """The same id sent twice at the same moment: the second waits, and then finds the first."""
    key = f"{parsed.duty_team}/{parsed.sender_id}"
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(key, 0))))


def _earlier(session: Session, parsed: ReferralDocument, by: Actor) -> Referral | None:
    ids = [parsed.sender_id, restriction.own_id(parsed.sender_id, by.id)]
    query = select(Referral).where(Referral.duty_team == parsed.duty_team, col(Referral.sender_id).in_(ids))
    # Also one that was hidden from its sender since: what is sent twice is one referral, and they have its reference.
    with hidden.unhidden(session):
        return session.exec(query).first()


def _open(session: Session, parsed: ReferralDocument, digest: str, profile: Profile, at: datetime) -> Referral:
    stage = Stage.QUEUED_OUT_OF_HOURS if _must_queue(parsed, profile, at) else Stage.RECEIVED
    referral = Referral(
        reference=_fresh_reference(session),
        duty_team=parsed.duty_team,
        sender_id=parsed.sender_id,
        body_digest=digest,
        upstream_reference=parsed.upstream_reference,
        profile_version=profile.version,
        stage=stage,
        received_at=at,
        sending_officer=parsed.sending_officer.name,
        reply_to=parsed.sending_officer.reply_to,
        decided_to_refer_by=parsed.decision_to_refer.by,
        decided_to_refer_at=parsed.decision_to_refer.at,
        why_not_enough=parsed.decision_to_refer.why_existing_information_is_not_enough,
        safeguarding_concern=parsed.eligibility.safeguarding_concern,
        extent_unclear=parsed.eligibility.extent_unclear,
        clarification_question=parsed.eligibility.clarification_question,
        question_about=sorted(set(parsed.eligibility.question_about)),
        narrative=parsed.concern.narrative,
        source=parsed.concern.source,
        level_of_need=parsed.concern.level_of_need,
        urgency=parsed.concern.urgency,
        board_place=board_place(UrgencyRating.GREEN, stage),
    )
    session.add(referral)
    session.flush()
    session.add_all(
        _subject(referral, number, subject, profile) for number, subject in enumerate(parsed.subjects, start=1)
    )
    radar.note(session, referral.reference)
    return referral


def _fresh_reference(session: Session) -> str:
    while session.get(Referral, reference := new_reference()):
        pass
    return reference


def _subject(referral: Referral, number: int, document: SubjectDocument, profile: Profile) -> Subject:
    born: date | None = document.date_of_birth
    return Subject(
        reference=referral.reference,
        number=number,
        born_on_sealed=born.isoformat() if born else None,
        person_digest=person_digest(document.nhs_number),
        **document.model_dump(exclude={"date_of_birth", *LegalDocument.model_fields}),
        **legal_gate.columns(document, document.side, referral.level_of_need, profile),
    )


def _must_queue(parsed: ReferralDocument, profile: Profile, at: datetime) -> bool:
    """Out of hours, what needs the agencies waits for the opening; what goes straight back need not (R06, R26)."""
    answers = parsed.eligibility
    return answers.safeguarding_concern and answers.extent_unclear and not profile.calendar().is_open(at)


def _plan_run(session: Session, referral: Referral, profile: Profile, at: datetime) -> None:
    if referral.stage is Stage.QUEUED_OUT_OF_HOURS:
        opening = profile.calendar().opens_after(at)
        ledger.write(session, referral.reference, Act.QUEUED, by=HUB, at=at, until=opening.isoformat())
        wake(session, referral.reference, opening)
    # The run begins at once in either case, so that operators see it, and why it waits.
    wake(session, referral.reference, at)


def _advice(referral: Referral, profile: Profile) -> tuple[str, ...]:
    if referral.stage is Stage.QUEUED_OUT_OF_HOURS:
        return (profile.wording.out_of_hours, profile.emergency.advice)
    if not (referral.safeguarding_concern and referral.extent_unclear):
        return (profile.wording.not_for_mash,)
    return ()
