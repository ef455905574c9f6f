"""What is of no more use is gone: what signing in leaves behind, what leavers signed in with, old feedback (R51).

Sign-ins, sessions, links, counts of tries and of openings, and kept forms are deleted by a function of the record,
which knows how old each must be: the application itself cannot delete them, nor a count that is in its way. The audit
of accounts stays, and the name of whoever left, for as long as what they did.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session

#: Rows of one kind that one round deletes at most, so that nobody waits for its locks.
MOST = 10_000
#: For so many days after it was disabled an account keeps its address and credentials, and its owner's drafts: a
#: quarter, as a sent notice is kept, for questions about who did what. A choice.
LEAVER_DAYS = 90
#: For so many days feedback is kept after it was given or answered: three yearly reports look back on it. A choice.
FEEDBACK_DAYS = 1096


def clear(session: Session) -> int:
    """Delete what is old; how many rows and accounts there were."""
    calls = (
        sa.func.clear_leftovers(MOST),
        sa.func.clear_leavers(LEAVER_DAYS),
        sa.func.clear_feedback(FEEDBACK_DAYS),
    )
    gone: list[int] = [session.execute(sa.select(call)).scalar_one() for call in calls]
    return sum(gone)
