"""Starting and resuming the engine's runs. The engine is asked, never believed: the record is the truth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate, VariableCreate, VariableUpdate
from prefect.client.schemas.filters import (
    ArtifactCollectionFilter,
    ArtifactCollectionFilterKey,
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    ArtifactFilterKey,
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterEndTime,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterId,
    FlowRunFilterNextScheduledStartTime,
    FlowRunFilterState,
    FlowRunFilterStateName,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType, WorkPoolStatus
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelled, Crashed
from sqlmodel import col, select

from casework.db import unit_of_work
from casework.marks import Marks, marks
from engine.deployments import queue_of
from models.referral import Referral
from rules.errors import Unavailable
from rules.stages import Stage

DEPLOYMENT = "referral/mash"
POOL = "mash"
#: The variable in which the engine remembers how far it was told what the ledger says.
TOLD = "mash_told"
#: A run that is put off further than this is not about to start.
SOON = timedelta(minutes=1)
AT_WORK = frozenset({StateType.RUNNING, StateType.PENDING, StateType.CANCELLING})
#: What the engine names the state of a run that should have started.
LATE = "Late"
ENDED = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})
#: As many as the engine gives in one answer.
_PAGE = 200

P = ParamSpec("P")
R = TypeVar("R")


class Verdict(StrEnum):
    """What became of a wake."""

    ENGINE_HAS_IT = "ENGINE_HAS_IT"
    BUSY = "BUSY"


def _asking(ask: Callable[P, R]) -> Callable[P, R]:
    """The engine's silence, or its failure, is Unavailable; its text may hold anything and is left behind."""

    @wraps(ask)
    def asked(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return ask(*args, **kwargs)
        except (httpx.HTTPError, PrefectHTTPStatusError, ObjectNotFound) as error:
            raise Unavailable(f"the engine does not answer ({_kind(error)})") from None

    return asked


def _kind(error: Exception) -> str:
    if isinstance(error, PrefectHTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__


class Runs:
    """The runs of this hub's referrals in one Prefect server. Its questions and orders raise Unavailable."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client
        self._deployment: UUID | None = None

    @_asking
    def read(self, ids: Collection[UUID], *, but_paused: bool = False) -> dict[UUID, FlowRun]:
        """The runs of these ids that the engine knows; `but_paused` leaves out those that are suspended."""
        state = FlowRunFilterState(type=FlowRunFilterStateType(not_any_=[StateType.PAUSED])) if but_paused else None
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=list(ids)), state=state)
        return {run.id: run for run in self._pages(wanted)} if ids else {}

    @_asking
    def count_paused(self, ids: Collection[UUID]) -> int:
        """How many of these runs are suspended."""
        state = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
        return self._client.count_flow_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(ids)), state=state)
        )

    @_asking
    def count(self, *types: StateType) -> int:
        """How many runs of all referrals are in one of these states."""
        wanted = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[self._deployment_id()]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))),
        )
        return self._client.count_flow_runs(flow_run_filter=wanted)

    @_asking
    def count_ended_since(self, moment: datetime) -> int:
        """How many runs of referrals crashed or failed since then (aware UTC)."""
        types = [StateType.CRASHED, StateType.FAILED]
        wanted = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[self._deployment_id()]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=types)),
            end_time=FlowRunFilterEndTime(after_=moment),
        )
        return self._client.count_flow_runs(flow_run_filter=wanted)

    @_asking
    def count_late(self, moment: datetime) -> int:
        """How many runs of referrals were to start before then (aware UTC), and the engine itself calls late."""
        wanted = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[self._deployment_id()]),
            state=FlowRunFilterState(name=FlowRunFilterStateName(any_=[LATE])),
            # Not the expected start, which of a run that was resumed is its very first one.
            next_scheduled_start_time=FlowRunFilterNextScheduledStartTime(before_=moment),
        )
        return self._client.count_flow_runs(flow_run_filter=wanted)

    @_asking
    def is_polled(self) -> bool:
        """Whether a worker polls the hub's work pool, and nobody has paused it."""
        try:
            pool = self._client.read_work_pool(POOL)
        except ObjectNotFound:
            return False
        return pool.status is WorkPoolStatus.READY

    @_asking
    def stands_idle(self) -> bool:
        """Whether a worker is there, and yet works on nothing: a run that is late then is not waiting in a line."""
        return self.is_polled() and self.count(*AT_WORK) == 0

    @_asking
    def carry_on(
        self, referral: Referral, run: FlowRun | None, *, real_now: datetime, lifeless: bool, anew: bool = False
    ) -> Verdict:
        """See to it that a run of this referral will look at the record again. Calling it twice does no harm.

        `run` is its run as the engine has just told; `lifeless` says that its process is known to be gone; `anew` asks
        for another run even when this one is said to be about to start. `real_now` is aware UTC.
        """
        match run.state.type if run and run.state else None:
            case StateType.PAUSED if run:
                answer = self._client.resume_flow_run(run.id)
                return Verdict.ENGINE_HAS_IT if answer.status is SetStateStatus.ACCEPT else Verdict.BUSY
            case StateType.SCHEDULED if run:
                # It will ask the record when it starts, unless somebody has put it off.
                if anew or is_put_off(run, real_now):
                    self._replace(referral, run)
            case StateType.RUNNING | StateType.PENDING | StateType.CANCELLING if run:
                if not lifeless:
                    return Verdict.BUSY
                self._replace(referral, run)
            case _ if run and referral.stage is Stage.CLOSED:
                pass
            case _:
                self._start(referral)
        return Verdict.ENGINE_HAS_IT

    @_asking
    def finish_cancelling(self, run: FlowRun) -> None:
        """What an operator asked for, and no worker was there to do."""
        over: State[None] = Cancelled(message="Cancelled; no process had it.")
        self._client.set_flow_run_state(run.id, over, force=True)

    @_asking
    def older_than(self, moment: datetime, offset: int, limit: int) -> list[FlowRun]:
        """Runs of referrals that were begun before a moment (aware UTC), oldest first."""
        return self._client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                deployment_id=FlowRunFilterDeploymentId(any_=[self._deployment_id()]),
                expected_start_time=FlowRunFilterExpectedStartTime(before_=moment),
            ),
            sort="EXPECTED_START_TIME_ASC",  # type: ignore[arg-type]
            offset=offset,
            limit=limit,
        )

    @_asking
    def delete(self, run_id: UUID) -> None:
        """Remove a run, with its pages, states, task runs and logs, from the engine. Gone already: nothing to do."""
        # The engine keeps the pages of a run that it no longer has, and nobody would find them any more.
        pages = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
        for page in self._client.read_artifacts(artifact_filter=pages, limit=_PAGE):
            with suppress(ObjectNotFound):
                self._client.delete_artifact(page.id)
        with suppress(ObjectNotFound):
            self._client.delete_flow_run(run_id)

    @_asking
    def tell(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Put events on the timelines of their runs; one that the engine has already changes nothing."""
        if events:
            self._client.request("POST", "/events", json=list(events))

    @_asking
    def say_why(self, run: FlowRun | None, name: str, why: str) -> bool:
        """Name the wait of a suspended run anew, and say whether it was; `run` as the engine has just told.

        Should it have been resumed in this very moment, it is suspended again, while the hub is to move: the caller
        wakes it.
        """
        if run is None or run.state is None or not run.state.is_paused() or run.state.name == name:
            return False
        state = run.state
        anew: State[None] = State(type=state.type, name=name, message=why, state_details=state.state_details)
        self._client.set_flow_run_state(run.id, anew, force=True)
        return True

    @_asking
    def show_table(self, key: str, rows: Sequence[Mapping[str, Any]], description: str) -> None:
        """Keep one table under this key on the engine's page of artifacts, in place of the one that is there."""
        data = json.dumps(list(rows))
        wanted = ArtifactCollectionFilter(key=ArtifactCollectionFilterKey(any_=[key]))
        found = self._client.read_latest_artifacts(artifact_filter=wanted)
        if found:
            self._client.update_artifact(found[0].latest_id, ArtifactUpdate(data=data, description=description))
        else:
            self._client.create_artifact(ArtifactCreate(key=key, type="table", data=data, description=description))

    @_asking
    def show_pages(self, key: str, pages: Mapping[UUID, str], breath: float) -> None:
        """Keep one page of Markdown under this key at each of these runs, in place of the one that is there.

        The engine is left alone for so many seconds after each: whoever waits for a decision goes first.
        """
        wanted = ArtifactFilter(
            key=ArtifactFilterKey(any_=[key]), flow_run_id=ArtifactFilterFlowRunId(any_=list(pages))
        )
        there = self._client.read_artifacts(artifact_filter=wanted, limit=_PAGE) if pages else []
        known = {found.flow_run_id: found.id for found in there}
        for run_id, page in pages.items():
            if run_id in known:
                self._client.update_artifact(known[run_id], ArtifactUpdate(data=page))
            else:
                self._client.create_artifact(ArtifactCreate(key=key, type="markdown", data=page, flow_run_id=run_id))
            time.sleep(breath)

    @_asking
    def told(self, what: str) -> int | None:
        """Up to which entry of the ledger the engine was told; None when it does not remember."""
        found = self._client.read_variable_by_name(what)
        return found.value if found is not None and isinstance(found.value, int) else None

    @_asking
    def note_told(self, entry: int, what: str) -> None:
        """Let the engine remember up to which entry of the ledger it was told."""
        if self._client.read_variable_by_name(what) is None:
            self._client.create_variable(VariableCreate(name=what, value=entry))
        else:
            self._client.update_variable(VariableUpdate(name=what, value=entry))

    def _pages(self, wanted: FlowRunFilter) -> Iterator[FlowRun]:
        offset = 0
        while page := self._client.read_flow_runs(
            flow_run_filter=wanted,
            limit=_PAGE,
            offset=offset,
            sort="EXPECTED_START_TIME_ASC",  # type: ignore[arg-type]
        ):
            yield from page
            if len(page) < _PAGE:
                return
            offset += _PAGE

    def _replace(self, referral: Referral, run: FlowRun) -> None:
        self._start(referral)
        cancelling = run.state is not None and run.state.type is StateType.CANCELLING
        message = "No process worked on this run any more; the timekeeper started another one."
        over: State[None] = Cancelled(message=message) if cancelling else Crashed(message=message)
        self._client.set_flow_run_state(run.id, over, force=True)

    def _start(self, referral: Referral) -> None:
        with unit_of_work() as session:
            marked = marks(session, referral.reference)
        run = self._create(referral, marked)
        with unit_of_work() as session:
            query = select(Referral).where(col(Referral.reference) == referral.reference).with_for_update()
            row = session.exec(query).one()
            row.run_id, row.runs = run.id, referral.runs + 1

    def _create(self, referral: Referral, marked: Marks) -> FlowRun:
        try:
            return self._client.create_flow_run_from_deployment(
                self._deployment_id(),
                name=referral.reference,
                parameters={"reference": referral.reference},
                tags=marked.tags,
                work_queue_name=queue_of(marked.lane),
                # Should this process die before the record knows of the run, the same run is found again.
                idempotency_key=f"{referral.reference}/{referral.runs}",
            )
        except (ObjectNotFound, PrefectHTTPStatusError):
            # The engine's database may have been wiped, and the deployment have another id since.
            self._deployment = None
            raise

    def _deployment_id(self) -> UUID:
        if self._deployment is None:
            try:
                self._deployment = self._client.read_deployment_by_name(DEPLOYMENT).id
            except ObjectNotFound:
                raise Unavailable(f"the engine has no deployment {DEPLOYMENT} yet") from None
        return self._deployment


def is_put_off(run: FlowRun, real_now: datetime) -> bool:
    """Whether a scheduled run is to start later than soon: nothing of ours ever plans that."""
    planned = run.next_scheduled_start_time
    return planned is not None and planned > real_now + SOON


def is_late(run: FlowRun) -> bool:
    """Whether the engine itself says that a run should have started."""
    return run.state is not None and run.state.name == LATE
