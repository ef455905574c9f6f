"""One fault at a time on a running hub: what the tests of faults do to it, and how they see that it is well again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from typing import Any

import httpx
import psycopg

from engine import databases, trial
from engine.credentials import load_or_create
from engine.stack import Stack
from tests.crash.checker import judge
from tests.crash.evidence import collect
from tests.crash.trial import Scene
from tests.scenarios.people import a_child, a_referral, an_adult

DUTY, ASIST = "CHILDREN_DUTY", "ADULT_ASIST"


def eventually(so: Callable[[], Any], what: str, patience: float = 60.0) -> float:
    """Wait for a fact; gives after how many seconds it was one. Raises AssertionError when it does not become one."""
    began = time.monotonic()
    while time.monotonic() - began < patience:
        try:
            if so():
                return time.monotonic() - began
        except (httpx.HTTPError, psycopg.OperationalError):
            pass
        time.sleep(0.1)
    raise AssertionError(f"not within {patience:.0f} s: {what}")


class Bench:
    """A running hub under one fault."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.stack, self.hub = scene, scene.stack, scene.hub

    def post(self, account: str, path: str, document: Any = None) -> httpx.Response:
        """One request of an account, tried once. Raises httpx.HTTPError when nothing answers."""
        headers = {"Authorization": f"Bearer {self.hub.tokens[account]}"}
        url = f"{self.hub.url}/api/v1{path}"
        return httpx.post(url, json=document or {}, headers=headers, timeout=30, trust_env=False)

    def refer(self, document: dict[str, Any]) -> httpx.Response:
        """A duty team's referral."""
        return self.post(trial.duty_account(document["duty_team"]), "/referrals", document)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the record holds."""
        with psycopg.connect(self.scene.url(databases.RECORD), autocommit=True, connect_timeout=5) as record:
            asked = record.execute(query.encode(), values)
            return asked.fetchall() if asked.description else []

    def healthy(self) -> bool:
        """Whether the portal answers and reaches the record."""
        return httpx.get(f"{self.hub.url}/health", trust_env=False, timeout=10).status_code == 200

    def notices(self, reference: str) -> dict[str, str]:
        """The status of each notice about a referral, by recipient."""
        return dict(self.ask("SELECT recipient, status FROM notice WHERE reference = %s", reference))

    def addresses(self, reference: str) -> list[str]:
        """To whom the letters about a referral went, once for each letter."""
        letters = [message_from_bytes(file.read_bytes()) for file in sorted(self.hub.mail.glob("*.eml"))]
        return [str(letter["X-Mash-Envelope-To"]) for letter in letters if reference in str(letter["Subject"])]

    def is_sound(self, *references: str) -> list[str]:
        """Every violation that the checker finds of these referrals."""

        found = collect(
            self.scene.url(databases.RECORD),
            self.hub.mail,
            journal=self.scene.folder / "journal.jsonl",
            recipients=self.scene.folder / "recipients.json",
            engine_url=self.scene.url(databases.ENGINE),
        )
        return [str(violation) for violation in judge(found.limited_to(references))]

    def close(self, *references: str) -> None:
        """The duty teams know the outcome of these clear concerns, and the hub closes them."""
        for reference in references:
            [(team,)] = self.ask("SELECT duty_team FROM referral WHERE reference = %s", reference)
            stage = "SELECT stage FROM referral WHERE reference = %s"
            eventually(lambda: self.ask(stage, reference) == [("AWAITING_ACK",)], f"{reference} is handed back", 120)  # noqa: B023
            self.post(trial.duty_account(team), f"/referrals/{reference}/acknowledgement", {"version": 1})
            eventually(lambda: self.ask(stage, reference) == [("CLOSED",)], f"{reference} is closed", 120)  # noqa: B023

    @contextmanager
    def time_held(self, moment: datetime) -> Iterator[Callable[[datetime], None]]:
        """The hub's clock stands still; the function that is given sets it."""

        def hold(at: datetime) -> None:
            self.ask(
                "INSERT INTO scenario_clock (id, now) VALUES (1, %s) ON CONFLICT (id) DO UPDATE SET now = excluded.now",
                at,
            )

        hold(moment)
        try:
            yield hold
        finally:
            self.ask("DELETE FROM scenario_clock")


def a_clear_concern(sender_id: str, team: str = DUTY) -> dict[str, Any]:
    """A referral that goes straight back, at any hour: one run, one letter to its duty team."""
    subject = a_child(70) if team == DUTY else an_adult(71)
    document = a_referral(team, sender_id, [subject], datetime.now().astimezone())
    document["eligibility"] = {"safeguarding_concern": True, "extent_unclear": False}
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


@contextmanager
def without(stack: Stack, *parts: str) -> Iterator[None]:
    """Parts are stopped for as long as the block lasts."""
    for part in parts:
        stack.part(part).stop()
    try:
        yield
    finally:
        for part in reversed(parts):
            stack.part(part).start()


@contextmanager
def every_connection_taken(bench: Bench) -> Iterator[None]:
    """As many connections of the application's account as the database gives are held by somebody else."""
    password = load_or_create(bench.stack.home).mash_app
    url = databases.url(databases.RECORD_USER, password, bench.stack.ports.postgres, databases.RECORD, "psycopg")
    with ExitStack() as held:
        with suppress(psycopg.OperationalError):
            while True:
                taken = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=5)
                held.enter_context(taken)
        yield


@contextmanager
def refusing(stack: Stack, *addresses: str) -> Iterator[None]:
    """The SMTP server answers 550 for these addresses for as long as the block lasts."""
    sink = stack.part("sink")
    usual = sink.launch
    refused = [word for address in addresses for word in ("--refuse", address)]
    sink.stop()
    sink.launch = replace(usual, command=[*usual.command, *refused])
    sink.start()
    try:
        yield
    finally:
        sink.stop()
        sink.launch = usual
        sink.start()
