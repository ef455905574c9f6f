"""What is of no more use is gone: what signing in leaves behind, what leavers signed in with, old feedback (R51).

Sign-ins, sessions, links, counts of tries and of openings, and kept forms are deleted by a function of the record,
which knows how old each must be: the application itself cannot delete them, nor a count that is in its way. The audit
of accounts stays, and the name of whoever left, for as long as what they did.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session

from models.profile import Profile

#: Rows of one kind that one round deletes at most, so that nobody waits for its locks.
MOST = 10_000


def clear(session: Session) -> int:
    """Delete what signing in left behind long ago; how many rows there were."""
    return _called(session, sa.func.clear_leftovers(MOST))


def clear_leavers(session: Session, profile: Profile) -> int:
    """Clear what leavers signed in with, and their drafts, once the area's period is over; how many accounts."""
    return _called(session, sa.func.clear_leavers(profile.retention.closed_account.days))


def clear_feedback(session: Session, profile: Profile) -> int:
    """Delete feedback whose period is over, counted from its answer, or else from when it was given; how many."""
    return _called(session, sa.func.clear_feedback(profile.retention.feedback.days))


def _called(session: Session, call: sa.Function[int]) -> int:
    done: int = session.execute(sa.select(call)).scalar_one()
    return done
