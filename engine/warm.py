"""The warm worker: a Prefect worker type that forks a clean child, with all imported, for every start of a flow run."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import anyio
import anyio.abc
from prefect.events import Event
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.exceptions import InfrastructureNotAvailable, InfrastructureNotFound, ObjectNotFound, Pause
from prefect.settings import PREFECT_WORKER_ENABLE_CANCELLATION, get_current_settings, temporary_settings
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from engine.child import run as run_child
from engine.deployments import queue_of, read
from engine.nursery import Nursery, kill
from models.settings import HOUSE
from rules.urgency import UrgencyRating

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient
    from prefect.client.schemas.objects import FlowRun, WorkPool
    from prefect.client.schemas.responses import WorkerFlowRunResponse

DUE = ["prefect.flow-run.Scheduled", "prefect.flow-run.Resuming", "prefect.flow-run.AwaitingRetry"]
LISTEN_AGAIN_AFTER = 5.0
OVERTAKING = frozenset(queue_of(lane) for lane in UrgencyRating if lane is not UrgencyRating.GREEN)
ROOMS = ("rules", "models", "notifications", "casework", "tasks", "flows", "engine")
SET_FOLDER = "prefect.deployments.steps.set_working_directory"


class WarmResult(BaseWorkerResult):
    """How a child ended: its exit code, negative when a signal ended it."""


class WarmConfiguration(BaseJobConfiguration):
    """What one start is given."""

    @classmethod
    def _base_environment(cls) -> dict[str, str]:
        """Written out once: a worker's own settings stay as they are, and there are hundreds."""
        return dict(_own_settings())


@cache
def _own_settings() -> dict[str, str]:
    return get_current_settings().to_environment_variables(exclude_unset=True)


class WarmWorker(BaseWorker[WarmConfiguration, BaseVariables, WarmResult]):
    """Runs each start of a flow run in a child forked from one forkserver."""

    type = "mash-warm"
    job_configuration = WarmConfiguration
    _display_name = "MASH warm"
    _description = "Forks a clean child from a process that has Prefect and the flows imported. For one machine."

    def __init__(self, *args: Any, preload: list[str] | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("prefetch_seconds", 1)
        super().__init__(*args, **kwargs)
        self._nursery = Nursery(["engine.child", *(preload if preload is not None else modules_of_flows())])
        self._children: dict[UUID, int] = {}
        self._cancelled: set[UUID] = set()
        self._code = newest_code()
        self._held: set[UUID] = set()
        self._backlog: list[WorkerFlowRunResponse] = []
        self._ask_again = False
        self._due = anyio.Event()
        self._asking = anyio.Lock()

    async def setup(self) -> None:
        """Everything imported before the first run is taken."""
        await self._nursery.warm_up()
        await super().setup()
        assert self._runs_task_group is not None  # noqa: S101 -- set by the base class
        self._runs_task_group.start_soon(self._in_scope, self._listen)
        self._runs_task_group.start_soon(self._in_scope, self._answer)

    async def teardown(self, *exc_info: Any) -> None:
        """Take no more runs; those under way finish."""
        self._backlog = []
        await super().teardown(*exc_info)

    async def run(
        self,
        flow_run: FlowRun,
        configuration: WarmConfiguration,
        task_status: anyio.abc.TaskStatus[Any] | None = None,
    ) -> WarmResult:
        """Fork a child for this run and wait for its end, also while the worker is stopping."""
        with anyio.CancelScope(shield=True):
            known = _known(flow_run, configuration, self._work_pool)
            child = await self._nursery.fork(run_child, str(flow_run.id), *_what_to_run(configuration), known)
            identifier = f"{socket.gethostname()}:{child.pid}"
            self._children[flow_run.id] = child.pid or 0
            if task_status is not None:
                task_status.started(identifier)
            try:
                code = await self._nursery.wait(child)
            finally:
                self._no_longer(flow_run.id)
        if flow_run.id in self._cancelled:
            self._cancelled.discard(flow_run.id)
            code = 0
        return WarmResult(status_code=code, identifier=identifier)

    async def kill_infrastructure(
        self, infrastructure_pid: str, configuration: WarmConfiguration, grace_seconds: int = 30
    ) -> None:
        """End a child that has not begun its run.

        Raises InfrastructureNotAvailable for a child of another machine, InfrastructureNotFound for one that is gone.
        """
        host, _, pid = infrastructure_pid.rpartition(":")
        if host != socket.gethostname():
            raise InfrastructureNotAvailable(f"The run's process is on {host}, not here.")
        if not pid.isdigit() or int(pid) not in self._children.values():
            raise InfrastructureNotFound(f"No child {pid} of this worker.")
        kill(int(pid))

    async def _setup_cancellation_observer(self) -> None:
        """Always: that an operator can cancel a run must not hang on a setting."""
        with temporary_settings({PREFECT_WORKER_ENABLE_CANCELLATION: True}):
            await super()._setup_cancellation_observer()

    async def _submit_run(self, flow_run: FlowRun) -> None:
        """Stay open to its cancellation while it runs; the base class stops listening once it was handed over."""
        await super()._submit_run(flow_run)
        if flow_run.id in self._children and self._cancelling_observer is not None:
            self._cancelling_observer.add_in_flight_flow_run_id(flow_run.id)

    def _no_longer(self, flow_run_id: UUID) -> None:
        self._children.pop(flow_run_id, None)
        if self._cancelling_observer is not None:
            self._cancelling_observer.remove_in_flight_flow_run_id(flow_run_id)

    async def _cancel_run(self, flow_run_id: UUID) -> None:
        """A run under way is cancelled too: its steps are safe to break off, as they must be for a crash."""
        pid = self._children.get(flow_run_id)
        if pid is None:
            await super()._cancel_run(flow_run_id)
            return
        self._cancelled.add(flow_run_id)
        kill(pid)
        flow_run = await self.client.read_flow_run(flow_run_id)
        await self._mark_flow_run_as_cancelled(flow_run, {"message": "Cancelled while it was running."})

    async def get_and_submit_flow_runs(self) -> list[FlowRun]:
        """One question at a time, so that no answer is much older than another."""
        async with self._asking:
            return await super().get_and_submit_flow_runs()

    async def _submit_scheduled_flow_runs(self, flow_run_response: list[WorkerFlowRunResponse]) -> list[FlowRun]:
        """What finds no free place now is kept. A run whose last child is still leaving is asked for again later."""
        if self._code != (code := newest_code()):
            if self._held:
                self._ask_again = True
                return []
            self._code = code
            await self._nursery.renew()
        free = [entry for entry in flow_run_response if entry.flow_run.id not in self._held]
        self._ask_again = self._ask_again or len(free) < len(flow_run_response)
        submitted = await super()._submit_scheduled_flow_runs(free)
        self._held |= {flow_run.id for flow_run in submitted}
        self._backlog = [entry for entry in free if entry.flow_run.id not in self._held]
        return submitted

    def _release_limit_slot(self, flow_run_id: UUID) -> None:
        super()._release_limit_slot(flow_run_id)
        self._held.discard(flow_run_id)
        if self._backlog or self._ask_again:
            self._due.set()

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        """False for a run that has gone on to wait since we were told of it, which Prefect reports by an exception."""
        try:
            return await super()._propose_pending_state(flow_run)
        except Pause:
            return False

    async def _propose_crashed_state(
        self, flow_run: FlowRun, message: str, client: PrefectClient | None = None
    ) -> None:
        """Only of a run that was under way: a child lost after it had suspended its run has done its work."""
        try:
            known = await self.client.read_flow_run(flow_run.id)
        except ObjectNotFound:
            return
        if known.state is None or known.state.is_running() or known.state.is_pending():
            await super()._propose_crashed_state(flow_run, message, client)

    async def _propose_submitting_state(self, flow_run: FlowRun) -> None:
        """Left out: a fork takes milliseconds, and each state is a row and an event for ever."""

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Left out: the run's infrastructure id names the machine."""

    def _emit_flow_run_submitted_event(self, configuration: BaseJobConfiguration) -> None:
        """Left out, with the one for its end: the run's own states say it."""

    async def _listen(self) -> None:
        """Hear at once of runs that became due; polling remains for what was said while nobody listened."""
        while True:
            try:
                async with get_events_subscriber(filter=self._due_here()) as events:
                    self._due.set()
                    async for event in events:
                        # What was fetched before it, and waits for a place, is behind it.
                        self._ask_again = self._ask_again or _overtakes(event)
                        self._due.set()
            except Exception as error:  # whatever it is, the poll goes on and listening is tried again
                self._logger.warning("Not told of due runs, polling only: %s", type(error).__name__)
            await anyio.sleep(LISTEN_AGAIN_AFTER)

    async def _answer(self) -> None:
        while True:
            await self._due.wait()
            self._due = anyio.Event()
            try:
                if self._backlog and not self._ask_again:
                    await self._submit_scheduled_flow_runs(self._backlog)
                else:
                    self._ask_again = False
                    await self.get_and_submit_flow_runs()
            except Exception as error:  # the next poll asks again
                self._logger.warning("Due runs could not be fetched: %s", type(error).__name__)

    def _due_here(self) -> EventFilter:
        pool = self._work_pool.id if self._work_pool else None
        return EventFilter(
            event=EventNameFilter(name=DUE),
            any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool}"]) if pool else None,
        )

    async def _in_scope(self, loop: Callable[[], Awaitable[None]]) -> None:
        with anyio.CancelScope() as scope:
            self._scheduled_task_scopes.add(scope)
            await loop()


def _overtakes(event: Event) -> bool:
    """Whether what became due is in a queue that goes before others."""
    return any(each.role == "work-queue" and each.name in OVERTAKING for each in event.related)


def newest_code() -> int:
    """When the house's code was last changed: a forkserver that is older has old code."""
    files = (file for room in ROOMS for file in (HOUSE / room).rglob("*.py"))
    return max((file.stat().st_mtime_ns for file in files), default=0)


def modules_of_flows() -> list[str]:
    """What every child needs imported: the modules of the deployed flows, or those of `MASH_WORKER_PRELOAD`."""
    named = os.environ.get("MASH_WORKER_PRELOAD")
    return named.split(",") if named else [deployment.module for deployment in read()]


def _known(flow_run: FlowRun, configuration: WarmConfiguration, pool: WorkPool | None) -> dict[tuple[str, Any], Any]:
    """What the engine told the worker for this start, by kind and by what its run calls it: the child need not ask."""
    told, queue = configuration._related_objects, flow_run.work_queue_name
    return {
        ("flow", flow_run.flow_id): told.get("flow"),
        ("deployment", flow_run.deployment_id): told.get("deployment"),
        # A run that was made for no queue is in the default one, whose name the engine does not say.
        ("work-queue", flow_run.work_queue_id): queue and SimpleNamespace(id=flow_run.work_queue_id, name=queue),
        ("work-pool", pool and pool.name): pool,
    }


def _what_to_run(configuration: WarmConfiguration) -> tuple[dict[str, str], str | None, str | None]:
    """The environment of the run, and where its flow is when the deployment only names a folder of this machine."""
    # The forkserver has this worker's own settings: saying them again would make every child read them again.
    own = configuration._base_environment()
    environment = {name: value for name, value in configuration.env.items() if value not in (None, own.get(name))}
    deployment = configuration._related_objects.get("deployment")
    steps = list(deployment.pull_steps or []) if deployment else []
    folders = [step[SET_FOLDER]["directory"] for step in steps if SET_FOLDER in step]
    if deployment is None or len(folders) != len(steps):
        return environment, None, None
    return environment, deployment.entrypoint, folders[-1] if folders else None
