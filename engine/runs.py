"""Starting and resuming the engine's runs. The engine is asked, never believed: the record is the truth."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Crashed
from sqlmodel import col, select

from casework import referrals
from casework.db import is_held, unit_of_work
from models.referral import Referral
from rules.errors import Unavailable
from rules.stages import Stage

DEPLOYMENT = "referral/mash"
#: How long a run may look busy without holding its referral's lock before it is taken for dead.
GRACE = timedelta(seconds=20)
_ENDED = frozenset({StateType.COMPLETED, StateType.FAILED, StateType.CRASHED, StateType.CANCELLED})
_BATCH = 200


class Verdict(StrEnum):
    """What became of a wake."""

    ENGINE_HAS_IT = "ENGINE_HAS_IT"
    BUSY = "BUSY"


class Runs:
    """The runs of this hub's referrals in one Prefect server."""

    def __init__(self, client: SyncPrefectClient) -> None:
        self._client = client
        self._deployment: UUID | None = None

    def carry_on(self, reference: str) -> Verdict:
        """See to it that a run of this referral will look at the record again.

        Raises Unavailable when the engine does not answer. Calling it twice does no harm.
        """
        try:
            return self._carry_on(reference)
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise Unavailable(f"the engine does not answer ({type(error).__name__})") from None

    def unhealthy(self, referrals_with_runs: Iterable[tuple[str, UUID | None]]) -> list[str]:
        """Of open referrals and their runs, those whose run is gone, over, or dead on its feet."""
        try:
            return [
                reference for batch in _batches(list(referrals_with_runs)) for reference in self._unhealthy(dict(batch))
            ]
        except (httpx.HTTPError, PrefectHTTPStatusError) as error:
            raise Unavailable(f"the engine does not answer ({type(error).__name__})") from None

    def _carry_on(self, reference: str) -> Verdict:
        with unit_of_work() as session:
            referral = referrals.find(session, reference)
        run = self._read(referral.run_id)
        match run.state.type if run and run.state else None:
            case StateType.PAUSED if run:
                self._client.resume_flow_run(run.id)
            case StateType.SCHEDULED:
                pass  # It will ask the record when it starts.
            case StateType.RUNNING | StateType.PENDING | StateType.CANCELLING if run:
                if not self._is_dead(reference, run):
                    return Verdict.BUSY
                self._start(referral)
                self._bury(run)
            case _ if run and referral.stage is Stage.CLOSED:
                pass
            case _:
                self._start(referral)
        return Verdict.ENGINE_HAS_IT

    def _unhealthy(self, run_of: dict[str, UUID | None]) -> list[str]:
        ids = [run_id for run_id in run_of.values() if run_id]
        wanted = FlowRunFilter(id=FlowRunFilterId(any_=ids))
        found = (
            {run.id: run for run in self._client.read_flow_runs(flow_run_filter=wanted, limit=_BATCH)} if ids else {}
        )
        return [reference for reference, run_id in run_of.items() if self._needs_help(reference, found.get(run_id))]  # type: ignore[arg-type]

    def _needs_help(self, reference: str, run: FlowRun | None) -> bool:
        if run is None or run.state is None or run.state.type in _ENDED:
            return True
        return run.state.type in (StateType.RUNNING, StateType.PENDING) and self._is_dead(reference, run)

    def _is_dead(self, reference: str, run: FlowRun) -> bool:
        """Busy for a while, and yet nobody holds the referral: its process is gone (reliability §0.2)."""
        if run.state is None or datetime.now(UTC) - run.state.timestamp < GRACE:
            return False
        with unit_of_work() as session:
            return not is_held(session, reference)

    def _read(self, run_id: UUID | None) -> FlowRun | None:
        with suppress(ObjectNotFound):
            return self._client.read_flow_run(run_id) if run_id else None
        return None

    def _start(self, referral: Referral) -> None:
        run = self._client.create_flow_run_from_deployment(
            self._deployment_id(),
            name=referral.reference,
            parameters={"reference": referral.reference},
            tags=[referral.duty_team],
            # Should this process die before the record knows of the run, the same run is found again.
            idempotency_key=f"{referral.reference}/{referral.runs}",
        )
        with unit_of_work() as session:
            query = select(Referral).where(col(Referral.reference) == referral.reference).with_for_update()
            row = session.exec(query).one()
            row.run_id, row.runs = run.id, referral.runs + 1

    def _bury(self, run: FlowRun) -> None:
        dead: State[None] = Crashed(
            message="No process worked on this run any more; the timekeeper started another one."
        )
        self._client.set_flow_run_state(run.id, dead, force=True)

    def _deployment_id(self) -> UUID:
        if self._deployment is None:
            try:
                self._deployment = self._client.read_deployment_by_name(DEPLOYMENT).id
            except ObjectNotFound:
                raise Unavailable(f"the engine has no deployment {DEPLOYMENT} yet") from None
        return self._deployment


def _batches(rows: list[tuple[str, UUID | None]]) -> Iterable[list[tuple[str, UUID | None]]]:
    return (rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH))
