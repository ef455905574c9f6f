"""The pages of the portal, by whose work they are."""

from __future__ import annotations

from portal.pages import administration, board, duty, everybody, second_factor, signing_in, tasks

ROUTERS = (
    signing_in.router,
    second_factor.router,
    everybody.router,
    tasks.router,
    board.router,
    duty.router,
    administration.router,
)
