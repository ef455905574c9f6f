"""The pages of the portal, by whose work they are."""

from __future__ import annotations

from portal.pages import (
    administration,
    arrangements,
    basis,
    board,
    break_glass,
    colleagues,
    deciding,
    duty,
    everybody,
    evidence,
    feedback,
    managing,
    provider,
    restricted,
    retention,
    second_factor,
    signing_in,
    subject_access,
    tasks,
    waiting,
)

ROUTERS = (
    signing_in.router,
    provider.router,
    second_factor.router,
    everybody.router,
    feedback.router,
    tasks.router,
    board.router,
    basis.router,
    evidence.router,
    waiting.router,
    restricted.router,
    break_glass.router,
    deciding.router,
    managing.router,
    duty.router,
    administration.router,
    arrangements.router,
    retention.router,
    subject_access.router,
    colleagues.router,
)
