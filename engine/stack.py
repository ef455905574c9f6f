"""All parts of one installation on one machine: started in order, watched, and stopped in reverse."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from engine import databases, surroundings
from engine.credentials import Credentials, load_or_create
from engine.lock import HomeLock
from engine.orphans import Register
from engine.parts import Launch, Part
from engine.ports import LOOPBACK, Ports, answers, refuse_if_taken, settle, used_last
from engine.postgres import Postgres
from models.settings import HOUSE
from rules.errors import Misconfigured, Unavailable

PARTS = ("postgres", "sink", "portal", "prefect", "worker", "timekeeper")
# Prefect's first start migrates its database: a minute on an idle machine, minutes on a busy one.
PATIENCE = 900.0
MOST_FAILED_STARTS = 4
STOPPED_TOGETHER = (("timekeeper", "worker", "portal"), ("prefect", "sink"), ("postgres",))


class Stack:
    """The parts of one home folder. `ports`: 0 means any free one; `without`: names of PARTS not to start.

    A part whose address the site has set itself (`MASH_DATABASE_URL`, `PREFECT_API_URL`, `MASH_MAIL_URL`) is not
    started either.
    """

    def __init__(
        self,
        home: Path,
        ports: Ports = Ports(),  # noqa: B008 -- frozen
        without: Collection[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home.resolve()
        self.ports = ports
        self._given = dict(os.environ)
        self._without = frozenset(without) | _kept_elsewhere(self._given)
        self._say = say
        self._lock = HomeLock(self.home)
        self._register = Register(self.home)
        self._parts: dict[str, Part] = {}
        self._credentials: Credentials | None = None

    def start(self) -> None:
        """Return once every part runs and answers.

        Raises Misconfigured with one sentence when it cannot be (a port in use, a second copy, a damaged folder),
        Unavailable when a part does not come up; everything started so far is stopped then.
        """
        try:
            self._prepare_home()
            if self._has("postgres"):
                self._start_postgres()
            else:
                self._require_ports()
            if self._has("prefect"):
                self._start(self._prefect())
            self._upgrade_record()
            for name in ("sink", "portal"):
                if self._has(name):
                    self._start(self._python(name))
            self._await_prefect()
            for name in ("worker", "timekeeper"):
                if self._has(name):
                    self._start(self._python(name))
            self._await_ports()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop every part in reverse order, within a bound, and let the next copy in. Harmless when nothing runs."""
        for names in STOPPED_TOGETHER:
            running = [self._parts[name] for name in names if name in self._parts]
            with ThreadPoolExecutor(max_workers=len(names)) as together:
                list(together.map(Part.stop, running))
        self._parts.clear()
        self._lock.release()

    def part(self, name: str) -> Part:
        """One running part. Raises KeyError for one that this stack did not start."""
        return self._parts[name]

    def kill(self, name: str) -> None:
        """SIGKILL a part with all it started, as a crash would; it comes back by itself."""
        self._parts[name].kill()

    def restart(self, name: str) -> None:
        """Stop a part cleanly and start it again."""
        self._parts[name].stop()
        self._parts[name].start()

    def environment(self) -> dict[str, str]:
        """Every `MASH_…` and `PREFECT_…` variable that a program needs to work with this stack, started before."""
        if self._credentials is None:
            raise Misconfigured("This stack was not started yet.")
        return surroundings.of_clients(self.home, self.ports, self._credentials, self._given)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _has(self, name: str) -> bool:
        return name not in self._without

    def _prepare_home(self) -> None:
        # PostgreSQL's account passes through; what is private inside has rights of its own.
        self.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        self._lock.take()
        for folder in ("logs", "mail", "prefect"):
            (self.home / folder).mkdir(mode=0o700, exist_ok=True)
        self._register.clear_away(self._say)
        self._credentials = load_or_create(self.home)
        self.ports = settle(self.home, self.ports)

    def _start_postgres(self) -> None:
        server = Postgres(self.home, self.ports.postgres, self._secrets.postgres, self._say)
        server.prepare()
        self._require_ports()
        part = self._start(server.launch)
        databases.wait_until_ready(
            self.ports.postgres, self._secrets.postgres, alive=lambda: part.starts == 1, patience=300
        )
        databases.create_missing(self.ports.postgres, self._secrets)

    def _require_ports(self) -> None:
        for name, port in self._listening():
            refuse_if_taken(name, port)

    def _upgrade_record(self) -> None:
        owner = self.environment().get("MASH_OWNER_DATABASE_URL")
        if owner and ("portal" not in self._without or "timekeeper" not in self._without):
            import migrations  # noqa: PLC0415 -- the stack's own parts start without it

            self._say("Bringing the record's tables up to date.")
            migrations.upgrade(owner)

    def _start(self, launch: Launch) -> Part:
        self._say(f"Starting {launch.name}.")
        log = self.home / "logs" / f"{launch.name}.log"
        part = Part(launch, log, self._say, noted=lambda: self._register.note(list(self._parts.values())))
        self._parts[launch.name] = part
        part.start()
        return part

    def _prefect(self) -> Launch:
        where = ["--host", LOOPBACK, "--port", str(self.ports.prefect)]
        return Launch(
            name="prefect",
            command=[sys.executable, "-m", "prefect", "server", "start", *where],
            environment=surroundings.of_prefect_server(self.home, self.ports, self._secrets),
            # Prefect reads settings from the folder it is started in: one that holds none.
            folder=self.home / "prefect",
        )

    def _python(self, name: str) -> Launch:
        own = self.environment()
        serve = ["--factory", "portal.app:create_app", "--host", LOOPBACK, "--port", str(self.ports.portal)]
        # Who a proxy speaks for is the portal's to say: see MASH_TRUSTED_PROXIES.
        quiet = ["--no-proxy-headers", "--no-access-log", "--no-server-header", "--log-level", "warning"]
        arguments, variables, grace = {
            "sink": (["engine.sink", "--port", str(self.ports.smtp), "--folder", str(self.home / "mail")], {}, 5),
            "portal": (["uvicorn", *serve, *quiet], surroundings.without_engine(own), 15),
            "worker": (["engine.worker"], surroundings.of_worker(own), 60),
            "timekeeper": (["engine.timekeeper"], surroundings.backstage(own), 15),
        }[name]
        return Launch(
            name=name,
            command=[sys.executable, "-m", *arguments],
            environment={**surroundings.machine(), **variables},
            folder=HOUSE,
            grace=grace,
            heirs=name == "worker",
        )

    @property
    def _secrets(self) -> Credentials:
        if self._credentials is None:
            raise Misconfigured("This stack was not started yet.")
        return self._credentials

    def _listening(self) -> list[tuple[str, int]]:
        ports = {
            "postgres": self.ports.postgres,
            "sink": self.ports.smtp,
            "portal": self.ports.portal,
            "prefect": self.ports.prefect,
        }
        return [(name, port) for name, port in ports.items() if self._has(name)]

    def _await_prefect(self) -> None:
        if not self._has("prefect"):
            return
        self._await("prefect", lambda: _healthy(self.environment()["PREFECT_API_URL"]))

    def _await_ports(self) -> None:
        for name, port in self._listening():
            if name in self._parts:
                self._await(name, lambda port=port: answers(port))  # type: ignore[misc]

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        began = told = time.monotonic()
        while not ready():
            now = time.monotonic()
            if now - told >= 10:
                self._say(f"Waiting for {name} ({now - began:.0f} s; Prefect's first start takes a minute or more).")
                told = now
            if now - began > PATIENCE or self._parts[name].starts > MOST_FAILED_STARTS:
                raise Unavailable(f"{name} does not come up: see {self.home / 'logs' / name}.log.")
            time.sleep(0.1)


def environment_of(home: Path) -> dict[str, str]:
    """What a program needs to work with the stack that was last started on this home folder.

    Raises Misconfigured when none ever was.
    """
    ports = used_last(home)
    if ports is None:
        raise Misconfigured(f"Nothing was ever started on {home}: run `mash up` first, or choose another home folder.")
    return surroundings.of_clients(home.resolve(), ports, load_or_create(home), os.environ)


def _kept_elsewhere(given: Mapping[str, str]) -> frozenset[str]:
    """The parts that the site runs itself. PostgreSQL is ours as long as either the record or the engine is."""
    elsewhere = {part for part, name in (("prefect", "PREFECT_API_URL"), ("sink", "MASH_MAIL_URL")) if name in given}
    if "prefect" in elsewhere and "MASH_DATABASE_URL" in given:
        elsewhere.add("postgres")
    return frozenset(elsewhere)


def _healthy(api_url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{api_url}/health", timeout=5) as answer:  # noqa: S310 -- our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
