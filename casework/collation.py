"""Joining the returns into the collated template, and keeping each version that mattered (R27, R41)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from sqlmodel import Session, col, select

from casework import asking, items, ledger, referrals
from casework.checks import Said, said_on_each
from casework.facts import checks_settled
from casework.ledger import Act
from casework.notices import MASH_TEAM, say
from casework.register import label_of, local_words, profile_of
from casework.wakes import forget_deadline
from models.check import AgencyCheck, AgencyNotAsked, FollowUp, Return
from models.decision import CollatedTemplate, Discussion, View
from models.profile import Profile
from models.referral import Referral, Subject
from notifications.messages import MessageName
from rules import release
from rules.asking import WhyAsked
from rules.collation import TEMPLATE_VERSION, AgencyAnswer, Section
from rules.collation import collate as join
from rules.legal_gate import PARTS
from rules.permissions import HUB, Actor, check_may_read_assessment
from rules.stages import OPEN_CHECKS, Stage

AT_THE_JOIN = "JOIN"
FOR_A_DECISION = "DECISION"
TEMPLATES = Path(__file__).resolve().parent / "templates"


def collate(session: Session, reference: str, *, at: datetime) -> None:
    """Join what the agencies returned, once everybody has answered or their time is up. Joined already: nothing."""
    referral = referrals.lock(session, reference)
    if referral.stage is not Stage.CHECKING or referral.joined_at or checks_settled(session, reference, at):
        return
    referral.joined_at = at
    keep(session, referral, AT_THE_JOIN, by=HUB, at=at)


def request_decision(session: Session, reference: str, *, at: datetime) -> None:
    """Ask the decision makers for the discussion and the decision. Asked already: nothing to do."""
    referral = referrals.lock(session, reference)
    if referral.stage is not Stage.CHECKING or not referral.joined_at:
        return
    referral.move_to(Stage.AWAITING_DECISION, at)
    forget_deadline(session, reference)
    ledger.write(session, reference, Act.DECISION_REQUESTED, by=HUB, at=at)
    say(session, MessageName.DECISION_WANTED, MASH_TEAM, at=at, reference=reference)


def keep(session: Session, referral: Referral, taken_for: str, *, by: Actor, at: datetime) -> CollatedTemplate:
    """Keep the template as it stands at `at`, for ever. The caller holds the referral's row."""
    content = current_content(session, referral, at)
    template = CollatedTemplate(
        reference=referral.reference,
        version=len(kept(session, referral.reference)) + 1,
        template_version=TEMPLATE_VERSION,
        taken_for=taken_for,
        taken_at=at,
        content=content,
        digest=hashlib.sha256(canonical(content)).hexdigest(),
    )
    session.add(template)
    ledger.write(
        session, referral.reference, Act.COLLATED, by=by, at=at, content=content,
        version=template.version, taken_for=taken_for,
    )  # fmt: skip
    return template


def kept(session: Session, reference: str) -> list[CollatedTemplate]:
    """The kept versions, oldest first."""
    query = (
        select(CollatedTemplate).where(CollatedTemplate.reference == reference).order_by(col(CollatedTemplate.version))
    )
    return list(session.exec(query))


def read(session: Session, reference: str, *, by: Actor, at: datetime) -> dict[str, Any]:
    """The template as it stands now, for a reader with the MASH profile; the reading is in the ledger (R13, R48)."""
    check_may_read_assessment(by)
    referral = referrals.lock(session, reference)
    ledger.write(session, reference, Act.ASSESSMENT_READ, by=by, at=at)
    return current_content(session, referral, at)


def canonical(content: dict[str, Any]) -> bytes:
    """The one byte form of a template's content: the same record gives the same bytes (R27)."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def render(content: dict[str, Any]) -> str:
    """A template's content as a page of HTML, by the version it was made under (R32)."""
    return _environment().get_template(f"collated_{content['template_version']}.html").render(content)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined, autoescape=True, trim_blocks=True
    )


def current_content(session: Session, referral: Referral, at: datetime) -> dict[str, Any]:
    """The template's content from the record as it stands; `at` only tells what is overdue."""
    profile = profile_of(session, referral)
    asked = {check.agency: check for check in referrals.checks(session, referral.reference)}
    not_asked = {row.agency: row for row in asking.not_asked(session, referral.reference)}
    said = said_on_each(session, asked.values())
    answers = [
        _answered(session, check, not_asked.get(agency.code), said[check.id], referral=referral, at=at)
        if (check := asked.get(agency.code))
        else _unasked(session, agency.code, not_asked.get(agency.code), referral)
        for agency in profile.agencies
    ]
    return join(
        referral=_referral(referral, profile),
        subjects=[_subject(subject, profile) for subject in referrals.subjects(session, referral.reference)],
        answers=answers,
        views=_views(session, referral.reference, profile),
        discussions=_discussions(session, referral.reference, profile),
    )


def _referral(referral: Referral, profile: Profile) -> dict[str, Any]:
    return {
        "reference": referral.reference,
        "duty_team": referral.duty_team,
        "received": local_words(referral.received_at, profile),
        "question": referral.clarification_question,
        "concern": referral.narrative,
        "source": profile.label("referral_source", referral.source),
        "level_of_need": referral.level_of_need,
        "urgency": referral.urgency,
        "profile": profile.version,
    }


def _subject(subject: Subject, profile: Profile) -> dict[str, Any]:
    # No address: the assessment does not need it, and one that leaked has cost lives (requirements §3, finding 11).
    return {
        "subject": subject.code,
        "side": subject.side,
        "household": subject.household,
        "household_role": subject.household_role,
        "name": f"{subject.given_name} {subject.family_name}",
        "date_of_birth": subject.born_on_sealed,
        "address_is_protected": subject.protected_address,
        "voice": subject.voice,
        "voice_missing_because": subject.voice_missing_because,
        "informed": profile.label("informed", subject.informed),
        "informed_how": _label(profile, "informed_how", subject.informed_how),
        "informed_on": _day(subject.informed_on),
        "consent": profile.label("consent", subject.consent),
        "consent_given_by": subject.consent_given_by,
        "consent_on": _day(subject.consent_on),
        "consent_reason_code": _label(
            profile, f"consent_not_sought_reason_{subject.side}", subject.consent_reason_code
        ),
        "consent_reason": subject.consent_reason,
        "basis": _basis(profile, {part: getattr(subject, part) for part in ("request_reason", *PARTS)}),
        "basis_confirmed_by": subject.basis_confirmed_by,
        "left_with_outcome": subject.exit_code,
    }


def _basis(profile: Profile, codes: Mapping[str, str | None]) -> list[str]:
    """A basis in words: the reason for the request first."""
    return [profile.label(part, code) for part in ("request_reason", *PARTS) if (code := codes.get(part))]


def _label(profile: Profile, code_set: str, code: str | None) -> str | None:
    return profile.label(code_set, code) if code else None


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _unasked(session: Session, code: str, not_asked: AgencyNotAsked | None, referral: Referral) -> AgencyAnswer:
    why = label_of(session, referral, "not_asked_because", not_asked.reason) if not_asked else None
    return AgencyAnswer(code, _name(session, code, referral), Section.NOT_ASKED, because=why)


def _name(session: Session, code: str, referral: Referral) -> str:
    profile = profile_of(session, referral)
    return profile.agency(code).name_on(referral.received_at.astimezone(profile.zone_info).date())


def _answered(
    session: Session, check: AgencyCheck, not_asked: AgencyNotAsked | None, said: Said,
    *, referral: Referral, at: datetime,
) -> AgencyAnswer:  # fmt: skip
    profile = profile_of(session, referral)
    reason = profile.label("decline_reason", check.decline_reason) if check.decline_reason else None
    return AgencyAnswer(
        agency=check.agency,
        name=_name(session, check.agency, referral),
        section=_section(check, at),
        due=local_words(check.due_at, profile),
        decline_reason=reason,
        because=label_of(session, referral, "asked_because", check.asked_because),
        basis={subject: _basis(profile, on_record) for subject, on_record in sorted(check.basis.items())},
        overridden=_overridden(not_asked, profile) if not_asked and check.asked_because == WhyAsked.OVERRIDE else None,
        newest=_return(said.versions[-1], profile) if said.versions else None,
        result_label=profile.label("return_result", said.versions[-1].result) if said.versions else None,
        follow_ups=[_follow_up(asked, profile) for asked in said.asked],
    )


def _overridden(row: AgencyNotAsked, profile: Profile) -> dict[str, Any] | None:
    if row.overridden_at is None:
        return None
    return {
        "by": row.overridden_by, "at": local_words(row.overridden_at, profile), "reason": row.override_reason,
    }  # fmt: skip


def _section(check: AgencyCheck, at: datetime) -> Section:
    if check.status in OPEN_CHECKS:
        # An agency that nobody waits for is awaited, however late it is (R20).
        return Section.NOT_RETURNED if check.blocking and check.is_overdue(at) else Section.AWAITED
    return Section(check.status)


def _return(newest: Return, profile: Profile) -> dict[str, Any]:
    return {
        "version": newest.version,
        "result": newest.result,
        "recorded": local_words(newest.recorded_at, profile),
        "addendum": newest.addendum,
        "summary": newest.summary,
        "items": [items.shown(item, profile) for item in newest.items if not release.is_withheld(item)],
        "withheld": items.reasons_withheld(newest.items, profile),
        "systems_searched": newest.systems_searched,
        "not_searched_because": newest.not_searched_because,
        "consultations": newest.consultations,
    }


def _follow_up(asked: FollowUp, profile: Profile) -> dict[str, Any]:
    return {
        "question": asked.question,
        "asked": local_words(asked.asked_at, profile),
        "due": local_words(asked.due_at, profile),
        "answer": asked.answer,
        "answered": local_words(asked.answered_at, profile) if asked.answered_at else None,
    }


def _discussions(session: Session, reference: str, profile: Profile) -> list[dict[str, Any]]:
    query = select(Discussion).where(Discussion.reference == reference).order_by(col(Discussion.recorded_at))
    return [
        {
            "held": local_words(discussion.held_at, profile),
            "mode": profile.label("discussion_mode", discussion.mode),
            "present": discussion.present,
            "note": discussion.note,
        }
        for discussion in session.exec(query)
    ]


def _views(session: Session, reference: str, profile: Profile) -> list[dict[str, Any]]:
    query = select(View).where(View.reference == reference).order_by(col(View.recorded_at), col(View.agency))
    return [
        {
            "agency": view.agency,
            "view": view.view,
            "label": profile.label("view", view.view),
            "threshold_met": view.threshold_met,
            "level_of_need": profile.label("need_level", view.level_of_need) if view.level_of_need else None,
            "reason": view.reason,
        }
        for view in session.exec(query)
    ]
