"""How good a return was, as a person of the MASH team marks it: it answers, it is dated, it is sourced (R31).

Its agency sees the marks in its own figures, and boards see how many of each there are; nobody else is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from casework import ledger, referrals
from casework.checks import returns
from casework.documents import QualityDocument
from casework.ledger import Act
from models.check import Return
from rules.errors import FieldError, NotAcceptable, WrongStage
from rules.permissions import Actor, check_may_run_process


def mark(session: Session, reference: str, agency: str, document: QualityDocument, *, by: Actor, at: datetime) -> None:
    """Mark the newest version of an agency's return; what is said later stands instead, and the ledger keeps both.

    Raises NotPermitted, NotFound, WrongStage while it has returned nothing, and NotAcceptable where a return with
    items is marked without a word on their dates and sources, or one without any with such a word.
    """
    check_may_run_process(by)
    _, check = referrals.lock_with_check(session, reference, agency)
    given = returns(session, check)
    if not given:
        raise WrongStage(f"check {reference}/{agency} has no return to mark")
    _check_marks(document, holds_items(given))
    check.answers_question, check.dated, check.sourced = document.answers_question, document.dated, document.sourced
    check.marked_at, check.marked_by = at, by.id
    ledger.write(
        session, reference, Act.RETURN_MARKED, by=by, at=at, agency=agency, version=given[-1].version,
        answers_question=document.answers_question, dated=document.dated, sourced=document.sourced,
    )  # fmt: skip


def holds_items(given: Sequence[Return]) -> bool:
    """Whether the newest version of a return holds items, which have a date and a source."""
    return bool(given and given[-1].items)


def _check_marks(document: QualityDocument, with_items: bool) -> None:
    marks = {"/dated": document.dated, "/sourced": document.sourced}
    wrong = [pointer for pointer, said in marks.items() if (said is None) is with_items]
    words = "say yes or no: it holds items" if with_items else "leave it out: it holds no items"
    if wrong:
        raise NotAcceptable(*(FieldError(pointer, words) for pointer in wrong))
