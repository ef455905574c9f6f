"""The second wall: the database itself shows a reader only what concerns them, whatever a query forgets (S-4).

Who may read what is the rules' business (rules/permissions.py); this stands behind them. Each transaction begins with
everything in sight, since a verb works on a whole referral; whoever only reads is shown less. A connection on which
nobody has said who reads sees nothing. The policies are in the migration that put the wall up.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from rules.permissions import Actor, Role

HUB, OWN = "hub", "own"
#: Who sees every referral's rows, as far as the rules let them; the assessment's gate stands in the rules (R48).
_ALL = frozenset({Role.HUB, Role.MASH_SUPPORT, Role.DECISION_MAKER, Role.OPERATOR, Role.IG_LEAD})
_SAY = sa.select(
    *(
        sa.func.set_config(f"mash.{name}", sa.bindparam(name, type_=sa.Text), sa.true())
        for name in ("scope", "agency", "team", "account")
    )
)


def open_to_hub(connection: sa.Connection) -> None:
    """A transaction begins: everything is in sight until it ends, or until `narrow`."""
    connection.execute(_SAY, _said(HUB))


def narrow(session: Session, reader: Actor) -> None:
    """Until this transaction ends its queries see what concerns the reader, their agency or team, and no more."""
    if reader.role in _ALL:
        return
    agency = reader.agency if reader.role is Role.AGENCY else None
    team = reader.duty_team if reader.role is Role.DUTY_TEAM else None
    session.execute(_SAY, _said(OWN, agency or "", team or "", reader.id))


def _said(scope: str, agency: str = "", team: str = "", account: str = "") -> dict[str, Any]:
    return {"scope": scope, "agency": agency, "team": team, "account": account}
