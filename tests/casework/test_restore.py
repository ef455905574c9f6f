"""Yesterday's backup is put back: the record is whole to its head, what it lost is named, and nothing is sent again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg.rows import dict_row

from casework import checkpoints, post, signin
from casework.checkpoints import Lost
from casework.db import real_time
from casework.ledger_check import verify
from casework.notices import deliver_due, next_turn, say, say_privately, to_duty_team
from engine.databases import RECORD_OWNER, plain
from engine.postgres import binaries
from engine.timekeeper import keep_clock
from notifications.account_letters import AccountLetter
from notifications.messages import MessageName
from rules.errors import NotPermitted
from rules.permissions import Actor, Role
from rules.stages import Stage
from tests.casework.factory import (
    DECIDER,
    DUTY,
    JUST_OVERDUE,
    OPERATOR,
    SUPPORT,
    account_of,
    act,
    acts_of,
    all_give_back,
    ask,
    decide,
    duty,
    join,
    refer,
    rep,
    walk,
)
from tests.crash.chain import first_fault
from tests.notifications.post import Postman
from tests.record import Record, forget_settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


class Restored:
    """Two cases as they stood in the evening; of the day after it the postman and the anchor know alone."""

    def __init__(self, record: Record, postman: Postman, anchor: Path) -> None:
        self.record, self.postman, self.anchor = record, postman, anchor
        self.asked, self.waiting = refer(sender_id="asked"), walk(Stage.AWAITING_DECISION, sender_id="waiting")
        ask(self.asked)
        self.in_the_backup = self._lengths()
        self.unsent = [row[0] for row in record.ask("SELECT id FROM notice WHERE status = 'WAITING' ORDER BY id")]
        dump = self._backup(anchor.parent / "record.dump")
        self._the_next_day()
        self.signed = self._lengths()
        self.sent = len(postman.letters)
        self._put_back(dump)

    def _the_next_day(self) -> None:
        self.new = refer(sender_id="new")
        all_give_back(self.asked)
        join(self.asked)
        decide(self.waiting)
        self.deliver()
        assert self.record.ask("SELECT count(*) FROM notice WHERE status <> 'SENT'") == [(0,)]
        act(lambda session: checkpoints.write(self.anchor, checkpoints.heads(session), KEY, at=real_time(session)))

    def _lengths(self) -> dict[str, int]:
        return dict(self.record.ask("SELECT reference, max(number) FROM ledger GROUP BY reference"))

    def _backup(self, file: Path) -> Path:
        self._run(
            "pg_dump",
            "--enable-row-security",
            "--format=custom",
            "--file",
            str(file),
            "--dbname",
            self._address("mash"),
        )
        return file

    def _put_back(self, dump: Path) -> None:
        self.record.server.new_database("restored")
        self._run("pg_restore", "--exit-on-error", "--dbname", self._address("restored"), str(dump))
        os.environ["MASH_DATABASE_URL"] = self.record.server.url("mash_app", "restored")
        forget_settings()

    def _address(self, database: str) -> str:
        return plain(self.record.server.url(RECORD_OWNER, database))

    @staticmethod
    def _run(program: str, *arguments: str) -> None:
        command = [str(binaries() / program), *arguments]
        subprocess.run(command, env={"PATH": os.defpath, "LC_ALL": "C"}, capture_output=True, check=True)

    def rows(self, query: str) -> list[dict[str, object]]:
        """What the restored record holds."""
        with psycopg.connect(self._address("restored"), row_factory=dict_row, autocommit=True) as owner:
            return owner.execute(query.encode()).fetchall()

    @staticmethod
    def deliver() -> int:
        """Everything whose turn has come, at a time when every retry is due."""
        at = act(real_time) + timedelta(days=2)
        return sum(iter(lambda: deliver_due(at), 0))


@pytest.fixture
def restored(record: Record, postman: Postman, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Restored]:
    """The record of yesterday evening, put back by pg_restore, with the mail server that had today's letters."""
    monkeypatch.setenv("MASH_DATABASE_URL", os.environ["MASH_DATABASE_URL"])
    yield Restored(record, postman, tmp_path / "checkpoints")
    forget_settings()


def test_the_chain_verifies_to_its_head_and_the_anchor_names_exactly_what_is_lost(restored: Restored) -> None:
    """F29, S-23: by a second verifier too"""
    assert act(verify).whole
    chains: dict[object, list[dict[str, object]]] = {}
    for row in restored.rows("SELECT * FROM ledger ORDER BY reference, number"):
        chains.setdefault(row["reference"], []).append(row)
    assert {reference: len(chain) for reference, chain in chains.items()} == restored.in_the_backup
    assert [first_fault(chain) for chain in chains.values()] == [None] * len(chains)
    found = act(verify, None, checkpoints.read(restored.anchor, PUBLIC))
    assert not found.whole
    assert list(found.lost) == [
        Lost(reference, restored.in_the_backup.get(reference, 0) + 1, signed)
        for reference, signed in sorted(restored.signed.items())
    ]
    assert {restored.asked, restored.waiting, restored.new} == {each.reference for each in found.lost}


def test_nothing_leaves_before_the_operator_says_so_but_a_code_that_somebody_asks_for(restored: Restored) -> None:
    """F29: neither what waited in the backup, nor what the clock and people make it say anew"""
    assert restored.deliver() == 0
    while act(keep_clock, JUST_OVERDUE):
        pass
    act(say, MessageName.OUTCOME_READY, to_duty_team(DUTY), at=JUST_OVERDUE, reference=restored.asked)
    assert restored.deliver() == 0
    assert act(next_turn) is None
    assert len(restored.postman.letters) == restored.sent
    _ask_for_a_code(act(real_time))
    assert restored.deliver() == 1
    assert len(restored.postman.letters) == restored.sent + 1


def _ask_for_a_code(at: datetime) -> None:
    person = account_of(Actor("person", Role.MASH_SUPPORT, is_person=True), at)
    person.email, person.email_digest = "person@mash.bnes.example", signin.email_digest("person@mash.bnes.example")
    act(lambda session, at: session.add(person), at=at)
    act(say_privately, AccountLetter.SIGN_IN_CODE, "person", "123456", at=at, expires_at=at + timedelta(days=9))


@pytest.mark.parametrize("send", [True, False])
def test_the_operator_says_what_becomes_of_what_waits_and_the_ledger_who_said_it(
    restored: Restored, send: bool
) -> None:
    """F29: what is sent again has the Message-ID that it had"""
    assert restored.deliver() == 0
    assert act(post.let_go, send=send, by=OPERATOR, at=JUST_OVERDUE) == len(restored.unsent)
    assert restored.deliver() == (len(restored.unsent) if send else 0)
    again = [str(letter["Message-ID"]) for letter in restored.postman.letters[restored.sent :]]
    assert sorted(again) == (sorted(f"<{each}@mash.invalid>" for each in restored.unsent) if send else [])
    assert set(again) <= {str(letter["Message-ID"]) for letter in restored.postman.letters[: restored.sent]}
    told = "SELECT reference, actor, detail FROM ledger WHERE act = 'POST_RELEASED' ORDER BY reference"
    released = restored.rows(told)
    assert [row["reference"] for row in released] == sorted([restored.asked, restored.waiting])
    assert {row["actor"] for row in released} == {OPERATOR.id}
    assert {row["detail"]["sent"] for row in released} == {send}  # type: ignore[index]
    act(say, MessageName.OUTCOME_READY, to_duty_team(DUTY), at=JUST_OVERDUE, reference=restored.asked)
    assert restored.deliver() == 1
    assert act(verify).whole


def test_a_record_that_was_copied_file_by_file_is_held_by_hand(record: Record, checking: str) -> None:
    """F29: a copied disk looks as the disk did; so an operator holds the post before the hub is started on it"""
    assert act(post.held_since) is None
    act(post.hold, by=OPERATOR, at=act(real_time))
    assert act(post.held_since) is not None
    assert act(next_turn) is None
    assert act(post.waiting) == {"check_requested": 4}
    act(post.let_go, send=True, by=OPERATOR, at=JUST_OVERDUE)
    assert act(post.held_since) is None
    assert act(next_turn) is not None
    assert acts_of(record, checking)[-1] == "POST_RELEASED"


@pytest.mark.parametrize("by", [duty(), rep("POLICE"), SUPPORT, DECIDER], ids=lambda actor: actor.id)
def test_nobody_else_holds_the_post_or_lets_it_go(record: Record, by: Actor) -> None:
    with pytest.raises(NotPermitted):
        act(post.hold, by=by, at=JUST_OVERDUE)
    with pytest.raises(NotPermitted):
        act(post.let_go, send=True, by=by, at=JUST_OVERDUE)
