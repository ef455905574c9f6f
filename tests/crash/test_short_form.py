"""The short form of the crash trials: one storm with every kind of strike, and the faults one by one."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from engine import trial
from tests.crash.faults import (
    ASIST,
    DUTY,
    Bench,
    a_clear_concern,
    eventually,
    every_connection_taken,
    refusing,
    without,
)
from tests.crash.nemesis import Nemesis
from tests.crash.recovery import struck_while_recovering
from tests.crash.trial import Scene, storm
from tests.scenarios.case import london
from tests.scenarios.pack import FOR_A_CHILD, a_child_at_risk, a_mother_and_two_children, a_return_after_the_decision
from tests.scenarios.people import a_child, a_referral

SEED = "short-form-1"
STORIES = (a_child_at_risk, a_mother_and_two_children, a_return_after_the_decision)
#: From the last service's answer until everything moves again, with a busy machine's patience (INV9: within 120 s).
RECOVERY = 120.0


@pytest.fixture
def bench(scene: Scene) -> Iterator[Bench]:
    """The tests' hub, whole before and after each fault."""
    bench = Bench(scene)
    eventually(bench.healthy, "the hub is well before the test")
    yield bench
    eventually(bench.healthy, "the hub is well after the test")


def test_every_kind_of_strike_once_loses_and_repeats_nothing(scene: Scene) -> None:
    """F2-F6, F10, F13, F14, F28, F30, INV1-INV15: three cases side by side, each kind of strike in a seeded order"""

    def each_kind_once(nemesis: Nemesis) -> None:
        nemesis.longest = 4.0
        left = nemesis.kinds
        random.Random(SEED).shuffle(left)
        while left and not nemesis.is_over:
            left = [kind for kind in left if not nemesis.strike(kind)]
            time.sleep(0.3)

    played, nemesis = storm(scene, STORIES, SEED, strike=each_kind_once)
    assert [each.trouble for each in played] == [None] * len(STORIES)
    assert sorted(nemesis.struck) == sorted(nemesis.kinds)
    assert nemesis.kills >= 8
    assert Bench(scene).is_sound(*(each.reference for each in played)) == []


def test_postgresql_killed_while_lost_runs_are_brought_back_strands_nothing(bench: Bench) -> None:
    """F7, INV9, INV15: at three of the statements and commits of a sweep and its wakes, drawn from the seed"""
    references, kills = struck_while_recovering(
        bench, "struck in recovery", lambda points: random.Random(SEED).sample(range(points), 3)
    )
    assert kills == 3
    bench.scene.calm_down()
    assert bench.is_sound(*references) == []


CUTS = ["after the headers", "in the middle of the body", "before the answer"]


@pytest.mark.parametrize("cut", CUTS)
def test_a_portal_killed_in_a_post_takes_the_referral_once_when_it_is_sent_again(bench: Bench, cut: str) -> None:
    """F5, INV1, INV2: SIGKILL, then the same document under the same sender_id"""
    sent = [a_clear_concern(f"cut {cut} {number}") for number in range(3)]
    references = []
    for number, document in enumerate(sent):
        _send_and_kill(bench, document, cut, delay=0.01 * number)
        bench.stack.restart("portal")
        eventually(bench.healthy, "the portal is back")
        first, second = bench.refer(document), bench.refer(document)
        assert first.status_code in (200, 201)
        assert second.status_code == 200
        assert first.json()["reference"] == second.json()["reference"]
        references.append(first.json()["reference"])
    held = bench.ask("SELECT count(*) FROM referral WHERE sender_id LIKE %s", f"cut {cut} %")
    assert held == [(len(sent),)]
    bench.close(*references)
    bench.scene.calm_down()
    assert bench.is_sound(*references) == []


def _send_and_kill(bench: Bench, document: dict[str, object], cut: str, delay: float) -> None:
    """Send part of a request by hand, and kill the portal."""
    headers = {"Authorization": f"Bearer {bench.hub.tokens[trial.duty_account(DUTY)]}"}
    request = httpx.Request("POST", f"{bench.hub.url}/api/v1/referrals", json=document, headers=headers)
    lines = [b"POST /api/v1/referrals HTTP/1.1", *(name + b": " + value for name, value in request.headers.raw)]
    head, body = b"\r\n".join(lines) + b"\r\n\r\n", request.read()
    where = urlsplit(bench.hub.url)
    with socket.create_connection((str(where.hostname), where.port or 0), timeout=10) as line:
        line.sendall(head)
        if cut != CUTS[0]:
            line.sendall(body[: len(body) // 2] if cut == CUTS[1] else body)
        time.sleep(delay)
        bench.stack.kill("portal")


def test_while_the_record_is_away_the_portal_says_that_nothing_was_saved_and_is_well_again_by_itself(
    bench: Bench,
) -> None:
    """F8, INV13: 503 with Retry-After, never 2xx; the same process works on once PostgreSQL is back"""
    portal, document = bench.stack.part("portal").pid, a_clear_concern("record away 1")
    with without(bench.stack, "postgres"):
        answers = [bench.refer(document) for _ in range(3)]
    for answer in answers:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "Nothing was saved" in answer.json()["detail"]
        assert answer.elapsed.total_seconds() < 15
    assert eventually(bench.healthy, "the portal reaches the record again") < 30
    assert bench.stack.part("portal").pid == portal
    taken = bench.refer(document)
    assert taken.status_code == 201
    bench.close(taken.json()["reference"])
    bench.scene.calm_down()
    assert bench.is_sound(taken.json()["reference"]) == []


def test_with_no_connection_left_the_portal_refuses_in_time_and_nothing_is_half_done(bench: Bench) -> None:
    """F26: every connection of the record's account is taken; 503 within seconds, no deadlock, well again at once"""
    bench.stack.restart("portal")
    eventually(bench.healthy, "the portal has its first connection")
    documents = [a_clear_concern(f"crowded {number}") for number in range(12)]
    with every_connection_taken(bench), ThreadPoolExecutor(len(documents)) as senders:
        answers = list(senders.map(bench.refer, documents))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {201, 503}
    assert 503 in statuses
    assert max(answer.elapsed.total_seconds() for answer in answers) < 15
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 503)
    references = [bench.refer(document).json()["reference"] for document in documents]
    assert len(set(references)) == len(documents)
    bench.close(*references)
    bench.scene.calm_down()
    assert bench.is_sound(*references) == []


def test_what_could_not_be_mailed_leaves_once_when_the_mail_server_is_back(bench: Bench) -> None:
    """F13, INV7: none dropped, none doubled"""
    with without(bench.stack, "sink"):
        references = _refer(bench, "mail down", DUTY, ASIST, DUTY, ASIST)
        tried = "SELECT count(*) FROM notice WHERE reference = ANY(%s) AND attempts > 0"
        eventually(lambda: bench.ask(tried, references) == [(len(references),)], "every notice was tried", RECOVERY)
        assert [bench.addresses(reference) for reference in references] == [[]] * len(references)
    took = eventually(lambda: _all_sent(bench, references), "every notice is sent", RECOVERY)
    assert took < RECOVERY
    assert [len(bench.addresses(reference)) for reference in references] == [1] * len(references)
    bench.close(*references)
    assert bench.is_sound(*references) == []


def test_a_mail_server_that_refuses_some_holds_up_nobody_else_and_the_second_channel_is_used(bench: Bench) -> None:
    """F15, INV7, INV8: the refused address gets nothing, its second one letter; the others theirs once"""
    with refusing(bench.stack, "duty@children.bnes.example"):
        references = _refer(bench, "refused", DUTY, ASIST, DUTY, ASIST)
        eventually(lambda: _all_sent(bench, references), "every notice is sent", RECOVERY)
    assert [bench.addresses(reference) for reference in references] == [
        ["duty-manager@children.bnes.example"],
        ["asist@adults.bnes.example"],
    ] * 2
    bench.close(*references)
    assert bench.is_sound(*references) == []


def test_a_notice_that_can_never_leave_is_given_up_aloud_and_holds_up_nobody_else(bench: Bench) -> None:
    """F16: for somebody whom no profile knows; the alarm is told, in the ledger too"""
    [poisoned, sound] = _refer(bench, "poison", DUTY, DUTY)
    bench.ask(
        "INSERT INTO notice (id, key, reference, message, recipient, written_at, status, channel, attempts, "
        "perhaps_twice) VALUES (gen_random_uuid(), %s, %s, 'outcome_ready', 'duty:NOBODY', '2000-01-01Z', 'WAITING', "
        "'primary', 0, false)",
        f"{poisoned}:outcome_ready:duty:NOBODY", poisoned,
    )  # fmt: skip
    eventually(lambda: bench.notices(poisoned).get("duty:NOBODY") == "UNDELIVERED", "it is given up", RECOVERY)
    eventually(lambda: bench.notices(poisoned).get("mash:alarm") == "SENT", "the alarm is told", RECOVERY)
    eventually(lambda: _all_sent(bench, [sound]), "the other one left", RECOVERY)
    told = "SELECT count(*) FROM ledger WHERE reference = %s AND act = 'NOTICE_UNDELIVERED'"
    assert bench.ask(told, poisoned) == [(1,)]
    bench.close(poisoned, sound)


def _refer(bench: Bench, what: str, *teams: str) -> list[str]:
    answers = [bench.refer(a_clear_concern(f"{what} {number}", team)) for number, team in enumerate(teams)]
    assert [answer.status_code for answer in answers] == [201] * len(teams)
    return [answer.json()["reference"] for answer in answers]


def _all_sent(bench: Bench, references: list[str]) -> bool:
    return all((notices := bench.notices(reference)) and set(notices.values()) == {"SENT"} for reference in references)


def test_a_deadline_that_passes_while_everything_is_down_is_one_breach_at_its_own_time(bench: Bench) -> None:
    """F22, INV5, INV9: up again three days later; each breach once, at the due time, one letter each, and the join"""
    asked, much_later = london("Mon 16 Mar 2026 10:00"), london("Thu 19 Mar 2026 10:30")
    with bench.time_held(asked) as hold:
        document = a_referral(DUTY, "down at the deadline", [a_child(72)], asked)
        reference = bench.refer(document).json()["reference"]
        letters = len(FOR_A_CHILD)
        eventually(lambda: len(bench.addresses(reference)) == letters, "every agency is asked", RECOVERY)
        with without(bench.stack, "timekeeper", "worker", "prefect", "portal"):
            hold(much_later)
        eventually(bench.healthy, "the portal is back")
        breached = "SELECT count(*) FROM agency_check WHERE reference = %s AND breached_at = due_at"
        took = eventually(lambda: bench.ask(breached, reference) == [(letters,)], "all are breached", RECOVERY)
        assert took < 60
        joined = "SELECT stage FROM referral WHERE reference = %s"
        eventually(lambda: bench.ask(joined, reference) == [("AWAITING_DECISION",)], "the returns are joined", RECOVERY)
        told = "SELECT count(*) FROM ledger WHERE reference = %s AND act = 'CHECK_BREACHED'"
        assert bench.ask(told, reference) == [(letters,)]
        bench.scene.calm_down()
        assert len(bench.addresses(reference)) == letters * 2 + 1
        assert bench.is_sound(reference) == []
        bench.post(trial.duty_account(DUTY), f"/referrals/{reference}/withdraw", {"reason": "MISTAKEN_OR_DUPLICATE"})
        eventually(lambda: bench.ask(joined, reference) == [("CLOSED",)], "it is withdrawn", RECOVERY)
