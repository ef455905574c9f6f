"""The access table as a page for people: `python -m portal.access_page` writes docs/access.md."""

from __future__ import annotations

from models.settings import HOUSE
from portal.access import ACCESS, NEEDS_SECOND_FACTOR
from portal.words import ROLES
from rules.permissions import Role

FILE = HOUSE / "docs" / "access.md"
_SHORT = {
    Role.DUTY_TEAM: "Duty", Role.AGENCY: "Agency", Role.MASH_SUPPORT: "Support", Role.DECISION_MAKER: "Decider",
    Role.ANALYST: "Analyst", Role.BOARD: "Board", Role.IG_LEAD: "IG", Role.ACCOUNT_ADMIN: "Admin",
    Role.OPERATOR: "Operator",
}  # fmt: skip


def text() -> str:
    """The whole page, in Markdown."""
    heads = " | ".join(_SHORT.values())
    legend = "; ".join(f"{short}: {ROLES[role].lower()}" for role, short in _SHORT.items())
    return (
        "# Who may call what\n\n"
        "Generated from `portal/access.py` by `python -m portal.access_page`; a test fails when it is stale. A route "
        "that is not in the table answers nobody. Behind it, the rules in `rules/permissions.py` look at the referral "
        "itself: what is not yours looks like what does not exist, and the assessment opens to the MASH profile "
        f"alone.\n\n{legend}. ● may call; ◆ may call, after a second factor of the last minutes; "
        "○ needs no account.\n\n"
        f"| route | {heads} |\n|---|{'---|' * len(_SHORT)}\n"
        + "".join(f"| `{route}` | {' | '.join(_cells(route, roles))} |\n" for route, roles in ACCESS.items())
    )


def _cells(route: str, roles: frozenset[Role] | None) -> list[str]:
    may = "◆" if route in NEEDS_SECOND_FACTOR else "●"
    return ["○" if roles is None else may if role in roles else "" for role in _SHORT]


def main() -> None:
    """Write the page."""
    FILE.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
