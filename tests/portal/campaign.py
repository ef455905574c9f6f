"""`python -m tests.portal.campaign`: the guesses, replays and timings of reliability §4.1 and §4.2 in full counts.

    python -m tests.portal.campaign [--share 0.1] [--only S-11 S-13 …]

The suite tries each of these a few times; here are ten thousand guesses, a thousand tries, five hundred timings. One
line is printed for each figure, and the end is 1 when one of them was missed. A timing is worth what the machine's load
lets it be worth, so that the load is printed too.
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlmodel import select, update

import migrations
from casework import signin
from casework.db import now, unit_of_work
from casework.register import current_profile, use_profile
from casework.sessions import open_session, real_now
from casework.signin import Answer
from engine.ports import ANY_FREE
from engine.stack import PARTS, Stack
from models.account import Account
from models.outbox import Notice
from models.signin import Throttle
from notifications.account_letters import AccountLetter
from portal import cookies
from portal.app import create_app
from rules.errors import Unavailable
from tests.hub import BUSY, surroundings
from tests.portal.caller import FORM, Caller, Question, form
from tests.portal.conftest import _open_accounts
from tests.portal.office import Office
from tests.portal.people import PASSWORD, Person, address_of, let_in, newest_secret
from tests.portal.principals import BROWSER
from tests.portal.things import ABSENT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

VICTIM, OTHER = "POLICE", "RUH"
WRONG = "a wrong password of no importance"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=31)
STAY, VISIT = "mash-session", "mash-visit"


class Figure(NamedTuple):
    """What came of one trial, and whether it holds."""

    told: str
    held: bool


class Hub(NamedTuple):
    """What trials are made on. `times` gives how often a trial of so many is made in this run."""

    client: Any
    caller: Caller
    office: Office
    times: Callable[[int], int]


# --- S-11: guesses at codes ---


def guesses_at_one_moment(hub: Hub) -> Figure:
    """S-11: fifty at once, from ever new sign-ins of one quarter of an hour."""
    let_in(VICTIM)
    at, answers = real_time(), Counter[str]()
    many = hub.times(10_000)
    with ThreadPoolExecutor(50) as together:
        for begun in range(10):
            browser = begin(PASSWORD, at, "192.0.2.1").token
            wrong = wrong_code()
            answers.update(together.map(lambda _, at=at, b=browser, w=wrong: guessed(b, w, at), range(many // 10)))
            at += timedelta(seconds=31 + begun)
    evaluated, came_in = answers[Answer.WRONG.value], answers[Answer.GO_ON.value]
    told = f"{many} guesses, 50 at once, ten sign-ins in a quarter of an hour: {evaluated} evaluated"
    return Figure(f"{told}; {dict(answers)}", evaluated <= 10 and came_in == 0)


def guesses_for_weeks(hub: Hub) -> Figure:
    """S-11: as many as are allowed, every half hour: a hundred in a row shut the account, the right code with it."""
    let_in(VICTIM)
    at, evaluated, many = real_time(), 0, max(600, hub.times(10_000))
    for _ in range(many // 20):
        browser = begin(PASSWORD, at, "192.0.2.1").token
        wrong = wrong_code()
        evaluated += sum(guessed(browser, wrong, at) == Answer.WRONG.value for _ in range(20))
        at += HALF_AN_HOUR
    after = begin(PASSWORD, at, "192.0.2.1").answer
    let_in(VICTIM)
    told = f"{many} guesses over {many // 20 * HALF_AN_HOUR // timedelta(days=1)} days: {evaluated} evaluated"
    return Figure(
        f"{told}, then the right password is answered {after.value!r}", evaluated <= 100 and after is Answer.WRONG
    )


def guesses_from_everywhere(hub: Hub) -> Figure:
    """S-11: by HTTP, each said by a forged X-Forwarded-For to come from somewhere else; then the right code."""
    let_in(VICTIM)
    somebody = Person(hub.client, VICTIM)
    somebody.send("/sign-in", {"email": address_of(VICTIM), "password": PASSWORD})
    visit, right = somebody.cookies[VISIT], newest_secret(AccountLetter.SIGN_IN_CODE)
    own = {"Cookie": f"{VISIT}={visit}", "Content-Type": FORM, cookies.HEADER: cookies.form_token(visit)} | BROWSER
    many, wrong = hub.times(10_000), wrong_code()
    answers = hub.caller.ask(
        *(
            Question(
                "POST",
                "/sign-in/code",
                own | {"X-Forwarded-For": f"198.51.{n // 250}.{n % 250}"},
                form({"code": wrong}),
            )
            for n in range(many)
        ),
        Question("POST", "/sign-in/code", own, form({"code": right})),
    )
    statuses = Counter(told.status for told in answers[:-1])
    told = f"{many} guesses by HTTP with a forged X-Forwarded-For: {statuses[422]} evaluated, {statuses[429]} refused"
    return Figure(
        f"{told}; then the right code: {answers[-1].status}", statuses[422] <= 5 and answers[-1].status == 429
    )


_SHUT = Answer.WRONG


# --- S-12: shutting somebody out, and bombing them with codes ---


def tries_to_lock_somebody_out(hub: Hub) -> Figure:
    """S-12: wrong passwords for one person from many places; meanwhile they sign in from a browser that is known."""
    let_in(VICTIM)
    at, many = real_time(), hub.times(1_000)
    with unit_of_work() as session:
        known = signin.known_browser(session, VICTIM, at=at)
    came_in, tried = 0, 0
    codes = letters()
    for number in range(many):
        begin(WRONG, at, f"198.51.{number // 250}.{number % 250}")
        if number % (many // 10) == 0:
            at += HALF_AN_HOUR
            tried += 1
            browser = begin(PASSWORD, at, "192.0.2.1", known).token
            came_in += bool(browser) and guessed(browser, newest_secret(AccountLetter.SIGN_IN_CODE), at) == "go on"
    sent = letters() - codes
    told = (
        f"{many} tries of a stranger: the person came in {came_in} of {tried} times; {sent} codes left, all their own"
    )
    return Figure(told, came_in == tried == sent)


# --- S-13: who has an account ---


def time_tells_nobody_who_has_an_account(hub: Hub) -> Figure:
    """S-13: known, unknown and disabled, in turn; means of the time that signing in takes."""
    for account_id in (VICTIM, OTHER):
        let_in(account_id)
    with unit_of_work() as session:
        session.get_one(Account, OTHER).disabled_at = now(session)
    addresses = {"known": address_of(VICTIM), "unknown": "nobody@people.example", "disabled": address_of(OTHER)}
    took = Took(*addresses)
    for _ in range(hub.times(1_000)):
        for kind, address in addresses.items():
            with took.timing(kind), unit_of_work() as session:
                signin.begin(session, address, WRONG, place="192.0.2.9", known="", at=real_now(session))
    with unit_of_work() as session:
        session.get_one(Account, OTHER).disabled_at = None
    return took.alike(statistics.fmean, "mean", 10)


# --- S-2: what is not yours and what does not exist ---


def time_tells_nobody_what_exists(hub: Hub) -> Figure:
    """S-2: refused and absent, in turn, at the median: the same answer, as fast."""
    there = [hub.office.refer_and_ask() for _ in range(3)]
    own = {"Cookie": f"{STAY}={stay_of(OTHER)}"} | BROWSER
    took, bodies = Took("refused", "absent"), set()
    for number in range(hub.times(500)):
        for kind, reference in (("refused", there[number % 3]), ("absent", ABSENT.reference)):
            with took.timing(kind):
                [told] = hub.caller.ask(Question("GET", f"/checks/{reference}", own))
            bodies.add((told.status, told.body.replace(reference.encode(), b"")))
    figure = took.alike(statistics.median, "median", 5)
    return Figure(f"{figure.told}; {len(bodies)} kind of answer", figure.held and len(bodies) == 1)


class Took:
    """How long each kind of question took, by the clock and by the processor's own count."""

    def __init__(self, *kinds: str) -> None:
        self._clock: dict[str, list[float]] = {kind: [] for kind in kinds}
        self._processor: dict[str, list[float]] = {kind: [] for kind in kinds}

    @contextmanager
    def timing(self, kind: str) -> Iterator[None]:
        """Time one question."""
        clock, processor = time.perf_counter(), time.process_time()
        yield
        self._clock[kind].append(time.perf_counter() - clock)
        self._processor[kind].append(time.process_time() - processor)

    def alike(self, middle: Callable[[list[float]], float], name: str, most: float) -> Figure:
        """Whether the kinds are less than `most` ms apart; by the processor's count where the machine is busy."""
        clock, processor = (self._gap(times, middle) for times in (self._clock, self._processor))
        busy = os.getloadavg()[0] > (os.cpu_count() or 1)
        count = len(next(iter(self._clock.values())))
        apart = f"{clock[1]:.1f} ms apart by the clock, {processor[1]:.1f} ms by the processor"
        told = f"{count} each: {name}s {clock[0]}, {apart}"
        judged = f"{told} (which counts here: the machine is busy)" if busy else told
        return Figure(f"{judged}; at most {most:g}", (processor if busy else clock)[1] < most)

    @staticmethod
    def _gap(times: Mapping[str, list[float]], middle: Callable[[list[float]], float]) -> tuple[str, float]:
        found = {kind: middle(each) * 1000 for kind, each in times.items()}
        words = ", ".join(f"{kind} {milliseconds:.1f} ms" for kind, milliseconds in found.items())
        return words, max(found.values()) - min(found.values())


# --- S-14: sessions ---


def planted_ids_open_nothing(hub: Hub) -> Figure:
    """S-14: fixation: somebody signs in with an id that a stranger planted in their browser."""
    opened = 0
    for number in range(20):
        let_in(VICTIM)
        planted = f"planted-{number}"
        person = Person(hub.client, VICTIM)
        person.cookies = {STAY: planted, VISIT: planted}
        person.sign_in()
        thief = Person(hub.client, VICTIM)
        for cookie in ({STAY: planted}, {VISIT: planted}):
            thief.cookies = dict(cookie)
            opened += thief.get("/you").status_code == 200
        opened += planted in person.cookies.values()
    return Figure(f"20 planted ids: {20 - opened} never valid", opened == 0)


def whoever_signed_out_is_out(hub: Hub) -> Figure:
    """S-14: the cookie of a session that was signed out is sent again."""
    stays = [stay_of(VICTIM) for _ in range(100)]
    was_in = came_in = 0
    for stay in stays:
        person = Person(hub.client, VICTIM)
        person.cookies = {STAY: stay}
        was_in += person.get("/you").status_code == 200
        person.post("/sign-out")
        person.cookies = {STAY: stay}
        came_in += person.get("/you").status_code == 200
    return Figure(f"{was_in} sessions, signed out and replayed: {came_in} came in", (was_in, came_in) == (100, 0))


TRIALS: Mapping[Callable[[Hub], Figure], str] = {
    time_tells_nobody_what_exists: "S-2",
    guesses_at_one_moment: "S-11",
    guesses_for_weeks: "S-11",
    guesses_from_everywhere: "S-11",
    tries_to_lock_somebody_out: "S-12",
    time_tells_nobody_who_has_an_account: "S-13",
    planted_ids_open_nothing: "S-14",
    whoever_signed_out_is_out: "S-14",
}


def real_time() -> datetime:
    """Real time, which sessions and codes live by."""
    return datetime.now(UTC)


def begin(password: str, at: datetime, place: str, known: str = "") -> signin.Step:
    """The first step of a sign-in as the person under attack."""
    with unit_of_work() as session:
        return signin.begin(session, address_of(VICTIM), password, place=place, known=known, at=at)


def guessed(browser: str, code: str, at: datetime) -> str:
    """How a guess was answered."""
    try:
        with unit_of_work() as session:
            return str(signin.finish(session, browser, code, at=at).answer.value)
    except Unavailable:
        return "no answer"


def wrong_code() -> str:
    """A code that is not the newest one."""
    return f"{(int(newest_secret(AccountLetter.SIGN_IN_CODE)) + 1) % 10**6:06d}"


def letters() -> int:
    """How many codes were written to anybody."""
    with unit_of_work() as session:
        return len(session.exec(select(Notice.id).where(Notice.message == AccountLetter.SIGN_IN_CODE)).all())


def stay_of(account_id: str) -> str:
    """The token of a session that somebody has open."""
    with unit_of_work() as session:
        return open_session(session, session.get_one(Account, account_id), at=real_now(session))


def _forget_the_trial_before() -> None:
    """Trials have times of their own, some of them weeks ahead: what they counted and wrote is put behind them."""
    with unit_of_work() as session:
        session.execute(update(Throttle).values(tries=0, since=LONG_AGO))
        session.execute(update(Notice).values(written_at=LONG_AGO))


@contextmanager
def a_hub(share: float) -> Iterator[Hub]:
    """A portal on a PostgreSQL of its own, with everybody's account."""
    folder = Path(tempfile.mkdtemp(prefix="mash-campaign-"))
    folder.chmod(0o711)
    with Stack(folder, ANY_FREE, without=[part for part in PARTS if part != "postgres"]) as stack:
        migrations.upgrade(stack.environment()["MASH_OWNER_DATABASE_URL"])
        with surroundings(stack.environment() | BUSY):
            with unit_of_work() as session:
                use_profile(session, current_profile(), now(session))
                tokens = _open_accounts(session)
            caller = Caller(create_app())
            with TestClient(create_app(), base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
                yield Hub(client, caller, Office(client, tokens), lambda full: max(20, int(full * share)))
            caller.close()
    shutil.rmtree(folder)


def main() -> int:
    """Try everything asked for; 0 when every figure holds."""
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(
        prog="python -m tests.portal.campaign", description="Security trials, full counts."
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts: 0.1 is a tenth of them")
    parser.add_argument("--only", nargs="*", default=[], metavar="S-n", help="only these rows")
    asked = parser.parse_args()
    missed = 0
    with a_hub(asked.share) as hub:
        print(
            f"{datetime.now(UTC):%d %B %Y}, {os.cpu_count()} cores, share {asked.share:g} of the full counts",
            flush=True,
        )
        for trial, row in TRIALS.items():
            if asked.only and row not in asked.only:
                continue
            _forget_the_trial_before()
            started = time.monotonic()
            figure = trial(hub)
            missed += not figure.held
            word = "holds" if figure.held else "MISSED"
            spent = f"{time.monotonic() - started:.0f} s at load {os.getloadavg()[0]:.0f}"
            print(f"{row:5} {word:6} {figure.told} [{spent}]", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
