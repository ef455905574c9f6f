"""What a monitoring system asks: numbers by codes, never by referral or person (R73). Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import WorkPoolStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import temporary_settings
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlmodel import Session

from casework import agreements, checkpoints, post, upkeep
from casework.db import now, real_time, unit_of_work
from casework.hold_ups import Why, hold_ups
from casework.register import current_profile
from engine.doctor.machine import free_bytes
from engine.patience import IS_IT_WELL
from engine.runs import POOL
from models.settings import settings
from rules.errors import Unavailable

LATELY = timedelta(days=7)


class Numbers(Collector):
    """Asked anew at each reading. A record that does not answer is a number too."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: to register must not ask the record."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every number, as things stand."""
        yield _one("mash_disk_free_bytes", "Bytes left where the home folder is", free_bytes(self._home))
        yield from _of_engine()
        try:
            with unit_of_work() as session:
                found = list(_of_record(session))
        except Unavailable:
            found = []
        yield _one("mash_record_up", "1 while the record answers", bool(found))
        yield from found


def registry(home: Path) -> CollectorRegistry:
    """The hub's numbers alone, without those of this process."""
    made = CollectorRegistry()
    made.register(Numbers(home))
    return made


def _of_engine() -> Iterator[Metric]:
    up = polling = False
    try:
        with temporary_settings(IS_IT_WELL), get_client(sync_client=True) as client:
            polling = client.read_work_pool(POOL).status is WorkPoolStatus.READY
            up = True
    except ObjectNotFound:
        up = True
    except (httpx.HTTPError, PrefectHTTPStatusError):
        pass
    yield _one("mash_engine_up", "1 while the Prefect server answers", up)
    yield _one("mash_workers_polling", "1 while a worker polls the hub's work pool", polling)


def _of_record(session: Session) -> Iterator[Metric]:
    yield _each("mash_referrals_open", "Referrals that are not closed", "stage", upkeep.open_by_stage(session))
    yield _each("mash_checks", "Agency checks of open referrals", "status", upkeep.checks_by_status(session))
    yield from _lateness(session)
    yield _each("mash_referrals_held_up", "Open referrals that do not move", "why", _held_up(session))
    yield from _letters(session)
    yield from _rounds(session)
    yield from _dates(session)
    yield _one("mash_ledger_last_entry", "Number of the ledger's last entry", upkeep.last_ledger_entry(session))
    yield _one("mash_figures_not_yet", "Referrals whose figures are to be worked out", upkeep.figures_not_yet(session))


def _lateness(session: Session) -> Iterator[Metric]:
    late = {agency.code: (0, timedelta(0)) for agency in current_profile().agencies} | upkeep.lateness(session)
    counts = {agency: count for agency, (count, _) in late.items()}
    oldest = {agency: age.total_seconds() for agency, (_, age) in late.items()}
    yield _each("mash_checks_overdue", "Checks past their deadline and not answered", "agency", counts)
    yield _each("mash_check_lateness_seconds", "How late the oldest of them is", "agency", oldest)


def _held_up(session: Session) -> dict[str, int]:
    found = [each.why for each in hold_ups(session)]
    return {why: found.count(why) for why in Why}


def _letters(session: Session) -> Iterator[Metric]:
    oldest = upkeep.oldest_unsent(session) or timedelta(0)
    yield _one("mash_letters_unsent", "Letters that wait", sum(post.waiting(session).values()))
    yield _one("mash_letter_oldest_seconds", "How long the oldest letter waits", oldest.total_seconds())
    yield _one(
        "mash_letters_undelivered", "Letters of seven days that reached nobody", upkeep.undelivered(session, LATELY)
    )
    yield _one("mash_post_held", "1 while no letter leaves", post.held_since(session) is not None)


def _rounds(session: Session) -> Iterator[Metric]:
    ages = {name: age.total_seconds() for name, age in upkeep.rounds(session).items()}
    yield _each("mash_round_age_seconds", "How long ago a timekeeper took a round", "round", ages)
    folder = settings().checkpoints
    signed = checkpoints.signed_last(folder) if folder else None
    if signed is not None:
        age = (real_time(session) - signed).total_seconds()
        yield _one("mash_checkpoint_age_seconds", "How long ago the ledger was signed", age)


def _dates(session: Session) -> Iterator[Metric]:
    profile = current_profile()
    today = now(session).astimezone(profile.zone_info).date()
    known = (profile.hours.known_until - today).total_seconds()
    yield _one("mash_calendar_known_seconds", "For how long bank holidays are known", known)
    without = agreements.without_agreement(agreements.as_they_stand(session, today), profile)
    yield _one("mash_agencies_without_agreement", "Agencies that cannot be asked", len(without))


def _one(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=float(value))


def _each(name: str, says: str, label: str, values: Mapping[Any, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label])
    for code, value in values.items():
        family.add_metric([str(code)], value)
    return family
