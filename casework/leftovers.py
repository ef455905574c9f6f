"""What signing in leaves behind is gone once it can be of no use: nobody has to answer for it (R51).

Sign-ins, sessions, links, counts of tries and of openings, and kept forms are deleted by a function of the record,
which knows how old each must be: the application itself cannot delete them, nor a count that is in its way. The audit
of accounts stays.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Session

#: Rows of one kind that one round deletes at most, so that nobody waits for its locks.
MOST = 10_000


def clear(session: Session) -> int:
    """Delete what is old; how many rows there were."""
    deleted: int = session.execute(sa.select(sa.func.clear_leftovers(MOST))).scalar_one()
    return deleted
