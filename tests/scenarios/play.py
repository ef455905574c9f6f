"""Plays the scenario pack on a running hub: what the demo shows and the tests assert is this same play (R65)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from engine.api import Api
from models.profile import Profile
from tests.scenarios.case import LONDON, PATIENCE, Case, SignIn, Theatre
from tests.scenarios.pack import PACK, STARTS
from tests.scenarios.week import Week

Scenario = Callable[[Case], None]


@dataclass
class Played:
    """How one scenario went. `trouble` is None when everything in it was as it says."""

    name: str
    story: str
    reference: str = ""
    trouble: str | None = None
    clocks: str = ""
    told: list[str] = field(default_factory=list)
    run_id: str | None = None


@dataclass(frozen=True)
class Hub:
    """Where the hub to play on is, and what opens it."""

    url: str
    tokens: dict[str, str] = field(repr=False)
    mail: Path
    owner_url: str
    profile: Profile = field(repr=False)


def play(
    hub: Hub,
    scenarios: Sequence[Scenario] = PACK,
    *,
    finished: Callable[[Played], None] = lambda _: None,
    after_each_act: Callable[[str], None] = lambda _: None,
    starts: datetime = STARTS,
    sign_in: SignIn = lambda _, url, token: Api(url, token),
    patience: float = PATIENCE,
) -> list[Played]:
    """Play scenarios side by side on one timeline, and say how each went, in the order given.

    `finished` hears of each one as it ends. `after_each_act` hears the path of each act of anybody in any of them.
    `sign_in` gives each account its view of the hub; `patience`: for how many seconds the hub may be busy or away.
    """
    week = Week(hub.owner_url, players=len(scenarios), starts=starts, patience=2 * patience)
    theatre = Theatre(
        url=hub.url,
        tokens=hub.tokens,
        mail=hub.mail,
        owner_url=hub.owner_url,
        profile=hub.profile,
        week=week,
        sign_in=sign_in,
        patience=patience,
    )
    theatre.after_each_act = after_each_act
    results = [Played(name=_name(scenario), story=_story(scenario)) for scenario in scenarios]
    threads = [
        # Ctrl-C need not wait for them.
        threading.Thread(target=_play_one, args=(theatre, scenario, played, finished), name=played.name, daemon=True)
        for scenario, played in zip(scenarios, results, strict=True)
    ]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        theatre.close()
        week.close()
    return results


def _play_one(theatre: Theatre, scenario: Scenario, played: Played, finished: Callable[[Played], None]) -> None:
    case = Case(theatre, played.name)
    try:
        scenario(case)
    except Exception as trouble:
        played.trouble = f"{type(trouble).__name__}: {trouble}"
    finally:
        theatre.week.leave()
    played.reference = case.reference
    played.told = sorted(set(case.told))
    if case.reference:
        played.clocks = _clocks(theatre, case.reference)
        [(run_id,)] = theatre.ask_record("SELECT run_id FROM referral WHERE reference = %s", case.reference)
        played.run_id = str(run_id) if run_id else None
    finished(played)


def _clocks(theatre: Theatre, reference: str) -> str:
    rows = theatre.ask_record(
        "SELECT due_at, count(*), count(breached_at) FROM agency_check WHERE reference = %s GROUP BY due_at", reference
    )
    if not rows:
        return "no clock ran"
    due = ", ".join(f"{count} due {at.astimezone(LONDON):%a %d %b %H:%M}" for at, count, _ in sorted(rows))
    breaches = sum(row[2] for row in rows)
    return f"{due}; {breaches or 'no'} breach{'es' if breaches > 1 else ''}"


def _name(scenario: Scenario) -> str:
    return scenario.__name__.replace("_", " ")


def _story(scenario: Scenario) -> str:
    return (scenario.__doc__ or "").partition("\n")[0].rstrip(".")
