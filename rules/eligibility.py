"""Is this one for the MASH? Three answers decide it (R05, R06, R12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rules.errors import FieldError

CLEAR_CONCERN = "CLEAR_CONCERN_RETURN"
NOT_ELIGIBLE = "NOT_ELIGIBLE_RETURN"
OPEN_TO_WORKER = "OPEN_WORKER"
WITHDRAWN = "WITHDRAWN"

#: Consent states that stand only with a reason (requirements §4.7, R56).
CONSENT_NEEDS_REASON = frozenset({"NOT_SOUGHT", "REFUSED_OVERRIDDEN", "LACKS_CAPACITY"})


def exit_for_referral(*, safeguarding_concern: bool, extent_unclear: bool) -> str | None:
    """The outcome code with which a referral goes straight back, or None when the agencies are to be asked.

    A concern that is clear and agreed is for the existing procedure (seed L278); where there is no concern there is
    nothing to clarify (seed L273).
    """
    if not safeguarding_concern:
        return NOT_ELIGIBLE
    return None if extent_unclear else CLEAR_CONCERN


def problems(document: Mapping[str, Any]) -> list[FieldError]:
    """What is wrong with a referral beyond the form of its fields; every problem at once.

    Takes the JSON document as sent and tolerates any shape, so that these findings can be reported together with
    those of the schema.
    """
    return [*_question_missing(_mapping(document.get("eligibility")))] + [
        problem
        for number, subject in enumerate(_list(document.get("subjects")))
        for problem in _subject_problems(f"/subjects/{number}", _mapping(subject))
    ]


def unknown_codes(
    document: Mapping[str, Any], fields: Mapping[str, str], codes: Mapping[str, Mapping[str, str]]
) -> list[FieldError]:
    """The fields whose value is not in their code set.

    `fields` maps a path such as `concern/source` or `subjects/*/consent` to the name of a code set.
    """
    return [
        FieldError(pointer, f"not a code of the set {code_set}: use one of {', '.join(sorted(codes[code_set]))}")
        for path, code_set in fields.items()
        for pointer, value in _values(document, path.split("/"), "")
        if isinstance(value, str) and value not in codes[code_set]
    ]


def consent_reason_missing(pointer: str, subject: Mapping[str, Any]) -> Iterable[FieldError]:
    """The reason that a consent state needs in words, and does not have (R56); `pointer` names the subject."""
    if subject.get("consent") in CONSENT_NEEDS_REASON and not _said(subject.get("consent_reason")):
        yield FieldError(f"{pointer}/consent_reason", "this consent state needs a reason")


def _question_missing(answers: Mapping[str, Any]) -> Iterable[FieldError]:
    unclear = answers.get("safeguarding_concern") is True and answers.get("extent_unclear") is True
    if unclear and not _said(answers.get("clarification_question")):
        yield FieldError(
            "/eligibility/clarification_question", "say what the agencies must clarify: it is sent to each of them"
        )


def _subject_problems(pointer: str, subject: Mapping[str, Any]) -> Iterable[FieldError]:
    if subject and not _said(subject.get("voice")) and not _said(subject.get("voice_missing_because")):
        yield FieldError(f"{pointer}/voice", "give the person's own view, or say in voice_missing_because why not")
    yield from consent_reason_missing(pointer, subject)


def _values(node: Any, path: list[str], pointer: str) -> Iterable[tuple[str, Any]]:
    if not path:
        yield pointer, node
    elif path[0] == "*":
        for number, item in enumerate(_list(node)):
            yield from _values(item, path[1:], f"{pointer}/{number}")
    elif path[0] in _mapping(node):
        yield from _values(node[path[0]], path[1:], f"{pointer}/{path[0]}")


def _mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, Mapping) else {}


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def _said(text: Any) -> bool:
    return isinstance(text, str) and bool(text.strip())
