"""A form that could not be taken when it was sent: kept sealed for its sender alone, and offered to them again.

It waits for a second factor, or for its sender to sign in anew. Its times are real time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from casework import drafts
from rules.permissions import Actor

LIFE = timedelta(hours=1)
PURPOSE = "kept-form"


@dataclass(frozen=True)
class KeptForm:
    """What was sent to a page, field by field."""

    path: str
    fields: list[tuple[str, str]]


def keep(session: Session, form: KeptForm, *, by: Actor, at: datetime) -> None:
    """Keep the newest form of a person; one kept before is forgotten."""
    content = {"path": form.path, "fields": [list(field) for field in form.fields]}
    drafts.save(session, PURPOSE, "", content, by=by, at=at)


def find(session: Session, account_id: str, *, at: datetime) -> KeptForm | None:
    """The form kept for a person, or None when there is none, or it is older than an hour."""
    kept = drafts.find(session, PURPOSE, "", account_id)
    if kept is None or kept.saved_at + LIFE <= at:
        return None
    return KeptForm(kept.content["path"], [(name, value) for name, value in kept.content["fields"]])


def forget(session: Session, path: str, *, by: Actor, at: datetime) -> None:
    """A form was taken by the page at `path`: one that was kept for it need not be offered again."""
    kept = drafts.find(session, PURPOSE, "", by.id)
    if kept is not None and kept.content["path"] == path:
        drafts.discard(session, PURPOSE, "", by=by, at=at)
