"""SIGKILL of the worker, the timekeeper and the API after every act of a case: nothing is lost, nothing said twice."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes

import httpx
import psycopg

from engine.stack import Stack
from tests.scenarios.case import Case
from tests.scenarios.pack import a_mother_and_two_children, a_return_after_the_decision
from tests.scenarios.play import Hub, play

KILLED = ("worker", "timekeeper", "portal")
#: After which acts, counted over both cases, everything is killed: once in each step of the flow.
STEPS = {
    ("referrals", 1),
    ("return", 1),
    ("return", 6),
    ("discussions", 1),
    ("decisions", 1),
    ("acknowledgement", 1),
    ("acknowledgement", 2),
    # The late return, the decision that follows from it, and the second outcome's acknowledgement.
    ("return", 10),
    ("decisions", 3),
    ("acknowledgement", 4),
}


def _kill_and_wait(stack: Stack, hub: Hub) -> None:
    for part in KILLED:
        stack.kill(part)
    # At once, not after the pause with which the stack meets a part that dies again and again.
    with ThreadPoolExecutor(len(KILLED)) as together:
        list(together.map(stack.restart, KILLED))
    given_up = time.monotonic() + 60
    while time.monotonic() < given_up:
        try:
            if httpx.get(f"{hub.url}/health", trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the API did not come back within a minute")


def test_killing_worker_timekeeper_and_api_at_each_step_loses_and_repeats_nothing(stack: Stack, hub: Hub) -> None:
    """F1-F3, INV1, INV3, INV7, INV9, INV11: after the referral, the first and the last return, the discussion, the
    decision, each acknowledgement, the late return and the new decision"""
    acts: Counter[str] = Counter()
    kills: Counter[str] = Counter()

    def crash(path: str) -> None:
        kind = path.rpartition("/")[2]
        acts[kind] += 1
        if (kind, acts[kind]) in STEPS:
            kills[kind] += 1
            _kill_and_wait(stack, hub)

    def joint(case: Case) -> None:
        """The joint case."""
        a_mother_and_two_children(_renamed(case, "joint-killed-1"))

    def late(case: Case) -> None:
        """The late return."""
        a_return_after_the_decision(_renamed(case, "late-killed-1"))

    told = [play(hub, [scenario], after_each_act=crash)[0] for scenario in (joint, late)]
    assert [played.trouble for played in told] == [None, None]
    for played in told:
        _letters_are_single(stack, hub, played.reference)
    assert sum(kills.values()) == len(STEPS)


def _renamed(case: Case, sender_id: str) -> Case:
    """The same story under another sender's id."""
    refer = case.is_referred

    def renamed(duty_team: str, document: dict[str, object]) -> dict[str, object]:
        return refer(duty_team, document | {"sender_id": sender_id})

    case.is_referred = renamed  # type: ignore[method-assign, assignment]
    return case


def _wait_until_all_is_sent(url: str, reference: str) -> None:
    """A notice whose sender was killed is taken up again when its lease of a minute has run out."""
    given_up = time.monotonic() + 120
    query = "SELECT count(*) FROM notice WHERE reference = %s AND status <> 'SENT'"
    with psycopg.connect(url, autocommit=True) as record:
        while record.execute(query, (reference,)).fetchone() != (0,):
            assert time.monotonic() < given_up, "a notice is not sent"
            time.sleep(0.2)


def _letters_are_single(stack: Stack, hub: Hub, reference: str) -> None:
    """No Message-ID twice but where the record itself says that it may have been."""
    url = stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")
    _wait_until_all_is_sent(url, reference)
    with psycopg.connect(url) as record:
        query = "SELECT id::text FROM notice WHERE reference = %s AND perhaps_twice"
        forgiven = {f"<{row[0]}@mash.invalid>" for row in record.execute(query, (reference,))}
    letters = [message_from_bytes(file.read_bytes()) for file in hub.mail.glob("*.eml")]
    times = Counter(str(letter["Message-ID"]) for letter in letters if reference in str(letter["Subject"]))
    assert [key for key, count in times.items() if count > 1 and key not in forgiven] == []
