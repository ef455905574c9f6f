"""What somebody has typed and not sent: kept for them alone, so that nothing is lost by a time-out (finding 14)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from models.signin import Draft
from rules.permissions import Actor


def save(session: Session, purpose: str, about: str, content: dict[str, Any], *, by: Actor, at: datetime) -> None:
    """Keep what this person has typed; `about` is a referral's reference, or empty."""
    row = {"account_id": by.id, "purpose": purpose, "about": about, "content": content, "saved_at": at}
    query = insert(Draft).values(row)
    session.execute(
        query.on_conflict_do_update(
            index_elements=["account_id", "purpose", "about"], set_={"content": query.excluded.content, "saved_at": at}
        )
    )


def find(session: Session, purpose: str, about: str, account_id: str) -> Draft | None:
    """What this person has typed, or None when there is nothing."""
    found = session.get(Draft, (account_id, purpose, about), populate_existing=True)
    return found if found and found.content else None


def discard(session: Session, purpose: str, about: str, *, by: Actor, at: datetime) -> None:
    """It is sent, or thrown away: its text is no longer kept."""
    if find(session, purpose, about, by.id):
        save(session, purpose, about, {}, by=by, at=at)
