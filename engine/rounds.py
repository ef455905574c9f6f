"""The rounds that copies of the timekeeper share and that need no engine: what is to go, and who still works here.

Each is taken by whichever copy comes first, once in its time, by the record's clock.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlmodel import Session

from casework import board_packs, calendar_end, confirmation, leftovers, retention
from casework.db import now, real_time, unit_of_work
from casework.register import current_profile
from casework.repairs import take_turn
from engine.turns import is_ours
from reports import packs, refresh
from rules.people import Side
from rules.permissions import HUB

log = logging.getLogger("mash.timekeeper")

MINUTE, HOUR, DAY, MONTH = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1), timedelta(days=30)


def keep_rounds() -> None:
    """Take every round whose time has come. Raises Unavailable."""
    clear()
    confirm()
    list_what_is_over()
    erase()
    pack()
    look_ahead()


def clear() -> None:
    """Each hour: delete what signing in left behind, and what the retention schedule keeps no longer of the rest."""
    with unit_of_work() as session:
        if not take_turn(session, "leftovers", HOUR):
            return
        profile = current_profile()
        cleared = {
            "old sign-ins, sessions, links, counts of tries and kept forms deleted": leftovers.clear(session),
            "accounts of people who left cleared": leftovers.clear_leavers(session, profile),
            "old pieces of feedback deleted": leftovers.clear_feedback(session, profile),
            "old notices deleted": retention.clear_notices(session, profile),
        }
    for what, count in cleared.items():
        if count:
            log.info("%d %s", count, what)


def confirm() -> None:
    """Each day: close accounts that nobody confirmed."""
    with unit_of_work() as session:
        mine = take_turn(session, "confirmation", DAY)
        closed = confirmation.keep_round(session, current_profile(), at=real_time(session)) if mine else []
    for account_id in closed:
        log.warning("account %s was not confirmed in time, and is disabled", account_id)


def list_what_is_over() -> None:
    """Each month: list the referrals whose retention period is over. It erases nothing (S-27)."""
    with unit_of_work() as session:
        mine = take_turn(session, "retention", MONTH)
        listed = retention.list_what_is_over(session, current_profile(), at=now(session)) if mine else None
    if listed:
        log.warning("erasure list %s waits for two people to agree", listed)


def erase() -> None:
    """Each hour: erase what two people agreed to."""
    with unit_of_work() as session:
        mine, at = take_turn(session, "erasure", HOUR), now(session)
    gone = retention.erase_agreed(current_profile(), at=at) if mine else 0
    if gone:
        log.info("%d referrals erased under the retention schedule", gone)


def pack() -> None:
    """Each day: make the boards' packs of the last quarter, once it has settled (R60)."""
    with unit_of_work() as session:
        mine, at = take_turn(session, "packs", DAY), now(session)
        made = pack_boards(session, at=at) if mine else []
    for side in made:
        log.info("the pack of the last quarter is made: %s", side)


def pack_boards(session: Session, *, at: datetime) -> list[Side]:
    """The packs of the quarter that had settled by `at`; those that are made already stay. Which they were."""
    profile = current_profile()
    quarter = packs.ended((at - packs.SETTLES).astimezone(profile.zone_info).date(), 1)[0]
    wanted = [side for side in Side if board_packs.made(session, side, quarter.first) is None]
    for side in wanted:
        content = packs.content(session, side, quarter, profile)
        board_packs.keep(session, side, (quarter.first, quarter.last), content, by=HUB, at=at)
    return wanted


def look_ahead() -> None:
    """Each day: say that the known bank holidays end within a quarter, to operators until somebody has added more."""
    with unit_of_work() as session:
        mine, at = take_turn(session, "calendar", DAY), now(session)
        to_do = calendar_end.warn(session, current_profile(), at=at) if mine else None
    if to_do:
        log.warning("%s", to_do)


def keep_figures() -> None:
    """Each minute: work out anew the figures of the referrals that changed (R25)."""
    mine = is_ours("figures", MINUTE)
    while mine:
        with unit_of_work() as session:
            mine = refresh.refresh(session) > 0
