"""Pictures of the Prefect UI for docs/operators.md: `python -m tests.browser.operators [FOLDER]`.

Four referrals are played on a whole hub of their own: one that waits, one with an agency that is overdue, one whose
run's process was killed and that another run has taken over, and one that is closed. Whoever renews the pictures looks
at them, and at what a tired operator would read into them.
"""

from __future__ import annotations

import base64
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import psycopg
from playwright.sync_api import Page, ViewportSize, sync_playwright
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId
from prefect.states import Crashed

from engine.clock_pages import SHOWN
from engine.runs import TOLD, Runs
from engine.stack import Stack
from models.settings import HOUSE
from tests.browser.conftest import ARGUMENTS
from tests.engine.conftest import wait_for
from tests.flows.test_moved_waits import _engine as engine_of
from tests.flows.test_moved_waits import _run_id as run_id
from tests.hub import running_hub
from tests.hurry import hurry
from tests.scenarios.case import Case
from tests.scenarios.pack import DUTY, FOR_A_CHILD, threshold_not_met
from tests.scenarios.people import a_child, a_referral
from tests.scenarios.play import play

PICTURES = HOUSE / "docs" / "pictures"
SIZE: ViewportSize = {"width": 1200, "height": 900}


class Stories:
    """The four referrals, and a fifth player who takes the pictures while the hub's clock still stands."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._folder = stack, folder
        self._runs: dict[str, str] = {}

    def told(self) -> list[Callable[[Case], None]]:
        """The stories, each to be played."""
        return [self.waiting, self.breached, self.crashed, self.closed, self.photographed]

    def waiting(self, case: Case) -> None:
        """Three of four agencies have answered."""
        self._begin(case, "waiting", 11)
        case.know_nothing(*FOR_A_CHILD[1:])

    def breached(self, case: Case) -> None:
        """Two agencies let their time run out, and one of them answers late."""
        self._begin(case, "breached", 12)
        case.know_nothing(*FOR_A_CHILD[2:])
        case.at("Tue 17 Mar 2026 09:11")
        case.reaches("AWAITING_DECISION")
        case.at("Tue 17 Mar 2026 10:20")
        case.know_nothing(FOR_A_CHILD[0])

    def crashed(self, case: Case) -> None:
        """The run's process was killed, and another run goes on."""
        self._begin(case, "crashed", 13)
        lost = run_id(self._stack, case.reference)
        with engine_of(self._stack) as engine:
            engine.set_flow_run_state(lost, Crashed(message="Its process was killed (SIGKILL)."), force=True)
        wait_for(lambda: run_id(self._stack, case.reference) != lost, 180)
        case.know_nothing(*FOR_A_CHILD[1:])
        self._runs["repaired"] = str(run_id(self._stack, case.reference))

    def closed(self, case: Case) -> None:
        """From the question to the acknowledgement."""
        self._begin(case, "closed", 14)
        case.know_nothing(*FOR_A_CHILD)
        case.reaches("AWAITING_DECISION")
        case.is_discussed(FOR_A_CHILD)
        case.is_decided(S1=threshold_not_met("NFA", "L1"))
        case.reaches("AWAITING_ACK")
        case.is_acknowledged(DUTY)
        case.reaches("CLOSED")

    def photographed(self, case: Case) -> None:
        """What an operator sees on Monday, and on Tuesday after the deadline."""
        own = self._stack.environment()
        secret = base64.b64encode(own["PREFECT_API_AUTH_STRING"].encode()).decode()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            page = browser.new_page(base_url=own["PREFECT_API_URL"].removesuffix("/api"), viewport=SIZE)
            page.set_default_timeout(120_000)
            page.add_init_script(f"localStorage.setItem('prefect-password', '{secret}')")
            case.at("Mon 16 Mar 2026 11:35")
            for name in ("waiting", "crashed", "repaired", "closed"):
                self._photograph(page, name, f"/runs/flow-run/{self._runs[name]}", "Task Runs")
            case.at("Tue 17 Mar 2026 10:25")
            # Tall enough for all of its checks.
            page.set_viewport_size({"width": 1200, "height": 1600})
            self._photograph(page, "breached", f"/runs/flow-run/{self._runs['breached']}", "Task Runs")
            page.set_viewport_size({"width": 1200, "height": 560})
            self._until_told(SHOWN)
            self._photograph(page, "clocks", f"/artifacts/artifact/{self._page_of('breached')}")
            browser.close()

    def _begin(self, case: Case, name: str, number: int) -> None:
        case.at("Mon 16 Mar 2026 09:10")
        case.is_referred(DUTY, a_referral(DUTY, name, [a_child(number)], case.now))
        case.are_asked(*FOR_A_CHILD)
        self._runs[name] = str(run_id(self._stack, case.reference))
        self._until_told()
        case.at("Mon 16 Mar 2026 11:30")

    def _until_told(self, told: str = TOLD) -> None:
        """The engine knows what the record knows."""
        with engine_of(self._stack) as engine, psycopg.connect(plain(self._stack), autocommit=True) as record:
            wait_for(lambda: (Runs(engine).told(told),) == _newest(record), 180)

    def _page_of(self, name: str) -> str:
        """The id of the page of clocks at this run."""
        wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(self._runs[name])]))
        with engine_of(self._stack) as engine:
            [found] = engine.read_artifacts(artifact_filter=wanted)
        return str(found.id)

    def _photograph(self, page: Page, name: str, place: str, tab: str = "") -> None:
        self._until_told()
        page.goto(place)
        if tab:
            page.get_by_text(tab).first.click()
        # The graph is drawn frame by frame, and says nowhere that it is done; then it is brought into the middle.
        page.wait_for_timeout(12_000)
        page.keyboard.press("c")
        page.wait_for_timeout(3000)
        page.screenshot(path=self._folder / f"{name}.png")


def _newest(record: psycopg.Connection[tuple[int, ...]]) -> tuple[int, ...] | None:
    return record.execute("SELECT max(id) FROM ledger").fetchone()


def plain(stack: Stack) -> str:
    """The record as its owner."""
    return stack.environment()["MASH_OWNER_DATABASE_URL"].replace("+psycopg", "")


def main(folder: Path) -> None:
    """Play, and take every picture."""
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mash-hub-") as home, running_hub(Path(home)) as (stack, hub):
        hurry(stack)
        for played in play(hub, Stories(stack, folder).told(), patience=400):
            print(played.name, played.trouble or "is done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
