"""Who may do what. Each `check_may_…` raises; what an actor may not know of is *not found*, never *forbidden*."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.errors import NotFound, NotPermitted


class Role(StrEnum):
    """The hats people and systems wear (architecture §6)."""

    DUTY_TEAM = "DUTY_TEAM"
    AGENCY = "AGENCY"
    MASH_SUPPORT = "MASH_SUPPORT"
    DECISION_MAKER = "DECISION_MAKER"
    ANALYST = "ANALYST"
    BOARD = "BOARD"
    IG_LEAD = "IG_LEAD"
    ACCOUNT_ADMIN = "ACCOUNT_ADMIN"
    OPERATOR = "OPERATOR"
    HUB = "HUB"


@dataclass(frozen=True)
class Actor:
    """Who acts, as their credential says; never as a request's body says (defect 2).

    `id` is the account's code. `agency` and `duty_team` are profile codes. `is_person` is false for the token of a
    team's or agency's own system. `manages_colleagues`: their agency's named manager (R47).
    `manager_authority`: a decision maker who may make the outcomes that need a manager (R39).
    """

    id: str
    role: Role
    duty_team: str | None = None
    agency: str | None = None
    mash_profile: bool = False
    is_person: bool = False
    manages_colleagues: bool = False
    manager_authority: bool = False


HUB = Actor(id="HUB", role=Role.HUB)


def check_may_refer(actor: Actor, duty_team: str) -> None:
    """Only a duty team sends referrals, and only its own (R01, R02). Raises NotPermitted."""
    if actor.role is not Role.DUTY_TEAM or actor.duty_team != duty_team:
        raise NotPermitted("only a duty team may send a referral, under its own name")


def is_mash_staff(actor: Actor) -> bool:
    """Whether this actor works in the hub: it may see where every referral stands."""
    return actor.role in {Role.MASH_SUPPORT, Role.DECISION_MAKER}


def is_reader_of_assessment(actor: Actor) -> bool:
    """Whether this actor holds the MASH profile, the one permission that opens the assessment (R48)."""
    return actor.mash_profile and is_mash_staff(actor)


def check_may_read_assessment(actor: Actor) -> None:
    """R48. Raises NotPermitted for everyone without the MASH profile."""
    if not is_reader_of_assessment(actor):
        raise NotPermitted("the MASH assessment opens to the MASH profile alone")


def check_may_run_process(actor: Actor) -> None:
    """MASH staff with the MASH profile chase, answer clarifications and prepare the discussion (R17)."""
    check_may_read_assessment(actor)


def check_may_decide(actor: Actor) -> None:
    """Only a decision maker with the MASH profile, signed in as a person, decides (R17, R36, R39)."""
    if not (actor.role is Role.DECISION_MAKER and actor.mash_profile and actor.is_person):
        raise NotPermitted("only a signed-in decision maker with the MASH profile may decide")


def check_may_resume(actor: Actor) -> None:
    """Operators and MASH staff let a stopped referral go on (F11). Raises NotPermitted."""
    if actor.role is not Role.OPERATOR and not is_mash_staff(actor):
        raise NotPermitted("only an operator or the MASH team lets a stopped referral go on")


def check_may_hold_the_post(actor: Actor) -> None:
    """Operators hold all letters, and let them go, after a backup was put back (F29). Raises NotPermitted."""
    if actor.role is not Role.OPERATOR:
        raise NotPermitted("only an operator holds the post, or lets it go")


def check_may_answer_for(actor: Actor, agency: str) -> None:
    """An agency answers its own checks alone (R49). Raises NotFound: others may not learn who was asked."""
    if actor.role is not Role.AGENCY or actor.agency != agency:
        raise NotFound("there is no such check")


def check_may_follow(actor: Actor, duty_teams: set[str]) -> None:
    """A duty team follows the referrals that concern it; MASH staff and operators follow all. Raises NotFound."""
    if is_mash_staff(actor) or actor.role is Role.OPERATOR:
        return
    if actor.role is Role.DUTY_TEAM and actor.duty_team in duty_teams:
        return
    raise NotFound("there is no such referral")


def check_may_end_early(actor: Actor, originator: str) -> None:
    """The originating duty team, or a decision maker, ends a referral early (R06). Raises NotFound or NotPermitted."""
    if actor.role is Role.DUTY_TEAM:
        if actor.duty_team != originator:
            raise NotFound("there is no such referral")
        return
    check_may_decide(actor)


def check_may_complete_basis(actor: Actor, originator: str) -> None:
    """The originating duty team, or the MASH team, completes the basis (R54). Raises NotFound, NotPermitted."""
    if actor.role is Role.DUTY_TEAM:
        if actor.duty_team != originator:
            raise NotFound("there is no such referral")
        return
    check_may_run_process(actor)


def check_may_correct(actor: Actor, originator: str) -> None:
    """The originating duty team, or the MASH team, corrects a person's details. Raises NotFound, NotPermitted."""
    check_may_complete_basis(actor, originator)


def may_answer_feedback(actor: Actor) -> bool:
    """Whether this actor answers feedback on the process: an account administrator, or a decision maker (R61)."""
    return actor.is_person and actor.role in {Role.ACCOUNT_ADMIN, Role.DECISION_MAKER}


def check_may_answer_feedback(actor: Actor) -> None:
    """R61. Raises NotPermitted."""
    if not may_answer_feedback(actor):
        raise NotPermitted("only an administrator or a decision maker answers feedback")


def check_may_analyse(actor: Actor) -> None:
    """Analysts draw samples and read figures, references and codes, and no case (R60, R63). Raises NotPermitted."""
    if not (actor.role is Role.ANALYST and actor.is_person):
        raise NotPermitted("only a signed-in analyst does this")


def check_may_pack(actor: Actor) -> None:
    """Analysts make packs of boards, and the hub by its schedule (R60). Raises NotPermitted."""
    if actor.role is not Role.HUB:
        check_may_analyse(actor)


def check_may_read_packs(actor: Actor) -> None:
    """Packs are for board members, and for analysts who make them (R59). Raises NotPermitted."""
    if not (actor.role in {Role.BOARD, Role.ANALYST} and actor.is_person):
        raise NotPermitted("only a board member or an analyst reads the packs")
