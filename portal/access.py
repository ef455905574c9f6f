"""Which roles may call which route at all: one table (R48). What they may see behind it is the rules' business."""

from __future__ import annotations

from collections.abc import Mapping

from rules.errors import Misconfigured
from rules.permissions import Role

ANYBODY: frozenset[Role] | None = None
_SIGNED_IN = frozenset(Role) - {Role.HUB}
_MASH = frozenset({Role.MASH_SUPPORT, Role.DECISION_MAKER})
_FOLLOWERS = _MASH | {Role.DUTY_TEAM, Role.OPERATOR}
_ENDS_EARLY = frozenset({Role.DUTY_TEAM, Role.DECISION_MAKER})
_DUTY_TEAM = frozenset({Role.DUTY_TEAM})
_AGENCY = frozenset({Role.AGENCY})
_DECIDES = frozenset({Role.DECISION_MAKER})
_REFERRAL = "/api/v1/referrals/{reference}"
_ADMINISTERS = frozenset({Role.ACCOUNT_ADMIN})
_READS_REGISTER = frozenset({Role.ACCOUNT_ADMIN, Role.IG_LEAD})
_GOVERNS = frozenset({Role.IG_LEAD})
_ANSWERS_FEEDBACK = frozenset({Role.ACCOUNT_ADMIN, Role.DECISION_MAKER})

#: ANYBODY needs no credential. A route that is not here answers nobody.
ACCESS: Mapping[str, frozenset[Role] | None] = {
    "GET /health": ANYBODY,
    "GET /static/{name}": ANYBODY,
    "GET /api/v1/openapi.json": ANYBODY,
    "GET /api/v1/accounts/me": _SIGNED_IN,
    "POST /api/v1/accounts/me/second-factor": _SIGNED_IN,
    # An agency is refused too, but told of the front door, and counted (R02).
    "POST /api/v1/referrals": _DUTY_TEAM | _AGENCY,
    "GET /api/v1/referrals": _FOLLOWERS,
    f"GET {_REFERRAL}": _FOLLOWERS,
    f"GET {_REFERRAL}/basis": _MASH | _DUTY_TEAM,
    f"POST {_REFERRAL}/basis": _MASH | _DUTY_TEAM,
    f"POST {_REFERRAL}/clear-concern": _ENDS_EARLY,
    f"POST {_REFERRAL}/withdraw": _ENDS_EARLY,
    f"POST {_REFERRAL}/discuss-now": _MASH,
    f"POST {_REFERRAL}/discussions": _MASH,
    f"POST {_REFERRAL}/views": _MASH | _AGENCY,
    f"POST {_REFERRAL}/decisions": _DECIDES,
    f"POST {_REFERRAL}/reconsideration": _DECIDES,
    f"GET {_REFERRAL}/outcome": _DUTY_TEAM,
    f"POST {_REFERRAL}/acknowledgement": _DUTY_TEAM,
    "GET /api/v1/checks": _AGENCY,
    f"GET {_REFERRAL}/check": _AGENCY,
    f"POST {_REFERRAL}/check/acknowledge": _AGENCY,
    f"POST {_REFERRAL}/check/clarify": _AGENCY,
    f"POST {_REFERRAL}/check/return": _AGENCY,
    f"POST {_REFERRAL}/check/decline": _AGENCY,
    f"GET {_REFERRAL}/checks/{{agency}}": _MASH,
    f"POST {_REFERRAL}/checks/{{agency}}/answer": _MASH,
    f"POST {_REFERRAL}/checks": _MASH,
    f"POST {_REFERRAL}/checks/{{agency}}/extend": _MASH,
    f"POST {_REFERRAL}/checks/{{agency}}/pause": _MASH,
    f"POST {_REFERRAL}/checks/{{agency}}/resume": _MASH,
    f"POST {_REFERRAL}/checks/{{agency}}/chase": _MASH,
    f"GET {_REFERRAL}/template": _MASH,
    f"GET {_REFERRAL}/templates/{{version}}": _MASH,
    # Pages. Who is not signed in is led to the sign-in page.
    "GET /sign-in": ANYBODY,
    "POST /sign-in": ANYBODY,
    "GET /sign-in/provider": ANYBODY,
    "GET /sign-in/provider/back": ANYBODY,
    "GET /sign-in/code": ANYBODY,
    "POST /sign-in/code": ANYBODY,
    "POST /sign-in/code/again": ANYBODY,
    "GET /invitation/{token}": ANYBODY,
    "POST /invitation/{token}": ANYBODY,
    "GET /about": ANYBODY,
    "GET /": _SIGNED_IN,
    "GET /r/{reference}": _SIGNED_IN,
    "GET /you": _SIGNED_IN,
    "GET /you/authenticator": _SIGNED_IN,
    "POST /you/authenticator": _SIGNED_IN,
    "POST /sign-out": _SIGNED_IN,
    "GET /stay": _SIGNED_IN,
    "POST /stay": _SIGNED_IN,
    "GET /step-up": _SIGNED_IN,
    "POST /step-up": _SIGNED_IN,
    "POST /step-up/again": _SIGNED_IN,
    "GET /kept": _SIGNED_IN,
    "GET /feedback": _SIGNED_IN,
    "POST /feedback": _SIGNED_IN,
    "GET /feedback/{feedback_id}": _ANSWERS_FEEDBACK,
    "POST /feedback/{feedback_id}": _ANSWERS_FEEDBACK,
    "GET /tasks": _AGENCY,
    "GET /checks/{reference}": _AGENCY,
    "POST /checks/{reference}/acknowledge": _AGENCY,
    "GET /checks/{reference}/return": _AGENCY,
    "POST /checks/{reference}/return": _AGENCY,
    "POST /checks/{reference}/draft": _AGENCY,
    "GET /checks/{reference}/nothing-known": _AGENCY,
    "POST /checks/{reference}/nothing-known": _AGENCY,
    "GET /checks/{reference}/question": _AGENCY,
    "POST /checks/{reference}/question": _AGENCY,
    "GET /checks/{reference}/urgent": _AGENCY,
    "POST /checks/{reference}/urgent": _AGENCY,
    "GET /checks/{reference}/decline": _AGENCY,
    "POST /checks/{reference}/decline": _AGENCY,
    "GET /checks/{reference}/view": _AGENCY,
    "POST /checks/{reference}/view": _AGENCY,
    "GET /checks/{reference}/readers": _AGENCY,
    "GET /referrals": _DUTY_TEAM,
    "GET /refer": _DUTY_TEAM,
    "POST /refer": _DUTY_TEAM,
    "GET /refer/details": _DUTY_TEAM,
    "POST /refer/details": _DUTY_TEAM,
    "POST /refer/draft": _DUTY_TEAM,
    "GET /referrals/{reference}": _DUTY_TEAM,
    "GET /referrals/{reference}/basis": _DUTY_TEAM,
    "POST /referrals/{reference}/basis": _DUTY_TEAM,
    "GET /referrals/{reference}/outcome": _DUTY_TEAM,
    "POST /referrals/{reference}/acknowledgement": _DUTY_TEAM,
    "GET /referrals/{reference}/clear-concern": _DUTY_TEAM,
    "POST /referrals/{reference}/clear-concern": _DUTY_TEAM,
    "GET /referrals/{reference}/withdraw": _DUTY_TEAM,
    "POST /referrals/{reference}/withdraw": _DUTY_TEAM,
    "GET /colleagues": _AGENCY,
    "POST /colleagues": _AGENCY,
    "GET /accounts": _ADMINISTERS,
    "GET /agreements": _READS_REGISTER,
    "GET /agreements/{agreement_id}": _READS_REGISTER,
    "GET /agreements-add": _ADMINISTERS,
    "POST /agreements-add": _ADMINISTERS,
    "GET /agreements/{agreement_id}/renew": _ADMINISTERS,
    "POST /agreements/{agreement_id}/renew": _ADMINISTERS,
    "POST /agreements/{agreement_id}/end": _ADMINISTERS,
    "GET /calendar": _READS_REGISTER,
    "GET /profile-versions": _READS_REGISTER,
    "GET /retention": _READS_REGISTER,
    "POST /retention/{list_id}/agree": _READS_REGISTER,
    "GET /retention-holds": _GOVERNS,
    "POST /retention-holds": _GOVERNS,
    "GET /retention-holds/{hold_id}": _GOVERNS,
    "POST /retention-holds/{hold_id}": _GOVERNS,
    "GET /accounts-stale": _ADMINISTERS,
    "POST /accounts-stale": _ADMINISTERS,
    "GET /accounts-add": _ADMINISTERS,
    "POST /accounts-add": _ADMINISTERS,
    "GET /accounts/{account_id}": _ADMINISTERS,
    "POST /accounts/{account_id}/invite": _ADMINISTERS,
    "POST /accounts/{account_id}/address": _ADMINISTERS,
    "POST /accounts/{account_id}/disable": _ADMINISTERS,
    "POST /accounts/{account_id}/manager": _ADMINISTERS,
    "POST /accounts/{account_id}/manager/withdraw": _ADMINISTERS,
    "POST /accounts/{account_id}/mash-profile": _ADMINISTERS,
    "POST /accounts/{account_id}/mash-profile/withdraw": _ADMINISTERS,
    "GET /board": _MASH,
    "GET /board-rows": _MASH,
    "GET /board-locked": ANYBODY,
    "GET /board/{reference}/news": _MASH,
    "GET /board/{reference}": _MASH,
    "GET /board/{reference}/basis": _MASH,
    "POST /board/{reference}/basis": _MASH,
    "GET /board/{reference}/discuss-now": _MASH,
    "POST /board/{reference}/discuss-now": _MASH,
    "GET /board/{reference}/urgency": _MASH,
    "POST /board/{reference}/urgency": _MASH,
    "GET /board/{reference}/discussion": _MASH,
    "POST /board/{reference}/discussion": _MASH,
    "POST /board/{reference}/discussion/draft": _MASH,
    "GET /board/{reference}/view": _MASH,
    "POST /board/{reference}/view": _MASH,
    "GET /board/{reference}/decision": _DECIDES,
    "POST /board/{reference}/decision": _DECIDES,
    "POST /board/{reference}/evidence": _DECIDES,
    "POST /board/{reference}/decision/draft": _DECIDES,
    "GET /board/{reference}/dissent": _DECIDES,
    "POST /board/{reference}/dissent": _DECIDES,
    "GET /board/{reference}/reconsideration": _DECIDES,
    "POST /board/{reference}/reconsideration": _DECIDES,
    "GET /board/{reference}/checks/{agency}": _MASH,
    "POST /board/{reference}/checks/{agency}": _MASH,
    "GET /board/{reference}/ask": _MASH,
    "POST /board/{reference}/ask": _MASH,
    "POST /board/{reference}/checks/{agency}/chase": _MASH,
    "POST /board/{reference}/checks/{agency}/urgent": _MASH,
    "GET /board/{reference}/checks/{agency}/extend": _MASH,
    "POST /board/{reference}/checks/{agency}/extend": _MASH,
    "GET /board/{reference}/checks/{agency}/pause": _MASH,
    "POST /board/{reference}/checks/{agency}/pause": _MASH,
    "POST /board/{reference}/checks/{agency}/resume": _MASH,
}

#: What is done only after a second factor of the last minutes (S-16): what cannot be taken back, or opens a door.
NEEDS_SECOND_FACTOR: frozenset[str] = frozenset(
    {
        f"POST {_REFERRAL}/decisions",
        f"POST {_REFERRAL}/reconsideration",
        "POST /board/{reference}/decision",
        "POST /board/{reference}/reconsideration",
        "POST /accounts-add",
        "POST /retention/{list_id}/agree",
        "POST /retention-holds/{hold_id}",
        "POST /accounts/{account_id}/address",
        "POST /accounts/{account_id}/invite",
        "POST /accounts/{account_id}/mash-profile",
        "POST /accounts/{account_id}/manager",
    }
)


def allowed_on(method: str, path: str) -> frozenset[Role] | None:
    """The roles that may call a route, ANYBODY for all. Raises Misconfigured for a route without an entry."""
    try:
        return ACCESS[f"{method} {path}"]
    except KeyError:
        raise Misconfigured(f"portal/access.py: no entry for {method} {path}") from None
