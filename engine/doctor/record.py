"""What the doctor sees in the record: references and codes alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

import migrations
from casework import agreements, checkpoints, post, upkeep
from casework.checkpoints import Doubtful
from casework.db import now, real_time, unit_of_work
from casework.hold_ups import Why, hold_ups
from casework.register import current_profile
from engine.doctor.findings import Finding, fail, warn, well
from engine.keys import foreign_seals
from models.settings import settings
from rules.errors import Misconfigured, Unavailable
from rules.sharing import Force

#: A deadline is by the record's clock: people would see another time than the one that counts.
SKEW_SEEN, SKEW_WRONG = timedelta(seconds=2), timedelta(seconds=60)
LETTER_IS_LATE, LETTER_IS_STUCK = timedelta(minutes=15), timedelta(hours=2)
#: Each minute some timekeeper works the figures out; when none did for so long, none is at work.
NO_TIMEKEEPER = timedelta(minutes=5)
UNDELIVERED_LATELY = timedelta(days=7)
_BY_HAND = {Why.NOT_CARRIED, Why.STOPPED_BY_OPERATOR}
#: So many references are named in one line.
_NAMED = 5

Look = Callable[[Session], Iterator[Finding]]


def record(clock: Callable[[], datetime]) -> Iterator[Finding]:
    """Everything about the record, as far as it answers. `clock` gives this machine's time, aware UTC."""
    try:
        with unit_of_work() as session:
            yield from _reached(session)
            yield from _skew(session, clock)
            yield from (tables := list(_tables(session)))
    except Unavailable:
        yield fail("record", "It does not answer, so the rest of it was not looked at.", "mash up")
        return
    if any(finding.mend for finding in tables):
        return
    for look in (_calendar, _agreements, _post, _timekeeper, _alarms, _held_clock, _seals, _ledger):
        yield from _in_turn(look)


def _in_turn(look: Look) -> Iterator[Finding]:
    what = look.__name__.strip("_")
    try:
        with unit_of_work() as session:
            yield from list(look(session))
    except Unavailable:
        yield fail(what, "The record fell silent over it.", "mash doctor, again; then the log of PostgreSQL")
    except ProgrammingError:
        yield fail(what, "The record refuses this question to the hub's role.", "mash db upgrade")
    except Misconfigured:
        # The profile, or a key: said where that was looked at.
        return


def _reached(session: Session) -> Iterator[Finding]:
    version = upkeep.version_of_server(session)
    if int(version.split(".")[0]) < 16:
        yield fail("record", f"It is in PostgreSQL {version}.", "move it to PostgreSQL 16 or newer")
    elif upkeep.is_too_mighty(session):
        yield fail(
            "record",
            "The hub works under a role that owns its tables or is above their wall.",
            "mash db roles; then set MASH_DATABASE_URL to mash_app",
        )
    else:
        yield well("record", f"It answers, in PostgreSQL {version}.")


def _skew(session: Session, clock: Callable[[], datetime]) -> Iterator[Finding]:
    before, theirs, after = clock(), real_time(session), clock()
    apart = max(before - theirs, theirs - after, timedelta(0))
    says = f"This machine and the record are {apart.total_seconds():.1f} s apart."
    mend = "keep the time of both machines by NTP: timedatectl set-ntp true"
    if apart > SKEW_WRONG:
        yield fail("time", says, mend)
    elif apart > SKEW_SEEN:
        yield warn("time", says, mend)
    else:
        yield well("time", says)


def _tables(session: Session) -> Iterator[Finding]:
    found, wanted = upkeep.release_of_tables(session), migrations.head()
    if found == wanted:
        yield well("tables", f"They are of this release ({wanted}).")
    elif found is not None and wanted is not None and found > wanted:
        yield fail("tables", f"They are of a newer release ({found}; this is {wanted}).", "run the newer release")
    else:
        yield fail("tables", f"They are of {found or 'no release'}; this release is {wanted}.", "mash db upgrade")


def _calendar(session: Session) -> Iterator[Finding]:
    profile = current_profile()
    today, until = now(session).astimezone(profile.zone_info).date(), profile.hours.known_until
    missing = profile.missing_holidays(today)
    if missing is None:
        yield well("calendar", f"Bank holidays are known until {until:%d %b %Y}.")
    elif today > until:
        yield fail("calendar", f"Bank holidays were known until {until:%d %b %Y} only.", missing)
    else:
        yield warn("calendar", f"Bank holidays are known until {until:%d %b %Y} only.", missing)


def _agreements(session: Session) -> Iterator[Finding]:
    profile = current_profile()
    found = agreements.as_they_stand(session, now(session).astimezone(profile.zone_info).date())
    without = agreements.without_agreement(found, profile)
    soon = [
        f"{each.title} {each.version}"
        for each in found
        if each.force in {Force.ENDS_SOON, Force.REVIEW_DUE} and not each.is_renewed
    ]
    if without:
        yield fail(
            "agreements",
            f"No agreement is in force with {', '.join(without)}: they cannot be asked.",
            "an account administrator enters or renews it on the page /agreements",
        )
    if soon:
        yield warn(
            "agreements",
            f"To be renewed or reviewed soon: {'; '.join(soon)}.",
            "an account administrator renews it on the page /agreements",
        )
    if not without and not soon:
        yield well("agreements", "One is in force with each agency.")


def _post(session: Session) -> Iterator[Finding]:
    age, lost = upkeep.oldest_unsent(session), upkeep.undelivered(session, UNDELIVERED_LATELY)
    if since := post.held_since(session):
        yield warn(
            "post",
            f"No letter leaves since {since:%d %b %Y %H:%M} UTC.",
            "mash post status; then mash post release (docs/restore.md, step 6)",
        )
    elif age and age > LETTER_IS_LATE:
        judge = fail if age > LETTER_IS_STUCK else warn
        yield judge(
            "post",
            f"The oldest unsent letter waits for {_minutes(age)}.",
            "mash post status; then the log of the timekeeper",
        )
    else:
        yield well("post", "No letter waits for long." if age else "No letter waits.")
    if lost:
        yield warn(
            "post",
            f"{lost} letters of the last seven days reached nobody by any channel.",
            "compare the profile's addresses with those in use, then ring whoever was to be told",
        )


def _timekeeper(session: Session) -> Iterator[Finding]:
    taken = upkeep.rounds(session).get("figures")
    if taken is None or taken > NO_TIMEKEEPER:
        since = f"for {_minutes(taken)}" if taken else "yet"
        yield fail("timekeeper", f"None was at work {since}: no deadline is kept.", "mash up")
    else:
        yield well("timekeeper", "One is at work.")


def _alarms(session: Session) -> Iterator[Finding]:
    waiting = [each for each in hold_ups(session) if each.why in _BY_HAND]
    if waiting:
        named = ", ".join(each.reference for each in waiting[:_NAMED]) + ", …" * (len(waiting) > _NAMED)
        says = f"{len(waiting)} referrals wait for an operator: {named}."
        yield fail("alarms", says, f"mash engine status; then mash engine resume {waiting[0].reference}")
    else:
        yield well("alarms", "No referral waits for an operator.")


def _held_clock(session: Session) -> Iterator[Finding]:
    if upkeep.clock_is_held(session):
        yield warn(
            "held clock", f"The hub's time stands still at {now(session):%d %b %Y %H:%M} UTC.", "mash clock release"
        )


def _seals(session: Session) -> Iterator[Finding]:
    if foreign := foreign_seals(session.connection()):
        yield fail(
            "seals",
            f"What key {', '.join(foreign)} sealed cannot be opened: it is not here.",
            "put that key back behind the newest one (docs/restore.md)",
        )
    else:
        yield well("seals", "A sample of what is sealed has its key.")


def _ledger(session: Session) -> Iterator[Finding]:
    folder = settings().checkpoints
    if folder is None:
        yield warn("ledger", "Nobody signs checkpoints of it.", "set MASH_CHECKPOINTS to a folder outside the database")
        return
    try:
        newest = checkpoints.newest(folder, checkpoints.signing_key().public_key().public_bytes_raw())
        changed = checkpoints.not_as_signed(session, newest[1]) if newest else []
    except Doubtful as doubt:
        yield fail("ledger", f"{doubt}.", "mash ledger verify")
        return
    if newest is None:
        yield warn("ledger", f"{folder} holds no checkpoint.", "mash ledger checkpoint")
    elif changed:
        named = ", ".join(changed[:_NAMED])
        yield fail(
            "ledger",
            f"{len(changed)} chains are not as the newest checkpoint signed them: {named}.",
            "mash ledger verify",
        )
    elif real_time(session) - newest[0] > 2 * timedelta(minutes=settings().checkpoint_minutes):
        yield warn("ledger", f"Its newest checkpoint is of {newest[0]:%d %b %Y %H:%M} UTC.", "mash ledger checkpoint")
    else:
        yield well("ledger", f"{len(newest[1])} chains are as the newest checkpoint signed them.")


def _minutes(age: timedelta) -> str:
    return str(timedelta(minutes=round(age.total_seconds() / 60))).removesuffix(":00") + " h"
