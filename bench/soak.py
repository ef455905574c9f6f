"""Load L1 and L7: a day of the biggest hub's referrals in an hour of real time, while memory and disk are watched."""

from __future__ import annotations

import statistics
import time

import httpx

from bench import costs, people
from bench.figures import Figure
from bench.ground import Connection, Ground, agencies
from engine import databases
from engine.stack import PARTS
from engine.trial import OPERATOR, open_accounts

QUESTION = "A day of the biggest hub (350 referrals, eight agencies each) in an hour: answers, letters, memory, disk"
REFERRALS, MINUTES = 350, 60.0
LOOK_EVERY = 10.0
#: Memory before this is warm-up: caches that fill once.
WARM = 0.25
LETTERS = (
    "SELECT extract(epoch FROM sent_at - written_at)::float FROM notice WHERE status = 'SENT' AND reference = ANY(%s)"
)
#: A view of whole databases, which every role may read; who is connected is shown to a superuser alone.
CONNECTIONS = "SELECT sum(numbackends) FROM pg_stat_database"
UNSENT = "SELECT count(*) FROM notice WHERE status <> 'SENT' AND reference = ANY(%s)"


def measure(ground: Ground, *, referrals: int = REFERRALS, minutes: float = MINUTES) -> Figure:
    """Send referrals in evenly, act on them as soon as it can be done, and look every ten seconds."""
    figure = Figure("soak", QUESTION)
    before = (ground.size(databases.RECORD), ground.size(databases.ENGINE))
    with ground.record() as record:
        watch = Watch(ground, record)
        sent = come_in(record, watch, referrals, minutes, patience=600)
        letters = [float(found) for (found,) in record.execute(LETTERS, (sent,))]
        [(unsent,)] = record.execute(UNSENT, (sent,)).fetchall()
    _tell(figure, watch, letters, int(unsent))
    for name, was, database in zip(("record", "engine"), before, (databases.RECORD, databases.ENGINE), strict=True):
        figure.one(f"{name}: growth per referral", "kB", (ground.size(database) - was) / 1000 / referrals)
    figure.notes += [
        f"{referrals} referrals came in evenly over {minutes:g} minutes of real time; everybody acts at once. An hour "
        "stands for the eight hours of L7.",
        "Memory: proportional set size of the processes of Prefect server, worker, timekeeper, portal and sink that "
        "live throughout (a run's child does not); its slope by least squares over the last three quarters of the "
        "time. PostgreSQL is left out: it fills its own buffers.",
    ]
    return figure


def come_in(record: Connection, watch: Watch, referrals: int, minutes: float, *, patience: float) -> list[str]:
    """Referrals come in evenly over so many minutes, and everybody acts on them at once until all are closed.

    Gives their references. Raises TimeoutError when some are still open so many seconds after the last came in.
    """
    acts, sent, began = people.Acts(record, agencies()), list[str](), time.monotonic()
    while (open_ones := acts.go_on(sent)) or len(sent) < referrals:
        passed = time.monotonic() - began
        while len(sent) < min(referrals, 1 + int(passed / (minutes * 60) * referrals)):
            sent.append(people.refers())
        watch.look(passed)
        if passed > minutes * 60 + patience:
            raise TimeoutError(f"{open_ones} referrals were still open {patience:g} s after the last came in")
        time.sleep(0.1)
    return sent


class Watch:
    """What was seen, every ten seconds: how fast screens were, what went wrong, and what each part held."""

    def __init__(self, ground: Ground, record: Connection) -> None:
        self.answers: list[float] = []
        self.errors = 0
        self.connections: list[float] = []
        self._record = record
        self.memory: dict[str, list[tuple[float, float]]] = {part: [] for part in PARTS}
        self._stack = ground.stack
        self._next, self._began = 0.0, time.time()
        tokens = open_accounts(ground.stack.home)
        self._screens = [(tokens[OPERATOR], "/referrals"), (tokens["rep-POLICE"], "/checks")]
        self._portal = httpx.Client(base_url=f"http://127.0.0.1:{ground.stack.ports.portal}/api/v1", timeout=30)

    def look(self, passed: float) -> None:
        """Read each screen once, and note each part's memory and PostgreSQL's connections, if it is time."""
        if passed < self._next:
            return
        self._next = passed + LOOK_EVERY
        for token, path in self._screens:
            began = time.perf_counter()
            answer = self._portal.get(path, headers={"Authorization": f"Bearer {token}"})
            self.answers.append(time.perf_counter() - began)
            self.errors += answer.status_code != 200
        for part, pid in costs.running_parts(self._stack).items():
            self.memory[part].append((passed / 3600, costs.memory(pid, since=self._began)[1]))
        [(connections,)] = self._record.execute(CONNECTIONS).fetchall()
        self.connections.append(float(connections))


def _tell(figure: Figure, watch: Watch, letters: list[float], unsent: int) -> None:
    figure.many("a screen: the open referrals, an agency's queue", "s", watch.answers, at_most=0.3, of="p95")
    figure.one("answers that were no answer", "", watch.errors, at_most=0)
    figure.many("letter written → accepted by SMTP", "s", letters, at_most=60, of="p95")
    figure.one("letters not sent at the end", "", unsent, at_most=0)
    slopes = {part: _slope(seen) for part, seen in watch.memory.items() if part != "postgres" and len(seen) > 8}
    figure.one("memory of all parts but PostgreSQL: slope", "MB/h", sum(slopes.values()), at_most=1)
    figure.tables["Memory by part, MB"] = [
        {
            "part": part, "at first": round(seen[0][1]), "at a quarter": round(seen[len(seen) // 4][1]),
            "at the end": round(seen[-1][1]), "slope, MB/h": round(slopes.get(part, 0.0), 1),
        }
        for part, seen in watch.memory.items() if seen
    ]  # fmt: skip


def _slope(seen: list[tuple[float, float]]) -> float:
    steady = seen[int(len(seen) * WARM) :]
    hours, megabytes = zip(*steady, strict=True)
    return statistics.linear_regression(hours, megabytes).slope
