"""After the engine's database was lost: its deployment again, and a run for every open referral (F10)."""

from __future__ import annotations

from contextlib import suppress

import anyio
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from engine.callers import Callers
from engine.deployments import register
from engine.runs import POOL, Runs
from engine.sweep import sweep
from engine.waking import wake_runs
from engine.warm import WarmWorker
from models.settings import settings


def rebuild() -> list[str]:
    """Register the deployment and bring back every open referral that has no run. Returns their references.

    Safe to repeat, beside any number of timekeepers: what has a run is left alone. Raises Unavailable.
    """
    anyio.run(deploy)
    at_once = settings().engine_calls_at_once
    with get_client(sync_client=True) as client, Callers(at_once) as callers:
        runs = Runs(client)
        woken = sweep(runs)
        while wake_runs(runs, callers, at_once):
            pass
    return woken


async def deploy() -> None:
    """The house's work pool and its deployments, made or brought up to date."""
    async with get_client() as client:
        template = WarmWorker.get_default_base_job_template()
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(WorkPoolCreate(name=POOL, type=WarmWorker.type, base_job_template=template))
        await register(client)
