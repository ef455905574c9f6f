"""The routes of the API, by whose work they are."""

from __future__ import annotations

from portal.routes import (
    basis,
    checks,
    decisions,
    earlier,
    figures,
    outcomes,
    referrals,
    restricted,
    samples,
    service,
    templates,
    waiting,
)

ROUTERS = (
    referrals.router,
    basis.router,
    earlier.router,
    checks.router,
    waiting.router,
    decisions.router,
    decisions.for_manager,
    templates.router,
    outcomes.router,
    samples.router,
    figures.router,
    restricted.router,
    service.router,
)
