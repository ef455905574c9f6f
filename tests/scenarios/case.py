"""The words in which scenarios are written. Every act goes through the JSON API, as its actor; every check reads back
what the hub shows, says in its mail, or holds in its record.

Duty teams and agencies are named by what they are in B&NES. In another area the same are played by those that hold the
same there (R70): `Case` speaks with the hub in that area's codes.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from engine import trial
from engine.api import Api, ApiRefused
from models.profile import Profile
from portal.examples import cast
from rules.errors import Unavailable
from tests.scenarios.week import Week

#: An agency's answers on an item that it gives to the MASH and the duty team.
GIVEN = {"relevant": True, "necessary": True, "proportionate": True, "recipients": "DUTY_TEAM"}

LONDON = ZoneInfo("Europe/London")
#: How long the hub may take for what it does by itself, in seconds.
PATIENCE = 120.0


class Failed(AssertionError):
    """A scenario did not go as it says."""


def london(words: str) -> datetime:
    """`Mon 16 Mar 2026 10:00` as a moment. Raises ValueError when that day is no Monday."""
    moment = datetime.strptime(words[4:], "%d %b %Y %H:%M").replace(tzinfo=LONDON)
    if moment.strftime("%a") != words[:3]:
        raise ValueError(f"{words}: that day is a {moment:%A}")
    return moment


#: How an account (its id, the hub's URL, its token) comes to its view of the hub.
SignIn = Callable[[str, str, str], Api]


class Theatre:
    """What all cases of one pack share: the hub's address, everybody's tokens, the mail, and a look at the record."""

    def __init__(
        self,
        *,
        url: str,
        tokens: dict[str, str],
        mail: Path,
        owner_url: str,
        profile: Profile,
        week: Week,
        sign_in: SignIn = lambda _, url, token: Api(url, token),
        patience: float = PATIENCE,
    ) -> None:
        self.patience = patience
        self.profile, self.week, self.mail = profile, week, mail
        self.cast = cast(profile)
        self._apis = {account: sign_in(account, url, token) for account, token in tokens.items()}
        self._record_url = owner_url.replace("postgresql+psycopg://", "postgresql://")
        self._url, self._tokens, self._proving = url, tokens, threading.Lock()
        #: Called with the path of each act of each case; the crash tests kill parts of the hub here.
        self.after_each_act: Callable[[str], None] = lambda _: None

    def api(self, account: str) -> Api:
        """The hub as one account sees it."""
        return self._apis[account]

    def prove(self, account: str) -> None:
        """Somebody gives their second factor anew, if need be, with the code from their own mailbox (S-16)."""
        with self._proving, closing(Api(self._url, self._tokens[account])) as api:
            until = self._until_it_answers(lambda: api.get("/accounts/me"))["second_factor_until"]
            if until and datetime.fromisoformat(until) > datetime.now(UTC) + timedelta(minutes=5):
                return
            already = set(self.mail.glob("*.eml"))
            self._until_it_answers(lambda: api.post("/accounts/me/second-factor"))
            code = self._until_it_answers(lambda: self._new_code(already))
            self._until_it_answers(lambda: api.post("/accounts/me/second-factor", {"code": code}))

    def _new_code(self, already: set[Path]) -> str:
        for file in set(self.mail.glob("*.eml")) - already:
            if found := re.search(r"Your code: (\d{6})", file.read_text(errors="replace")):
                return found[1]
        raise Unavailable("no code has come yet")

    def _until_it_answers(self, act: Callable[[], Any]) -> Any:
        given_up = time.monotonic() + self.patience
        while True:
            try:
                return act()
            except Unavailable:
                if time.monotonic() > given_up:
                    raise
                time.sleep(0.2)

    def close(self) -> None:
        """The play is over."""
        for api in self._apis.values():
            api.close()

    def ask_record(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the record, as its owner. A record that is away for a while is waited for."""
        given_up = time.monotonic() + self.patience
        while True:
            try:
                with psycopg.connect(self._record_url, autocommit=True, connect_timeout=5) as record:
                    return record.execute(query.encode(), values).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > given_up:
                    raise
                time.sleep(0.2)

    def letters(self, reference: str) -> list[Message]:
        """The mail about one referral, oldest first."""
        letters = [message_from_bytes(file.read_bytes()) for file in sorted(self.mail.glob("*.eml"))]
        return [letter for letter in letters if reference in str(letter["Subject"])]


class Case:
    """One referral's story."""

    def __init__(self, theatre: Theatre, name: str) -> None:
        self._theatre, self.name = theatre, name
        self.reference = ""
        self.told: list[str] = []

    # --- time ---

    def at(self, words: str) -> None:
        """It is now Mon 16 Mar 2026 10:00."""
        self._theatre.week.until(london(words))

    @property
    def now(self) -> datetime:
        """The hub's time."""
        return self._theatre.week.now

    def opening(self, day: str) -> str:
        """When the hub opens on Mon 16 Mar 2026."""
        span = self._theatre.profile.calendar().span_on(london(f"{day} 00:00").date())
        self.expect(span is not None, f"the hub is open on {day}")
        return f"{day} {span[0].astimezone(LONDON):%H:%M}" if span else day

    def code(self, role: str) -> str:
        """Who plays a duty team or an agency of B&NES in this area."""
        return self._theatre.cast.get(role, role)

    def codes(self, roles: Iterable[str]) -> list[str]:
        """The same for several, each once: one agency may play two."""
        return list(dict.fromkeys(self.code(role) for role in roles))

    # --- the duty team ---

    def is_referred(self, duty_team: str, document: dict[str, Any]) -> dict[str, Any]:
        """A duty team sends its referral; gives what the hub answered at once."""
        sent = {**document, "duty_team": self.code(document["duty_team"])}
        received: dict[str, Any] = self._act(trial.duty_account(self.code(duty_team)), "/referrals", sent)
        self.reference = received["reference"]
        return received

    def basis_is_missing(self, subject: str, *fields: str) -> None:
        """Nobody is asked: the referral is held, and the hub says what is missing."""
        self.reaches("AWAITING_BASIS")
        [person] = [one for one in self._basis()["people"] if one["subject"] == subject]
        found = {lack["field"] for lack in person["missing"]}
        self.expect(found == set(fields), f"missing for {subject}: {fields}, not {found}")
        asked = self._theatre.ask_record("SELECT count(*) FROM agency_check WHERE reference = %s", self.reference)
        self.expect(asked[0][0] == 0, "nobody is asked")

    def basis_is_completed(self, subject: str, legal: dict[str, Any]) -> None:
        """MASH support records what was missing."""
        document = {"version_seen": self._basis()["version"], "subjects": [{"subject": subject, **legal}]}
        self._act(trial.MASH_SUPPORT, f"/referrals/{self.reference}/basis", document)

    def _basis(self) -> dict[str, Any]:
        read: dict[str, Any] = self._theatre.api(trial.MASH_SUPPORT).get(f"/referrals/{self.reference}/basis")
        return read

    def concern_becomes_clear(self, duty_team: str) -> None:
        """The duty team learns that the concern is clear and agreed."""
        self._act(trial.duty_account(self.code(duty_team)), f"/referrals/{self.reference}/clear-concern")

    def is_withdrawn(self, duty_team: str, reason: str) -> None:
        """The duty team takes its referral back."""
        self._act(trial.duty_account(self.code(duty_team)), f"/referrals/{self.reference}/withdraw", {"reason": reason})

    def outcome_for(self, duty_team: str) -> dict[str, dict[str, Any]]:
        """What a duty team reads of the outcome, by subject."""
        read = self._theatre.api(trial.duty_account(self.code(duty_team))).get(f"/referrals/{self.reference}/outcome")
        return {outcome["subject"]: outcome for outcome in read["outcomes"]}

    def is_acknowledged(self, *duty_teams: str) -> None:
        """The duty teams, told of the outcome, say that they know."""
        self.reaches("AWAITING_ACK")
        for team in self.codes(duty_teams):
            read = self._theatre.api(trial.duty_account(team)).get(f"/referrals/{self.reference}/outcome")
            document = {"version": read["version"]}
            self._act(trial.duty_account(team), f"/referrals/{self.reference}/acknowledgement", document)

    # --- the agencies ---

    def returns(self, agency: str, result: str, *items: tuple[str, str], summary: str | None = None) -> None:
        """An agency answers: a result, and items as (event date, text)."""
        searched = {"system": "Records", "searched_with": "name, date of birth", "searched_at": self.now.isoformat()}
        document = {
            "result": result,
            "summary": summary,
            "items": [
                {"event_date": day, "source": "Records", "kind": "FACT", "text": text, "about": ["S1"], **GIVEN}
                for day, text in items
            ],
            "systems_searched": [searched],
        }
        self._answers(agency, "return", document)

    def know_nothing(self, *agencies: str) -> None:
        """Agencies search, and know nothing: a full answer."""
        for agency in self.codes(agencies):
            self.returns(agency, "NOT_KNOWN")

    def acknowledges(self, agency: str, known: str | None = None) -> None:
        """An agency has seen its check."""
        self._answers(agency, "acknowledge", {"known": known})

    def asks(self, agency: str, question: str) -> None:
        """An agency asks what is meant."""
        self._answers(agency, "clarify", {"text": question})

    def declines(self, agency: str, reason: str) -> None:
        """An agency will not share."""
        self._answers(agency, "decline", {"reason": reason})

    # --- the hub's people ---

    def is_answered(self, agency: str, words: str) -> None:
        """MASH support answers an agency's question."""
        self._runs(agency, "answer", {"text": words})

    def is_asked_too(self, agency: str, *, blocking: bool = False, until: str | None = None) -> None:
        """MASH support asks a secondary agency as well, perhaps with a time of its own."""
        due = london(until).isoformat() if until else None
        document = {"agency": self.code(agency), "blocking": blocking, "until": due}
        self._act(trial.MASH_SUPPORT, f"/referrals/{self.reference}/checks", document)
        self.is_told(f"agency:{agency}", "asks")

    def is_given_until(self, agency: str, words: str, reason: str) -> None:
        """MASH support gives an agency more time."""
        document = {"until": london(words).isoformat(), "due_seen": self._check(agency)["due_at"], "reason": reason}
        self._runs(agency, "extend", document)

    def clock_is_stopped(self, agency: str, reason: str) -> None:
        """MASH support lets an agency's clock stand still."""
        self._runs(agency, "pause", {"reason": reason})

    def is_called_early(self) -> None:
        """The team will not wait any longer: discuss now."""
        self._act(trial.MASH_SUPPORT, f"/referrals/{self.reference}/discuss-now")

    def is_discussed(self, present: Iterable[str], **views: str) -> None:
        """The team talks; `views` are by agency, AGREE unless said otherwise."""
        agencies, said = self.codes(present), {self.code(agency): view for agency, view in views.items()}
        document = {
            "held_at": self.now.isoformat(),
            "mode": next(iter(self._theatre.profile.codes["discussion_mode"])),
            "present": [
                {"agency": agency, "name": "A representative", "role": "Representative"} for agency in agencies
            ],
            "note": "The returns were read together.",
            "views": [
                {
                    "agency": agency,
                    "view": view,
                    "reason": "The pattern of the last months." if view == "DISAGREE" else None,
                }
                for agency, view in dict.fromkeys(agencies, "AGREE").items()
                for view in [said.get(agency, view)]
            ],
        }
        self._act(trial.MASH_SUPPORT, f"/referrals/{self.reference}/discussions", document)

    def is_decided(self, **by_subject: dict[str, Any]) -> None:
        """A decision maker signs a decision for each subject."""
        document = {
            "version_seen": self.status()["version"],
            "decisions": [{"subject": subject, **decision} for subject, decision in by_subject.items()],
        }
        self._theatre.prove(trial.DECISION_MAKERS[0])
        self._act(trial.DECISION_MAKERS[0], f"/referrals/{self.reference}/decisions", document)

    def decision_stands(self, reason: str) -> None:
        """A decision maker looked again: the decision stands."""
        self._theatre.prove(trial.DECISION_MAKERS[0])
        self._act(trial.DECISION_MAKERS[0], f"/referrals/{self.reference}/reconsideration", {"reason": reason})

    # --- what must be so ---

    def reaches(self, stage: str) -> None:
        """The referral comes to a stage, by the hub's own doing."""
        query = "SELECT stage FROM referral WHERE reference = %s"
        self._eventually(lambda: self._theatre.ask_record(query, self.reference)[0][0] == stage, f"reaches {stage}")

    def are_asked(self, *agencies: str) -> None:
        """Exactly these agencies are asked, and each has mail that says so and no more."""
        self.reaches("CHECKING")
        expected = set(self.codes(agencies))
        asked = "SELECT agency FROM agency_check WHERE reference = %s"
        self._eventually(lambda: len(self._theatre.ask_record(asked, self.reference)) == len(expected), "all are asked")
        self.expect({check["agency"] for check in self.status()["checks"]} == expected, f"asked: {sorted(expected)}")
        for agency in expected:
            self.is_told(f"agency:{agency}", "asks")

    def is_told(self, recipient: str, subject_holds: str, times: int = 1) -> None:
        """There is mail to a recipient about this, exactly so many times."""
        address = self._theatre.profile.contact(self._played(recipient), self.now.date()).primary
        self._eventually(
            lambda: len(self._mail_to(address, subject_holds)) >= times, f"{recipient} is told «{subject_holds}»"
        )
        found = len(self._mail_to(address, subject_holds))
        self.expect(found == times, f"{recipient} is told «{subject_holds}» {times} times, not {found}")
        self.told.append(self._played(recipient).partition(":")[2])

    def is_not_told(self, recipient: str, subject_holds: str = "") -> None:
        """There is no mail to a recipient about this."""
        address = self._theatre.profile.contact(self._played(recipient), self.now.date()).primary
        self.expect(not self._mail_to(address, subject_holds), f"{recipient} is not told")

    def check_is(self, agency: str, status: str) -> None:
        """An agency's check has a status."""
        found = self._check(agency)["status"]
        self.expect(found == status, f"the check of {agency} is {status}, not {found}")

    def breaches_are(self, *agencies: str) -> None:
        """Exactly these agencies let their time pass."""
        found = {check["agency"] for check in self.status()["checks"] if check["breached_at"]}
        self.expect(found == set(self.codes(agencies)), f"breaches: {sorted(agencies)}, not {sorted(found)}")

    def due_is(self, agency: str, words: str) -> None:
        """An agency's check is due at this time."""
        due = datetime.fromisoformat(self._check(agency)["due_at"])
        self.expect(due == london(words), f"the check of {agency} is due {words}, not {due.astimezone(LONDON)}")

    def template(self) -> dict[str, Any]:
        """The collated template as the decision makers see it."""
        content: dict[str, Any] = self._theatre.api(trial.DECISION_MAKERS[0]).get(
            f"/referrals/{self.reference}/template"
        )
        return content

    def section_is(self, agency: str, section: str) -> None:
        """An agency's section of the template says this. An agency is never missing."""
        sections = {each["agency"]: each["section"] for each in self.template()["agencies"]}
        self.expect(
            sections.get(self.code(agency)) == section,
            f"{agency} is {section} in the template, not {sections.get(self.code(agency))}",
        )

    def view_is(self, agency: str, view: str) -> None:
        """The template shows how an agency sees it."""
        views = {each["agency"]: each["view"] for each in self.template()["views"]}
        self.expect(views.get(self.code(agency)) == view, f"the template shows that {agency} says {view}")

    def is_refused(self, act: Callable[[], Any], status: int) -> None:
        """An act is refused."""
        try:
            act()
        except ApiRefused as refusal:
            self.expect(refusal.status == status, f"refused with {status}, not {refusal.status}")
        else:
            raise Failed(f"{self.name}: was not refused")

    def acts(self) -> list[str]:
        """What the ledger says happened, in order."""
        query = "SELECT act FROM ledger WHERE reference = %s ORDER BY number"
        return [row[0] for row in self._theatre.ask_record(query, self.reference)]

    def status(self) -> dict[str, Any]:
        """Where the referral stands, as MASH support sees it."""
        found: dict[str, Any] = self._theatre.api(trial.MASH_SUPPORT).get(f"/referrals/{self.reference}")
        return found

    def expect(self, so: bool, what: str) -> None:
        """Raises Failed when it is not so."""
        if not so:
            raise Failed(f"{self.name} ({self.reference}): expected: {what}")

    def _played(self, recipient: str) -> str:
        kind, _, role = recipient.partition(":")
        return f"{kind}:{self.code(role)}"

    def _check(self, agency: str) -> dict[str, Any]:
        found = [check for check in self.status()["checks"] if check["agency"] == self.code(agency)]
        self.expect(bool(found), f"{agency} was asked")
        return dict(found[0])

    def _mail_to(self, address: str, subject_holds: str) -> list[Message]:
        """One for each Message-ID: that none leaves twice without need is for the tests of the post to say (INV7)."""
        letters = {str(letter["Message-ID"]): letter for letter in self._theatre.letters(self.reference)}
        return [
            letter
            for letter in letters.values()
            if address in str(letter["To"]) and subject_holds in str(letter["Subject"])
        ]

    def _answers(self, agency: str, act: str, document: dict[str, Any]) -> None:
        """An agency's own act on its check."""
        self._act(trial.agency_account(self.code(agency)), f"/referrals/{self.reference}/check/{act}", document)

    def _runs(self, agency: str, act: str, document: dict[str, Any]) -> None:
        """MASH support's act on an agency's check."""
        self._act(trial.MASH_SUPPORT, f"/referrals/{self.reference}/checks/{self.code(agency)}/{act}", document)

    def _act(self, account: str, path: str, document: Any = None) -> Any:
        answer = self._theatre.api(account).post(path, document)
        self._theatre.after_each_act(path)
        return answer

    def _eventually(self, so: Callable[[], bool], what: str) -> None:
        given_up = time.monotonic() + self._theatre.patience
        while time.monotonic() < given_up:
            try:
                if so():
                    return
            except (Unavailable, psycopg.OperationalError):
                pass
            time.sleep(0.2)
        raise Failed(f"{self.name} ({self.reference}): did not happen in {self._theatre.patience:.0f} s: {what}")
