"""A good document for every route that takes one: a refusal is then about who asks, never about what was sent."""

from __future__ import annotations

import json
from typing import Any

from casework.legal_documents import LegalDocument
from portal import examples
from tests.portal.caller import form

_A_RETURN = {"result": "NOT_KNOWN", "not_searched_because": "Nothing to search with."}
_LATER = "2099-03-16T10:30:00+00:00"
_MOMENT = {"day": "16", "month": "3", "year": "2026", "time": "10:30"}
_DECISION = {
    "decisions-0-subject": "S1",
    "decisions-0-threshold_met:bool": "false",
    "decisions-0-level_of_need": "L1",
    "decisions-0-outcome": "NFA",
    "decisions-0-rationale": "Nothing known.",
    "decisions-0-words_for_duty_team": "Nothing known.",
    "without_discussion_because": "Clear.",
    "version_seen:int": "1",
    "do": "send",
}
_DISCUSSION = {
    **{f"held_at:moment.{part}": value for part, value in _MOMENT.items()},
    "mode": "VIDEO",
    "present-0-agency": "POLICE",
    "present-0-name": "Example Constable",
    "present-0-role": "Representative",
    "note": "Read together.",
    "do": "send",
}
_LEGAL = LegalDocument.model_fields.keys()
_API = "POST /api/v1/referrals/{reference}"

DOCUMENTS: dict[str, dict[str, Any]] = {
    "POST /api/v1/referrals": {**examples.CHILD, "sender_id": "matrix"},
    f"{_API}/basis": {
        "version_seen": 1,
        "subjects": [{"subject": "S1", **{k: v for k, v in examples.CHILD["subjects"][0].items() if k in _LEGAL}}],
    },
    f"{_API}/details": {**examples.CORRECTION, "version_seen": 1},
    f"{_API}/earlier": examples.CONTACT,
    f"{_API}/restriction": {"ground": "ADOPTION", "reason": "Two families.", "named": ["NOBODY"]},
    f"{_API}/restriction/people": {"who": "POLICE"},
    f"{_API}/restriction/people/remove": {"person": "NOBODY"},
    f"{_API}/restriction/review": {"reason": "Still so."},
    f"{_API}/restriction/lift": {"reason": "It is over."},
    f"{_API}/interest": {"ground": "NONE"},
    f"{_API}/overrides": {"agency": "POLICE", "reason": "A child may be hurt tonight, and they alone know."},
    f"{_API}/clear-concern": {},
    f"{_API}/withdraw": {"reason": "OTHER"},
    f"{_API}/discuss-now": {},
    f"{_API}/discussions": {**examples.DISCUSSION, "views": []},
    f"{_API}/views": {"agency": "POLICE", "view": "AGREE"},
    f"{_API}/decisions": examples.DECISION,
    f"{_API}/reconsideration": {"reason": "It repeats what was known."},
    f"{_API}/acknowledgement": {"version": 1},
    f"{_API}/check/acknowledge": {},
    f"{_API}/check/clarify": {"text": "Which address?"},
    f"{_API}/check/return": _A_RETURN,
    f"{_API}/check/decline": {"reason": "NO_ISA"},
    f"{_API}/manager": {"outcome": "OTHER_LA", "reason": "They moved."},
    f"{_API}/manager/back": {"reason": "Not yet."},
    f"{_API}/dissent": {"version_seen": 1, "resolution": "All agreed."},
    f"{_API}/checks/{{agency}}/answer": {"text": "The newer one."},
    f"{_API}/check/follow-up": {"text": "Her aunt."},
    f"{_API}/checks/{{agency}}/follow-up": {"text": "Who was there?"},
    f"{_API}/checks/{{agency}}/follow-up/pause": {"reason": "SYSTEM_DOWN"},
    "POST /api/v1/samples": examples.SAMPLE,
    "POST /api/v1/second-looks/{reference}": examples.LOOK,
    f"{_API}/checks": {"agency": "PROBATION", "blocking": False},
    f"{_API}/checks/{{agency}}/extend": {"until": _LATER, "reason": "ASKED_LATE", "due_seen": _LATER},
    f"{_API}/checks/{{agency}}/pause": {"reason": "QUESTION_OPEN"},
    f"{_API}/checks/{{agency}}/cause": {"cause": "REP_ABSENT"},
    f"{_API}/checks/{{agency}}/quality": {"answers_question": True},
    f"{_API}/check/cause": {"cause": "REP_ABSENT"},
}
FORMS: dict[str, dict[str, str]] = {
    "POST /checks/{reference}/acknowledge": {"known": ""},
    "POST /checks/{reference}/return": {**_A_RETURN, "do": "send"},
    "POST /checks/{reference}/draft": {"summary": "Half a sentence", "draft_of": "return"},
    "POST /checks/{reference}/nothing-known": _A_RETURN,
    "POST /checks/{reference}/question": {"text": "Which address?"},
    "POST /checks/{reference}/follow-up": {"text": "Her aunt."},
    "POST /checks/{reference}/cause": {"cause": "REP_ABSENT"},
    "POST /checks/{reference}/urgent": {"reason": "She is alone with him tonight."},
    "POST /checks/{reference}/decline": {"reason": "NO_ISA"},
    "POST /referrals/{reference}/acknowledgement": {"version": "1"},
    "POST /referrals/{reference}/withdraw": {"reason": "OTHER"},
    **{
        f"POST /{place}/{{reference}}/details": {
            "version_seen:int": "1",
            "subject": "S1",
            "household_role": "niece",
            "reason": "She is her niece.",
        }
        for place in ("referrals", "board")
    },
    "POST /board/{reference}/checks/{agency}/cause": {"cause": "REP_ABSENT"},
    "POST /board/{reference}/checks/{agency}/quality": {"answers_question:bool": "true"},
    "POST /board/{reference}/earlier": examples.CONTACT,
    "POST /board/{reference}/urgency": {"rating": "RED", "rating_seen": "GREEN", "rationale": "He is out on bail."},
    "POST /draft": {"went_well": "Half a sentence", "draft_of": "feedback"},
    "POST /board/{reference}/draft": {"reason": "Half a sentence", "draft_of": "view"},
    "POST /board/{reference}/discussion": _DISCUSSION,
    "POST /board/{reference}/discussion/draft": {"note": "Half a sentence"},
    "POST /board/{reference}/view": {"agency": "POLICE", "view": "AGREE"},
    "POST /board/{reference}/decision": _DECISION,
    "POST /board/{reference}/decision/draft": {"without_discussion_because": "Half"},
    "POST /board/{reference}/reconsideration": {"reason": "It repeats what was known."},
    "POST /board/{reference}/manager": {"outcome": "OTHER_LA", "reason": "They moved."},
    "POST /board/{reference}/manager/back": {"reason": "Not yet."},
    "POST /board/{reference}/checks/{agency}/follow-up": {"text": "Who was there?"},
    "POST /board/{reference}/checks/{agency}/follow-up/pause": {"reason": "SYSTEM_DOWN"},
    "POST /board/{reference}/checks/{agency}": {"text": "The newer one."},
    "POST /subject-access": {
        "reference": "7KQ2-XW9S",
        "subject": "S1",
        "received_on:date.day": "16",
        "received_on:date.month": "3",
        "received_on:date.year": "2026",
    },
    "POST /retention-holds": {"reference": "7KQ2-XW9S", "reason": "A claim was announced."},
}


def body_for(route: str) -> bytes:
    """What a route is sent; an empty document, or an empty form, where this file knows no better."""
    if " /api/" in route:
        return json.dumps(DOCUMENTS.get(route, {})).encode()
    return form(FORMS.get(route, {}))
