"""One record that says everything a collated template can say; its content is kept in golden_template.json.

`python -m tests.casework.golden` prints the content that another process works out, in a hub whose settings are in the
environment.
"""

from __future__ import annotations

import sys

from casework import checks, discussion, follow_up
from casework.collation import canonical, current_content
from casework.db import unit_of_work
from casework.documents import DeclineDocument
from casework.item_documents import WithheldItem
from casework.referrals import find
from tests.casework.factory import (
    AFTERNOON,
    DUE,
    JUST_OVERDUE,
    SUPPORT,
    WITHHELD,
    a_family,
    act,
    an_item,
    answer,
    ask,
    give_back,
    refer,
    rep,
    talk,
)

CONSULTED = {
    "who": "A teacher",
    "role": "Head of year",
    "organisation": "A school",
    "consulted_at": "2026-03-16T12:00:00+00:00",
    "what_was_asked": "Has he been at school?",
    "what_they_said": "Not since February.",
}


def everything() -> str:
    """A mother and two children; an agency of each kind: on time, late, twice, declined, silent, not asked."""
    reference = refer(subjects=a_family())
    ask(reference)
    police = answer(
        "KNOWN_OPEN", ("2026-02-20", "Called at night."), ("2025-11-02", "A check."), consultations=[CONSULTED]
    )
    police.items.append(WithheldItem.model_validate({**an_item(text="Kept."), **WITHHELD}))
    give_back(reference, "POLICE", answer("NOT_KNOWN"))
    give_back(reference, "POLICE", police)
    act(follow_up.ask, reference, "POLICE", "Who was there that night?", by=SUPPORT, at=AFTERNOON)
    act(follow_up.answer, reference, "POLICE", "Her aunt.", by=rep("POLICE"), at=AFTERNOON)
    act(follow_up.ask, reference, "POLICE", "And the other night?", by=SUPPORT, at=AFTERNOON)
    give_back(reference, "COUNCIL_CHILDREN", answer("KNOWN_CLOSED", ("2026-01-09", "A bruise."), summary="Closed."))
    refusal = DeclineDocument(reason="NO_ISA")
    act(checks.decline, reference, "MENTAL_HEALTH", refusal, by=rep("MENTAL_HEALTH"), at=AFTERNOON)
    give_back(reference, "COUNCIL_ADULTS", answer("KNOWN_HISTORIC", ("2026-02-20", "Money.")), at=JUST_OVERDUE)
    views = [
        {"agency": "POLICE", "view": "AGREE"},
        {"agency": "COUNCIL_CHILDREN", "view": "DISAGREE", "reason": "It is neglect."},
    ]
    act(discussion.record_discussion, reference, talk(["POLICE"], at=DUE, views=views), by=SUPPORT, at=JUST_OVERDUE)
    return reference


def content_bytes(reference: str) -> bytes:
    """The template's content as its one byte form; the reference itself, random, is left out."""
    with unit_of_work() as session:
        content = current_content(session, find(session, reference), JUST_OVERDUE)
    return canonical(content).replace(reference.encode(), b"XXXX-XXXX")


if __name__ == "__main__":
    sys.stdout.buffer.write(content_bytes(sys.argv[1]))
