"""The MASH team looks after the wait: one more agency, more time, a clock that stands still (R20, R21, R23, R33)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from casework import causes, due_times, follow, follow_up, quality, secondary
from casework.documents import (
    CauseDocument,
    ExtendDocument,
    PauseDocument,
    QualityDocument,
    QuestionDocument,
    SecondaryDocument,
)
from casework.follow import ReferralSeen
from portal.bodies import Body, expect_nothing, read
from portal.credentials import AtDesk
from portal.routes.names import AgencyCode, Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1/referrals/{reference}/checks", tags=["Agency checks"])
_ACTS: dict[str, Any] = {
    "responses": refuses(404, 409, body=True),
    "response_model_exclude_unset": True,
}
_SECONDARY = {"agency": "PROBATION", "blocking": False, "question": "Is anybody of the household under supervision?"}
_EXTENDED = {
    "until": "2026-03-18T12:00:00Z", "due_seen": "2026-03-17T10:00:00Z", "reason": "RECORDS_ELSEWHERE",
}  # fmt: skip


@router.post(
    "",
    openapi_extra=takes(SecondaryDocument, examples={"request": _SECONDARY}),
    summary="Ask a secondary agency",
    **_ACTS,
)
def ask_secondary(reference: Reference, body: Body, desk: AtDesk) -> ReferralSeen:
    """A one-off request to an agency that is not asked by itself, with its own due time; it may hold up the join."""
    with desk.at_work() as (session, by, at):
        secondary.ask(session, reference, read(body, SecondaryDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/extend",
    openapi_extra=takes(ExtendDocument, examples={"extension": _EXTENDED}),
    summary="Give an agency more time",
    **_ACTS,
)
def extend(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """A later due time, for a coded reason. Not for a check that is overdue: a breach is not undone."""
    with desk.at_work() as (session, by, at):
        due_times.extend(session, reference, agency, read(body, ExtendDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/pause",
    openapi_extra=takes(PauseDocument, examples={"pause": {"reason": "QUESTION_OPEN"}}),
    summary="Stop an agency's clock",
    **_ACTS,
)
def pause(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """The clock stands still, for a coded reason, until it is let go on or the agency's question is answered."""
    with desk.at_work() as (session, by, at):
        due_times.pause(session, reference, agency, read(body, PauseDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/follow-up",
    openapi_extra=takes(QuestionDocument, examples={"question": {"text": "Who was in the house that night?"}}),
    summary="Ask an agency about its return",
    **_ACTS,
)
def ask_about_return(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """A question on a clock of its own, until the decision; one at a time. A late answer is no breach."""
    with desk.at_work() as (session, by, at):
        follow_up.ask(session, reference, agency, read(body, QuestionDocument).text, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/follow-up/pause",
    openapi_extra=takes(PauseDocument, examples={"pause": {"reason": "RECORDS_ELSEWHERE"}}),
    summary="Stop the clock of that question",
    **_ACTS,
)
def pause_follow_up(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """For a coded reason, until it is let go on or answered."""
    with desk.at_work() as (session, by, at):
        follow_up.pause(session, reference, agency, read(body, PauseDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post("/{agency}/follow-up/resume", summary="Let the clock of that question go on", **_ACTS)
def resume_follow_up(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """With as much time left as when it was stopped. Takes no document."""
    with desk.at_work() as (session, by, at):
        expect_nothing(body)
        follow_up.resume(session, reference, agency, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post("/{agency}/resume", summary="Let an agency's clock go on", **_ACTS)
def resume(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """The clock goes on, with as much time left as when it was stopped. Takes no document."""
    with desk.at_work() as (session, by, at):
        expect_nothing(body)
        due_times.resume(session, reference, agency, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post("/{agency}/chase", summary="Remind an agency now", **_ACTS)
def chase(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """The agency is reminded, whatever its clock says. Takes no document."""
    with desk.at_work() as (session, by, at):
        expect_nothing(body)
        due_times.chase(session, reference, agency, by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/cause",
    openapi_extra=takes(CauseDocument, examples={"cause": {"cause": "QUESTION_UNCLEAR"}}),
    summary="Say why a check breached",
    **_ACTS,
)
def record_cause(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """The cause of a breach, of the set breach_cause. What is said later, here or by the agency, stands instead."""
    with desk.at_work() as (session, by, at):
        causes.record_cause(session, reference, agency, read(body, CauseDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)


@router.post(
    "/{agency}/quality",
    openapi_extra=takes(
        QualityDocument,
        examples={
            "with items": {"answers_question": True, "dated": True, "sourced": False},
            "nothing known": {"answers_question": True},
        },
    ),
    summary="Mark the quality of a return",
    **_ACTS,
)
def mark_return(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> ReferralSeen:
    """Whether it answers what was asked and, where it holds items, is dated and sourced. What is said last stands."""
    with desk.at_work() as (session, by, at):
        quality.mark(session, reference, agency, read(body, QualityDocument), by=by, at=at)
        return follow.see(session, reference, by=by, at=at)
