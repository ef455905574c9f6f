"""What each role finds at the top of every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rules.permissions import Actor, Role


class Link(NamedTuple):
    """A page and what it is called."""

    path: str
    text: str


_ABOUT = Link("/about", "What the MASH does")
_FEEDBACK = Link("/feedback", "Feedback")
_YOU = Link("/you", "Your account")
_BOARD = Link("/board", "Board")
_FOR_MANAGER = Link("/for-manager", "For a manager")
_ARRANGED = (
    Link("/agreements", "Agreements"),
    Link("/calendar", "Calendar"),
    Link("/profile-versions", "Profile"),
    Link("/retention", "Retention"),
    Link("/openings", "Stopped accounts"),
)
_GLASS = Link("/break-glass-uses", "Break-glass")
_RESTRICTED = Link("/restricted", "Restricted")
_PACKS = Link("/packs", "Board packs")
_COLLEAGUES = Link("/colleagues", "Your colleagues")
_OF_ROLE: Mapping[Role, tuple[Link, ...]] = {
    Role.AGENCY: (Link("/tasks", "Your checks"), Link("/your-figures", "Your figures"), _RESTRICTED),
    Role.DUTY_TEAM: (Link("/referrals", "Your referrals"), Link("/refer", "Refer"), _RESTRICTED),
    Role.MASH_SUPPORT: (_BOARD, _RESTRICTED),
    Role.DECISION_MAKER: (_BOARD, _FOR_MANAGER, Link("/second-looks", "Second looks"), _RESTRICTED),
    Role.ANALYST: (
        Link("/sla", "Timeliness"), Link("/threshold-agreement", "Agreement"), Link("/samples", "Dip samples"), _PACKS,
    ),
    Role.BOARD: (_PACKS,),
    Role.ACCOUNT_ADMIN: (Link("/accounts", "Accounts"), *_ARRANGED),
    Role.IG_LEAD: (
        *_ARRANGED, Link("/subject-access", "Subject access"), _GLASS, Link("/declines", "Refusals to share"),
        Link("/record-sample", "Sample of the record"),
    ),
}  # fmt: skip


def links_of(actor: Actor) -> tuple[Link, ...]:
    """The pages of a person's own work, and those of everybody."""
    managed = (_COLLEAGUES,) if actor.manages_colleagues else ()
    return (*_OF_ROLE.get(actor.role, ()), *managed, _ABOUT, _FEEDBACK, _YOU)


def home_of(actor: Actor) -> str:
    """Where a person's work is."""
    return links_of(actor)[0].path


def referral_page(actor: Actor, reference: str) -> str:
    """Where a person sees a referral; the link in every message leads here."""
    if actor.role is Role.AGENCY:
        return f"/checks/{reference}"
    if actor.role is Role.DUTY_TEAM:
        return f"/referrals/{reference}"
    if actor.role in {Role.MASH_SUPPORT, Role.DECISION_MAKER}:
        return f"/board/{reference}"
    return home_of(actor)
