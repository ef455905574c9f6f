"""A case in which every field is marked goes through the whole hub, well and badly; no mark is seen outside (§4.4).

The record's own sealed columns must hold the marks, each of them: a new column that no mark reaches fails here.
"""

from __future__ import annotations

import base64
import logging
import pickle
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from casework import (
    break_glass,
    decision,
    dip_samples,
    discussion,
    drafts,
    feedback,
    legal_hold,
    overrides,
    reconsider,
    restriction,
    second_looks,
    subject_access,
    urgency,
)
from casework.accounts import actor_of, issue_token
from casework.break_glass import BreakDocument, VerdictDocument
from casework.db import real_time, unit_of_work
from casework.documents import (
    AccessDocument,
    AccessHoldDocument,
    DecisionDocument,
    HoldDocument,
    LiftDocument,
    ResolutionDocument,
)
from casework.feedback import FeedbackAnswer, FeedbackDocument
from casework.legal_documents import OverrideDocument
from casework.notices import say_privately
from casework.restriction_documents import RestrictionDocument, WhyDocument
from casework.sample_documents import LookDocument, SampleDocument
from casework.urgency_documents import RatingDocument, UrgentCallDocument
from engine import trial
from engine.held_clock import hold, release
from engine.keys import sealed_columns
from engine.stack import Stack
from models.account import Account, ApiToken
from models.agreement import SharingAgreement
from models.base import unseal
from models.break_glass import GlassBreak
from models.referral import Referral
from models.settings import HOUSE
from notifications.account_letters import AccountLetter
from notifications.channels import send
from notifications.letter import Outcome
from notifications.messages import Text
from rules.permissions import Actor, Role
from tests.browser.conftest import ARGUMENTS
from tests.canary import CANARY, DISGUISES, Aviary
from tests.casework.factory import ASKED, a_child, an_adult, an_item, document, referral, verdict
from tests.casework.test_secrets import _person, _return
from tests.hub import surroundings
from tests.notifications.post import working_postman
from tests.scenarios.case import Case, Theatre
from tests.scenarios.play import Hub
from tests.scenarios.test_what_operators_see import _dump, _engine, _unforged

#: Sealed columns of which no word can be chosen, each for a reason.
NO_MARK = {
    "account.totp_secret": "random, and chosen by the hub",
    "notice.secret": "a one-time code or link, forgotten when it is sent",
    "ledger_content.salt": "random",
    "subject.born_on_sealed": "a date",
    "subject.nhs_number": "ten digits",
    "board_pack.content": "figures, protected before they are put there",
}
SENDER = "canary"
#: What a page's title or address may be made of: references, ids, codes, paths, and names of bodies and of pages.
IN_AN_ADDRESS = {
    "reference", "earlier_reference", "id", "agency", "version", "name", "title", "path", "here", "here_", "token",
    "purpose", "link", "url", "alert", "back", "next", "old", "is_manager", "static", "action", "board", "draw",
    "form_of", "of", "period", "query",
}  # fmt: skip
_TITLE = re.compile(r"block title %}(.*?){%")
_ADDRESS = re.compile(r'(?:href|action|src)="([^"]*)"')
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"(?:{{|~|\bif\b|\belse\b) *((?!if\b|else\b)[a-z_.]+)")


@dataclass(frozen=True)
class Sung:
    """The case, its marks, and when it began, in real time."""

    reference: str
    bird: Aviary
    began: float


@pytest.fixture(scope="module")
def sung(running: tuple[Stack, Hub]) -> Iterator[Sung]:
    """Play the case, and everything that goes wrong around it."""
    stack, hub = running
    began, bird = time.time(), Aviary("c")
    with surroundings(stack.environment()):
        hold(hub.owner_url, "Mon 16 Mar 2026 10:00", hub.profile.zone_info)
        try:
            singer = Singer(stack, hub, bird)
            with closing(singer.theatre):
                singer.sing()
                singer.go_wrong()
            yield Sung(singer.case.reference, bird, began)
        finally:
            release(hub.owner_url)
            with psycopg.connect(hub.owner_url.replace("+psycopg", ""), autocommit=True) as record:
                record.execute("DELETE FROM notice WHERE recipient LIKE '%canary-person'")


class Singer:
    """Everybody in the case, each with words of their own."""

    def __init__(self, stack: Stack, hub: Hub, bird: Aviary) -> None:
        self.stack, self.hub, self.bird = stack, hub, bird
        week: Any = SimpleNamespace(now=ASKED)
        self.theatre = Theatre(
            url=hub.url, tokens=hub.tokens, mail=hub.mail, owner_url=hub.owner_url, profile=hub.profile, week=week,
            patience=240,
        )  # fmt: skip
        self.case = Case(self.theatre, "canary")

    def post(self, account: str, path: str, body: Any) -> Any:
        """Somebody acts through the API."""
        return self.theatre.api(account).post(f"/referrals/{self.case.reference}{path}", body)

    def act(self, verb: Any, *arguments: Any, by: str, about: bool = True) -> Any:
        """Somebody acts by a verb, where the API has no route."""
        with unit_of_work() as session:
            actor = actor_of(session, self.hub.tokens[by])
            first = (self.case.reference,) if about else ()
            return verb(session, *first, *arguments, by=actor, at=ASKED)

    def sing(self) -> None:
        """From the referral to its close, with every field in use."""
        bird, case = self.bird, self.case
        duty, police = trial.duty_account("CHILDREN_DUTY"), trial.agency_account("POLICE")
        sent = document([_person(bird, a_child()), {**_person(bird, an_adult()), "open_to_worker": bird()}])
        sent |= {"sender_id": SENDER, "sending_officer": {"name": bird(), "reply_to": f"{bird()}@duty.example"}}
        sent["concern"]["narrative"], sent["eligibility"]["clarification_question"] = bird(), bird()
        sent["decision_to_refer"] |= {"by": bird(), "why_existing_information_is_not_enough": bird()}
        case.reference = self.theatre.api(duty).post("/referrals", sent)["reference"]
        case.are_asked("POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN", "MENTAL_HEALTH")
        self.post(police, "/check/clarify", {"text": bird()})
        self.post(trial.MASH_SUPPORT, "/checks/POLICE/answer", {"text": bird()})
        self.post(trial.MASH_SUPPORT, "/checks", {"agency": "PROBATION", "blocking": False, "question": bird()})
        self.ask_without_agreement()
        self.act(urgency.call, "POLICE", UrgentCallDocument(reason=bird()), by=police)
        rated = RatingDocument(rating="RED", rating_seen=referral(case.reference).urgency_rating, rationale=bird())
        self.act(urgency.rate, rated, by=trial.MASH_SUPPORT)
        with unit_of_work() as session:
            actor = actor_of(session, self.hub.tokens[police])
            assert actor
            drafts.save(session, "return", case.reference, {"summary": bird()}, by=actor, at=ASKED)
        council = trial.agency_account("COUNCIL_CHILDREN")
        self.post(council, "/check/return", _return(bird).model_dump(mode="json"))
        self.post(trial.agency_account("MENTAL_HEALTH"), "/check/decline", {"reason": "NO_ISA", "note": bird()})
        unsearched = {"result": "NOT_SEARCHED", "not_searched_because": bird()}
        self.post(trial.agency_account("COMMUNITY_HEALTH_CHILDREN"), "/check/return", unsearched)
        self.post(trial.MASH_SUPPORT, "/checks/COUNCIL_CHILDREN/follow-up", {"text": bird()})
        self.post(council, "/check/follow-up", {"text": bird()})
        self.post(trial.MASH_SUPPORT, "/discuss-now", {})
        case.reaches("AWAITING_DECISION")
        present = [{"agency": "POLICE", "name": bird(), "role": bird()}]
        view = {"agency": "POLICE", "view": "DISAGREE", "reason": bird()}
        talk = {"held_at": ASKED.isoformat(), "mode": "VIDEO", "present": present, "note": bird(), "views": [view]}
        self.post(trial.MASH_SUPPORT, "/discussions", talk)
        version = referral(case.reference).version
        self.act(
            discussion.resolve_dissent, ResolutionDocument(version_seen=version, resolution=bird()),
            by=trial.DECISION_MAKERS[0],
        )  # fmt: skip
        self.post(trial.DECISION_MAKERS[0], "/manager", {"outcome": "OTHER_LA", "reason": bird()})
        self.post(trial.MANAGER, "/manager/back", {"reason": bird()})
        self.decide()
        case.reaches("AWAITING_ACK")
        self.theatre.api(duty).get(f"/referrals/{case.reference}/outcome")
        again = {**_return(bird).model_dump(mode="json"), "items": [an_item(text=bird())]}
        self.post(council, "/check/return", again)
        self.act(reconsider.let_stand, bird(), by=trial.DECISION_MAKERS[0])
        case.is_acknowledged("CHILDREN_DUTY", "ADULT_ASIST")
        case.reaches("CLOSED")
        self.around_it()

    def ask_without_agreement(self) -> None:
        """Within one transaction, which nobody else sees, no agreement is in force."""
        reference = self.case.reference
        with unit_of_work() as session:
            decider = actor_of(session, self.hub.tokens[trial.DECISION_MAKERS[0]])
            assert decider
            held = [(each, each.ended_on) for each in session.exec(select(SharingAgreement))]
            for each, _ in held:
                each.ended_on = each.in_force_from
            session.flush()
            agency = overrides.candidates(session, reference, by=decider, at=ASKED)[0].code
            because = OverrideDocument(agency=agency, reason=f"{self.bird()} knows what nobody else knows.")
            overrides.ask_without_agreement(session, reference, because, by=decider, at=ASKED)
            for each, ended_on in held:
                each.ended_on = ended_on

    def break_the_glass(self) -> None:
        """A decision maker with an authenticator, who is not named, opens it; information governance looks at that."""
        decider = Actor("canary-decider", Role.DECISION_MAKER, mash_profile=True, is_person=True)
        with unit_of_work() as session:
            account = Account(id=decider.id, role=decider.role, is_person=True, mash_profile=True, added_at=ASKED)
            account.totp_secret = "A" * 32
            session.add(account)
            session.flush()
            proven = real_time(session)
            token = issue_token(session, decider.id, at=proven)
            session.exec(select(ApiToken).where(ApiToken.account_id == decider.id)).one().proven_at = proven
            opened = BreakDocument(reference=self.case.reference, reason=f"{self.bird()} is alone with him tonight.")
            assert break_glass.break_glass(session, opened, token, by=decider, at=ASKED) == self.case.reference
            alert = session.exec(select(GlassBreak.alert).where(GlassBreak.account_id == decider.id)).one()
            # The hub's other tests are not to meet one decision maker more.
            account.disabled_at = proven
        looked = VerdictDocument(verdict="JUSTIFIED", note=self.bird())
        self.act(break_glass.review, alert, looked, by=trial.GOVERNANCE, about=False)

    def decide(self) -> None:
        """Sign, with every reason that there can be."""
        bird = self.bird
        action = {"what": bird(), "owner": bird(), "due_on": "2026-03-20"}
        chosen = {"agency": "COUNCIL_CHILDREN", "version": 1, "number": 1, "release": True}
        said = verdict(rationale=bird(), words_for_duty_team=bird(), actions=[action], items=[chosen])
        reasons = {"without_discussion_because": bird(), "below_quorum_because": bird()}
        seen = {"version_seen": referral(self.case.reference).version, "decisions": [said], **reasons}
        self.act(decision.decide, DecisionDocument.model_validate(seen), by=trial.DECISION_MAKERS[0])

    def around_it(self) -> None:
        """What is said beside the case: feedback, a hold, a person's own name and address."""
        bird = self.bird
        said = FeedbackDocument(went_well=bird(), should_change=bird())
        given = self.act(feedback.give, said, by=trial.agency_account("POLICE"), about=False)
        answered = FeedbackAnswer(answer=bird(), what_changed=bird(), for_everybody=False)
        self.act(feedback.answer, given, answered, by=trial.DECISION_MAKERS[0], about=False)
        governance = trial.GOVERNANCE
        held = HoldDocument(reference=self.case.reference, reason=bird())
        kept = self.act(legal_hold.set_hold, held, by=governance, about=False)
        self.act(legal_hold.lift, kept, LiftDocument(reason=bird()), by=governance, about=False)
        wanted = AccessDocument(reference=self.case.reference, subject="S1", received_on=ASKED.date())
        asked = self.act(subject_access.ask, wanted, by=governance, about=False)
        self.act(subject_access.hold, asked, AccessHoldDocument(reason=bird()), by=governance, about=False)
        day = ASKED.date()
        wanted_looks = SampleDocument(size=50, seed=1, first_on=day, last_on=day)
        analyst = Actor("canary-analyst", Role.ANALYST, is_person=True)
        with unit_of_work() as session:
            session.add(Account(id=analyst.id, role=analyst.role, is_person=True, added_at=ASKED))
            session.flush()
            dip_samples.draw(session, wanted_looks, by=analyst, at=ASKED)
        nothing = {"threshold_met": False, "level_of_need": "L1", "outcome": "NFA"}
        looks = LookDocument.model_validate({"looks": [{"subject": "S1", "reason": bird(), **nothing}]})
        self.act(second_looks.record, looks, by=trial.DECISION_MAKERS[1])
        decider = trial.DECISION_MAKERS[0]
        hidden = RestrictionDocument(
            ground="STAFF_CONFLICT", reason=bird(), named=[trial.officer_account("CHILDREN_DUTY")]
        )
        self.act(restriction.restrict, hidden, by=decider)
        self.break_the_glass()
        self.act(restriction.lift, WhyDocument(reason=bird()), by=decider)
        with unit_of_work() as session:
            session.add(
                Account(
                    id="canary-person", role=Role.BOARD, is_person=True, added_at=ASKED, email_digest="0" * 64,
                    email=f"{bird()} no address", display_name=bird(),
                )
            )  # fmt: skip

    def go_wrong(self) -> None:
        """Every kind of failure that can carry words: in the portal, in the database, in a step, in the mail."""
        bird, headers = self.bird, {"Authorization": f"Bearer {self.hub.tokens[trial.duty_account('CHILDREN_DUTY')]}"}
        api = f"{self.hub.url}/api/v1/referrals"
        with httpx.Client(headers=headers, trust_env=False, timeout=60) as client:
            client.post(api, content=f'{{"narrative": "{bird()}"', headers={"Content-Type": "application/json"})
            client.post(api, json={"duty_team": [bird()], bird(): bird(), "subjects": [{"given_name": {bird(): 1}}]})
            client.post(api, json={**document(sender_id=SENDER), "upstream_reference": bird()})
            client.post(f"{api}/{self.case.reference}/withdraw", json={"reason": bird()})
            client.get(f"{api}/{bird()}?after={bird()}")
            client.get(f"{self.hub.url}/{bird()}?name={bird()}", headers={"Cookie": f"__Host-mash={bird()}"})
            client.post(f"{self.hub.url}/sign-in", data={"email": bird(), "password": bird()})
        with psycopg.connect(self.stack.environment()["MASH_DATABASE_URL"].replace("+psycopg", "")) as app:
            # Not tried: a text cast to a number. Its value stands in PostgreSQL's own sentence, which no verbosity
            # shortens; the hub casts nothing in SQL that anybody wrote.
            for statement in (
                f"SELECT no_such_column AS {bird()}",
                f"SET statement_timeout = 1; SELECT pg_sleep(2), '{bird()}'",
                f"INSERT INTO account (id, role, is_person, added_at) VALUES ('{bird()}', 'NOBODY', true, now())",
            ):
                with suppress(psycopg.Error):
                    app.execute(statement.encode())
                app.rollback()
        for _ in range(2):
            with suppress(SQLAlchemyError), unit_of_work() as session:
                # The same sender's id: a unique violation, with words beside it.
                row = session.exec(select(Referral).where(Referral.reference == self.case.reference)).one()
                copied = row.model_dump() | {"reference": "CANA-RYXX", "narrative": bird()}
                session.add(Referral(**copied))
        self.a_step_fails()
        self.a_letter_fails()

    def a_step_fails(self) -> None:
        """A step of the engine meets an error of the database whose DETAIL holds words; afterwards it goes on."""
        mark = self.bird("in a step")
        sent = document([a_child()], sender_id=f"{SENDER} 2")
        with self.forced_error(mark):
            case = Case(self.theatre, "canary 2")
            case.reference = self.theatre.api(trial.duty_account("CHILDREN_DUTY")).post("/referrals", sent)["reference"]
            log, given_up = self.stack.home / "logs" / "postgres.log", time.monotonic() + self.theatre.patience
            while "forced by a test" not in log.read_text(errors="replace") and time.monotonic() < given_up:
                time.sleep(0.5)
            assert "forced by a test" in log.read_text(errors="replace")
        case.reaches("CHECKING")
        case.is_withdrawn("CHILDREN_DUTY", "OTHER")
        case.reaches("CLOSED")

    @contextmanager
    def forced_error(self, mark: str) -> Iterator[None]:
        """While the block lasts, no agency can be asked."""
        with psycopg.connect(self.hub.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
            body = f"BEGIN RAISE EXCEPTION 'forced by a test' USING DETAIL = '{mark}'; END"
            owner.execute(f"CREATE FUNCTION sing() RETURNS trigger LANGUAGE plpgsql AS $${body}$$".encode())
            owner.execute("CREATE TRIGGER sings BEFORE INSERT ON agency_check FOR EACH ROW EXECUTE FUNCTION sing()")
            try:
                yield
            finally:
                owner.execute("DROP TRIGGER sings ON agency_check")
                owner.execute("DROP FUNCTION sing()")

    def a_letter_fails(self) -> None:
        """A letter to an address that is none."""
        with unit_of_work() as session:
            at = real_time(session)
            say_privately(
                session, AccountLetter.INVITATION, "canary-person", f"/invitation/{self.bird()}",
                at=at, expires_at=at + timedelta(hours=1),
            )  # fmt: skip
        tried = "SELECT 1 FROM notice WHERE recipient LIKE '%canary-person' AND (attempts > 0 OR status <> 'WAITING')"
        self.case._eventually(lambda: bool(self.theatre.ask_record(tried.replace("%", "%%"))), "the letter is tried")


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_mark_is_found_in_every_disguise(disguise: str) -> None:
    """§4.4: a scan that cannot find is void"""
    bird = Aviary("t")
    assert bird.found_in(b"before " + DISGUISES[disguise](bird()) + b" after") == set(bird.marks.values())


def test_titles_and_addresses_of_pages_are_made_of_references_ids_and_codes_alone() -> None:
    """§4.4, R51: they stay in histories, and in logs of proxies"""
    pages = "".join(page.read_text() for page in (HOUSE / "portal" / "templates").glob("*.html"))
    places = [*_TITLE.findall(pages), *_ADDRESS.findall(pages)]
    assert len(places) > 100
    put_in = {found.split(".")[-1] for place in places for found in _NAME.findall(_QUOTED.sub("", place))}
    assert put_in <= IN_AN_ADDRESS


def test_every_sealed_column_carried_a_mark(sung: Sung, hub: Hub) -> None:
    """§4.4, R51: by walking the models; a new field that no mark reaches fails"""
    with psycopg.connect(hub.owner_url.replace("+psycopg", "")) as record:
        marked = {
            f"{column.table.name}.{column.name}"
            for column in sealed_columns()
            for (value,) in record.execute(
                f"SELECT {column.name} FROM {column.table.name} WHERE length({column.name}) > 0".encode()
            )
            if CANARY in unseal(bytes(value)).lower()
        }
    # As many as are excused, and no more: an excuse that is needed no longer is one that hides.
    assert {f"{column.table.name}.{column.name}" for column in sealed_columns()} - marked == set(NO_MARK)
    assert len(sung.bird.marks) >= 60


@pytest.mark.parametrize("database", ["prefect", "mash"])
def test_no_mark_is_in_a_dump(sung: Sung, stack: Stack, database: str) -> None:
    """§4.4, INV14, R51: all tables of the engine; of the record whatever is not sealed, outbox rows too"""
    dump = _dump(stack, database)
    assert sung.reference.encode() in dump
    assert sung.bird.found_in(dump) == set()


def test_no_mark_is_in_a_file_outside_the_database(sung: Sung, stack: Stack) -> None:
    """§4.4: every process's log, PostgreSQL's too; mail; Prefect's home with what it would persist; temporary files"""
    files = (file for file in stack.home.rglob("*") if file.is_file())
    own = [file for file in files if "postgres" not in file.relative_to(stack.home).parts]
    temporary = [file for file in Path(tempfile.gettempdir()).iterdir() if _is_newer(file, sung.began)]
    assert {"portal.log", "worker.log", "timekeeper.log", "prefect.log", "postgres.log"} <= {file.name for file in own}
    leaks = {file.name: found for file in (*own, *temporary) if (found := sung.bird.found_in(file.read_bytes()))}
    assert leaks == {}


def _is_newer(file: Path, began: float) -> bool:
    with suppress(OSError):
        return file.is_file() and file.stat().st_mtime > began and file.stat().st_size < 5_000_000
    return False


def test_no_mark_is_in_what_the_engine_answers(sung: Sung, stack: Stack) -> None:
    """§4.4: what its screen would show of this case: runs, steps, states, logs, artifacts"""
    with _engine(stack) as engine:
        headers, found = _unforged(engine), b""
        for kind in ("flow_runs", "task_runs", "logs", "artifacts", "variables", "deployments"):
            answer = engine.post(f"/{kind}/filter", json={"limit": 200}, headers=headers)
            assert answer.status_code == 200, (kind, answer.text)
            found += answer.content
    assert sung.bird.found_in(found) == set()


def test_no_mark_is_on_the_engines_own_screen(sung: Sung, stack: Stack) -> None:
    """§4.4: its pages as a browser shows them, with what came over their websockets and what the browser stored"""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no Chromium on this machine: install it (Debian: apt-get install chromium)")
    with _engine(stack) as engine:
        named = {"flow_runs": {"name": {"any_": [sung.reference]}}}
        [run] = engine.post("/flow_runs/filter", json=named, headers=_unforged(engine)).json()
    home = stack.environment()["PREFECT_API_URL"].removesuffix("/api")
    password = base64.b64encode(stack.environment()["PREFECT_API_AUTH_STRING"].encode()).decode()
    seen: list[str] = []
    with (
        sync_playwright() as playwright,
        closing(playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)) as browser,
    ):
        page = browser.new_page()
        page.add_init_script(f"localStorage.setItem('prefect-password', '{password}')")
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: seen.append(str(frame))))
        for path in ("/runs", f"/runs/flow-run/{run['id']}", "/artifacts", "/events"):
            page.goto(f"{home}{path}", timeout=120_000)
            with suppress(PlaywrightTimeout):
                page.wait_for_load_state("networkidle", timeout=10_000)
            if "run" in path:
                page.get_by_text(sung.reference).first.wait_for(timeout=120_000)
            seen.append(page.content())
        seen.append(page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])"))
    assert sung.bird.found_in("\n".join(seen).encode()) == set()


@pytest.mark.parametrize("at_recipient", ["550 5.1.1 no such user: {}", "451 4.2.1 {} is busy", "250 OK"])
def test_no_mark_is_told_when_a_mail_server_does_not_take_a_letter(
    at_recipient: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """§4.4, F15: whatever the server repeats in its answer, and when it says nothing any more"""
    caplog.set_level(logging.INFO)
    bird = Aviary("m")
    with working_postman() as postman:
        postman.at_recipient = at_recipient.format(bird())
        postman.at_data, postman.hang_up = f"554 5.7.1 {bird()} is refused", True
        outcome = send(
            Text(bird(), bird()), to=f"{bird()}@mail.example", message_id="<m@mash.invalid>", mail_url=postman.url
        )
    assert outcome is not Outcome.SENT
    # The mail server of this test stands in the same process, and has a log of its own.
    logged = [record.getMessage() for record in caplog.records if record.name != "mail.log"]
    assert bird.found_in("\n".join([*logged, *capfd.readouterr()]).encode()) == set()


def test_nine_marks_planted_in_the_engine_are_found(stack: Stack, sung: Sung) -> None:
    """§4.4: in each of the eight doors, and in a pickle in base64; or the scan is void"""
    bird = Aviary("p")
    with _engine(stack) as engine:
        headers = _unforged(engine)

        def made(kind: str, **body: Any) -> str:
            answer = engine.post(f"/{kind}/", json=body, headers=headers)
            assert answer.is_success, answer.text
            return str(answer.json()["id"])

        failed = {"type": "FAILED", "message": f"ValidationError: {bird('exception text')}"}
        flow = made("flows", name="planted")
        run = made(
            "flow_runs", flow_id=flow, name=bird("run name"), parameters={"who": bird("parameter")},
            tags=[bird("tag")], state=failed,
        )  # fmt: skip
        task = {"flow_run_id": run, "task_key": "t", "dynamic_key": "0", "state": {"type": "COMPLETED"}}
        made("task_runs", name=bird("task-run name"), **task)
        moment = {"timestamp": "2026-03-16T10:00:00Z", "level": 20, "flow_run_id": run}
        said = [("prefect.flow_runs", bird("run logger")), ("prefect.print", bird("print"))]
        logs = [{"name": name, "message": message, **moment} for name, message in said]
        assert engine.post("/logs/", json=logs, headers=headers).is_success
        made("artifacts", key="planted", type="markdown", data=bird("artifact"), flow_run_id=run)
        persisted = base64.b64encode(pickle.dumps({"result": bird("persisted result")})).decode()
        made("variables", name="planted", value=persisted)
        dump = _dump(stack, "prefect")
        engine.delete("/variables/name/planted", headers=headers)
        engine.delete(f"/flow_runs/{run}", headers=headers)
        engine.delete(f"/flows/{flow}", headers=headers)
    missed = {place for place, mark in bird.marks.items() if mark not in bird.found_in(dump)}
    assert (len(bird.marks), missed) == (9, set())
