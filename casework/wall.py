"""The second wall: the database itself shows a reader only what concerns them, whatever a query forgets (S-4).

Who may read what is the rules' business (rules/permissions.py); this stands behind them. Each transaction begins with
everything in sight, since a verb works on a whole referral: an agency's return settles a wait that is also others'.
Whoever only reads is shown less; whoever acts is asked afterwards whether they would have been shown that referral. A
connection on which nobody has said who reads sees nothing. The policies are in the migration that put the wall up.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from rules.errors import NotFound
from rules.permissions import Actor, Role

HUB, OWN = "hub", "own"
#: Who sees every referral's rows, as far as the rules let them; the assessment's gate stands in the rules (R48).
_ALL = frozenset({Role.HUB, Role.MASH_SUPPORT, Role.DECISION_MAKER, Role.OPERATOR, Role.IG_LEAD})
#: Not the model: whoever has just stepped back from a referral was not wrong to act on it.
_REFERRAL = sa.table("referral", sa.column("reference"))
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


def check_reach(session: Session, actor: Actor, reference: str) -> None:
    """What was done in this transaction was about a referral that the database shows this actor, or it is undone.

    Raises NotFound.
    """
    if actor.role in _ALL:
        return
    narrow(session, actor)
    is_shown = session.execute(sa.select(sa.exists().where(_REFERRAL.c.reference == reference))).scalar()
    session.execute(_SAY, _said(HUB))
    if not is_shown:
        raise NotFound("there is no such referral")


def _said(scope: str, agency: str = "", team: str = "", account: str = "") -> dict[str, Any]:
    return {"scope": scope, "agency": agency, "team": team, "account": account}
