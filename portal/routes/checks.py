"""An agency's queue and its own checks; the MASH team's answers to its questions (R05, R18, R33, R49)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from casework import causes, checks, follow_up, queues
from casework.documents import AcknowledgeDocument, CauseDocument, DeclineDocument, QuestionDocument, ReturnDocument
from casework.queues import CheckForTeam, CheckNow, OwnCheck, Tasks
from portal import examples
from portal.bodies import Body, read
from portal.credentials import AtDesk, Work
from portal.routes.names import AgencyCode, Reference
from portal.schema import refuses, takes

router = APIRouter(prefix="/api/v1", tags=["Agency checks"])
_CHECK = "/referrals/{reference}/check"
_OF_AGENCY = "/referrals/{reference}/checks/{agency}"
_ACTS: dict[str, Any] = {"responses": refuses(404, 409, body=True)}


@router.get("/checks", responses=refuses(422), summary="Your agency's queue")
def list_checks(
    desk: AtDesk,
    settled: Annotated[bool, Query(description="The newest settled checks instead of the open ones")] = False,
) -> Tasks:
    """The checks that wait for your agency, the most urgent first, then by due time."""
    with desk.at_work() as (session, by, _):
        return queues.tasks_of(session, settled=settled, by=by)


@router.get(_CHECK, responses=refuses(404), summary="Read your agency's check")
def read_check(reference: Reference, desk: AtDesk) -> OwnCheck:
    """The question, the least that you need to search, and what your agency has answered so far. Each reading is kept.

    A protected address is never shown, only that it is protected.
    """
    with desk.at_work() as (session, by, at):
        return queues.read_check(session, reference, by=by, at=at)


@router.post(
    f"{_CHECK}/acknowledge",
    openapi_extra=takes(AcknowledgeDocument, examples={"quick_answer": {"known": "NOT_KNOWN"}}, optional=True),
    summary="The check has been seen",
    **_ACTS,
)
def acknowledge(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """Say that you have it; if you like, with the first quick answer: known, or not."""
    with desk.at_work() as work:
        document = read(body, AcknowledgeDocument, optional=True)
        checks.acknowledge(work.session, reference, _agency(work), document, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.post(
    f"{_CHECK}/clarify",
    openapi_extra=takes(QuestionDocument, examples={"question": {"text": "Which of the two addresses is meant?"}}),
    summary="Ask what is meant",
    **_ACTS,
)
def clarify(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """Ask the MASH team a question. Your clock goes on meanwhile."""
    with desk.at_work() as work:
        question = read(body, QuestionDocument)
        checks.ask_clarification(work.session, reference, _agency(work), question.text, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.post(
    f"{_CHECK}/return",
    openapi_extra=takes(
        ReturnDocument, examples={"something_known": examples.RETURN, "nothing_known": examples.NOTHING_KNOWN}
    ),
    summary="Return your agency's answer",
    **_ACTS,
)
def record_return(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """Your agency's answer; "nothing known" is a full one. A second return is a new version; a late one is kept too."""
    with desk.at_work() as work:
        document = read(body, ReturnDocument)
        checks.record_return(work.session, reference, _agency(work), document, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.post(
    f"{_CHECK}/follow-up",
    openapi_extra=takes(QuestionDocument, examples={"answer": {"text": "Her aunt, and nobody else."}}),
    summary="Answer a question about your return",
    **_ACTS,
)
def answer_follow_up(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """What the MASH team asked about your agency's return; the question stands in your check."""
    with desk.at_work() as work:
        text = read(body, QuestionDocument).text
        follow_up.answer(work.session, reference, _agency(work), text, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.post(
    f"{_CHECK}/decline",
    openapi_extra=takes(DeclineDocument, examples={"declined": {"reason": "LIVE_INVESTIGATION"}}),
    summary="Decline to share",
    **_ACTS,
)
def decline(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """Your agency will not share, for a reason of the set decline_reason. This counts as an answer."""
    with desk.at_work() as work:
        document = read(body, DeclineDocument)
        checks.decline(work.session, reference, _agency(work), document, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.post(
    f"{_CHECK}/cause",
    openapi_extra=takes(CauseDocument, examples={"cause": {"cause": "REP_ABSENT"}}),
    summary="Say why your agency's check breached",
    **_ACTS,
)
def record_cause(reference: Reference, body: Body, desk: AtDesk) -> CheckNow:
    """For your agency's manager: the cause of a breach, of the set breach_cause. What is said later stands instead."""
    with desk.at_work() as work:
        document = read(body, CauseDocument)
        causes.record_cause(work.session, reference, _agency(work), document, by=work.by, at=work.at)
        return queues.check_now(work.session, reference, by=work.by)


@router.get(_OF_AGENCY, responses=refuses(404), summary="Read an agency's check and its questions")
def read_agency_check(reference: Reference, agency: AgencyCode, desk: AtDesk) -> CheckForTeam:
    """For the MASH profile: one check, with what the agency asked and what it was told. Each reading is kept."""
    with desk.at_work() as (session, by, at):
        return queues.read_check_for_team(session, reference, agency, by=by, at=at)


@router.post(
    f"{_OF_AGENCY}/answer",
    openapi_extra=takes(
        QuestionDocument, examples={"answer": {"text": "The address of 2025; the other one is older."}}
    ),
    summary="Answer an agency's questions",
    **_ACTS,
)
def answer(reference: Reference, agency: AgencyCode, body: Body, desk: AtDesk) -> CheckForTeam:
    """The MASH team answers all open questions of an agency at once."""
    with desk.at_work() as (session, by, at):
        text = read(body, QuestionDocument).text
        checks.answer_clarification(session, reference, agency, text, by=by, at=at)
        return queues.read_check_for_team(session, reference, agency, by=by, at=at)


def _agency(work: Work) -> str:
    # Empty for whoever is no agency: the verb refuses it.
    return work.by.agency or ""
