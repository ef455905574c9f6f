"""Everybody who acts on a referral, without HTTP: through casework's verbs, as fast as the record takes them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

from bench.ground import Connection
from casework import outcome
from tests.casework import factory

STANDS = (
    "SELECT r.reference, r.stage, (SELECT count(*) FROM agency_check c WHERE c.reference = r.reference)"
    " FROM referral r WHERE r.reference = ANY(%s)"
)


def refers() -> str:
    """The duty team sends a referral about one child; its reference."""
    return factory.refer(at=datetime.now(UTC), sender_id=uuid4().hex)


def all_answer(reference: str, agencies: list[str]) -> None:
    """Each agency returns that it knows nothing."""
    for agency in agencies:
        factory.give_back(reference, agency, at=datetime.now(UTC))


def decides(reference: str) -> None:
    """The team's discussion is recorded, and a decision maker signs."""
    factory.decide(reference, at=datetime.now(UTC))


def acknowledges(reference: str) -> None:
    """The duty team says that it knows."""
    factory.act(outcome.acknowledge, reference, by=factory.duty(), at=datetime.now(UTC))


class Acts:
    """What people do on referrals, as soon as it can be done; `moved` hears of each referral after each such act."""

    def __init__(self, record: Connection, agencies: list[str], moved: Callable[[str], None] = lambda _: None) -> None:
        self._record, self._agencies, self._moved = record, agencies, moved
        self._done: set[tuple[str, str]] = set()
        self._acts: dict[str, Callable[[str], None]] = {
            "CHECKING": lambda reference: all_answer(reference, agencies),
            "AWAITING_DECISION": decides,
            "AWAITING_ACK": acknowledges,
        }

    def go_on(self, references: list[str]) -> int:
        """Do what can be done on these referrals now; how many of them were not closed yet."""
        stands = self._record.execute(STANDS, (references,)).fetchall()
        for reference, stage, asked in stands:
            ready = stage in self._acts and (stage != "CHECKING" or asked == len(self._agencies))
            if ready and (reference, stage) not in self._done:
                self._acts[stage](reference)
                self._done.add((reference, stage))
                self._moved(reference)
        return sum(stage != "CLOSED" for _, stage, _ in stands)


def carry_through(
    record: Connection,
    references: list[str],
    agencies: list[str],
    *,
    moved: Callable[[str], None] = lambda _: None,
    patience: float = 600.0,
) -> None:
    """Do what people do, as soon as it can be done, until every one of these referrals is closed.

    `moved` hears of each referral after each such act. Raises TimeoutError when they do not all end.
    """
    end = time.monotonic() + patience
    acts = Acts(record, agencies, moved)
    while still_open := acts.go_on(references):
        if time.monotonic() > end:
            raise TimeoutError(f"after {patience:.0f} s not closed: {still_open}")
        time.sleep(0.1)
