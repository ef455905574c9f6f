"""Figures 2 and 3: referrals a minute through all steps, beside the bare engine and beside DBOS Transact."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from bench import costs, dbos_side, people
from bench.figures import Figure
from bench.ground import Ground, agencies
from bench.word import Word

QUESTION = "Referrals completed a minute, eight agencies each, all steps: the hub, the bare engine, DBOS Transact"
STARTS = 4
#: As the engine counts them: each agency has two, the step that asks it and the bar of its check.
TASK_RUNS = 21


@dataclass
class Side:
    """What one contender did: referrals a minute in each round, and CPU seconds by part over all rounds."""

    rates: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    def add(self, rate: float, cpu: dict[str, float]) -> None:
        """Take in one round."""
        self.rates.append(rate)
        for part, seconds in cpu.items():
            self.cpu[part] = self.cpu.get(part, 0.0) + seconds

    def per_referral(self, referrals: int) -> dict[str, float]:
        """CPU seconds of each part for one referral."""
        return {part: round(seconds / referrals, 3) for part, seconds in self.cpu.items()}


def measure(ground: Ground, *, rounds: int = 3, batch: int = 16) -> Figure:
    """Rounds of one batch each: hub, bare engine, DBOS, hub, bare engine, DBOS …"""
    figure = Figure("throughput", QUESTION)
    hub, bare, dbos = Side(), Side(), Side()
    with dbos_side.peer(ground) as peer:
        hub_round(ground, 2)
        bare_round(ground, 2)
        peer.round(2)
        for _ in range(rounds):
            hub.add(*_timed(ground, hub_round, batch))
            bare.add(*_timed(ground, bare_round, batch))
            dbos.add(*peer.round(batch))
    _tell(figure, hub, bare, dbos, rounds * batch)
    return figure


def hub_round(ground: Ground, batch: int) -> None:
    """Send in a batch at once, and do what people do until all are closed."""
    with ground.record() as record:
        people.carry_through(record, [people.refers() for _ in range(batch)], agencies())


def bare_round(ground: Ground, batch: int) -> None:
    """As many flow runs, each with as many starts, task runs and suspensions, and nothing in them."""
    word, deployment = Word(ground.word), ground.deployment("bare/mash")
    runs = {}
    for _ in range(batch):
        name = uuid4().hex[:9]
        created = ground.engine.create_flow_run_from_deployment(deployment, parameters={"reference": name}, name=name)
        runs[name] = created.id
    _resume_until_done(ground, word, runs)


def _resume_until_done(ground: Ground, word: Word, runs: dict[str, UUID], patience: float = 600.0) -> None:
    done, end = 0, time.monotonic() + patience
    while done < len(runs):
        for said in word.heard():
            name, _, start = said.rpartition(".")
            if start == str(STARTS):
                done += 1
            else:
                ground.engine.resume_flow_run(runs[name])
        if time.monotonic() > end:
            raise TimeoutError(f"after {patience:.0f} s {len(runs) - done} bare runs had not ended")
        time.sleep(0.02)


def _timed(ground: Ground, contender: object, batch: int) -> tuple[float, dict[str, float]]:
    before, driver = costs.cpu_of_parts(ground.stack), time.process_time()
    began = time.monotonic()
    contender(ground, batch)  # type: ignore[operator]
    seconds = time.monotonic() - began
    used = costs.since(before, costs.cpu_of_parts(ground.stack))
    return batch * 60 / seconds, {**used, "driver": time.process_time() - driver}


def _tell(figure: Figure, hub: Side, bare: Side, dbos: Side, referrals: int) -> None:
    figure.many("hub", "referrals/min", hub.rates)
    figure.many("bare engine, the same starts, task runs and suspensions", "referrals/min", bare.rates)
    figure.many("DBOS Transact, the same verbs", "referrals/min", dbos.rates)
    figure.many("hub ÷ bare engine, round by round", "×", _ratios(hub, bare), at_least=0.8)
    figure.many("DBOS ÷ hub, round by round", "×", _ratios(dbos, hub))
    for name, side in (("hub", hub), ("bare engine", bare), ("DBOS", dbos)):
        spent = side.per_referral(referrals)
        figure.one(f"{name}: CPU per referral, all parts", "s", sum(spent.values()))
        figure.tables.setdefault("CPU seconds per referral, by part", []).append({"contender": name, **spent})
    figure.one("hub: referrals an hour on this machine", "1/h", 60 * statistics.median(hub.rates))
    figure.notes += [
        f"Each referral: {STARTS} starts, {STARTS - 1} suspensions, {TASK_RUNS} task runs; eight of the hub's are "
        "the checks' bars, which no process works on. The hub's also write the record, tell each act as an event, send "
        "ten mails each over SMTP, and do everything that people do, through casework's verbs in the benchmark's own "
        "process (part `driver`): no HTTP between them and the record.",
        "DBOS runs the same verbs on a record of its own in the same PostgreSQL, one step each, waits in "
        "`recv`, and delivers the same mails; the hub's idle parts run beside it.",
    ]


def _ratios(above: Side, below: Side) -> list[float]:
    return [a / b for a, b in zip(above.rates, below.rates, strict=True)]
