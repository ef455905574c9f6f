"""What the doctor sees of the engine: whether it answers, its version, and whether a worker polls."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import prefect
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import WorkPoolStatus
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import temporary_settings

from engine.doctor.findings import Finding, fail, warn, well
from engine.patience import IS_IT_WELL
from engine.runs import DEPLOYMENT, POOL


def engine() -> Iterator[Finding]:
    """Everything about the Prefect server at PREFECT_API_URL."""
    where = os.environ.get("PREFECT_API_URL")
    if not where:
        yield fail("engine", "No Prefect server is named.", "set PREFECT_API_URL")
        return
    try:
        with temporary_settings(IS_IT_WELL), get_client(sync_client=True) as client:
            yield _version(where, client.api_version())
            yield _workers(client)
            yield _deployment(client)
    except PrefectHTTPStatusError as error:
        refused = error.response.status_code in (401, 403)
        yield fail(
            "engine",
            f"{where} answers HTTP {error.response.status_code}.",
            "set PREFECT_API_AUTH_STRING to what the server wants" if refused else "see the log of the Prefect server",
        )
    except httpx.HTTPError as error:
        yield fail("engine", f"{where} does not answer ({type(error).__name__}); referrals wait, safely.", "mash up")


def _version(where: str, version: str) -> Finding:
    if version != prefect.__version__:
        return warn(
            "engine",
            f"The server at {where} is Prefect {version}, this release was tried with {prefect.__version__}.",
            f"install Prefect {prefect.__version__} on the server",
        )
    return well("engine", f"Prefect {version} answers at {where}.")


def _workers(client: SyncPrefectClient) -> Finding:
    try:
        pool = client.read_work_pool(POOL)
    except ObjectNotFound:
        return fail("workers", f"The engine has no work pool {POOL}.", "mash engine rebuild")
    if pool.is_paused:
        return fail("workers", f"The work pool {POOL} is paused.", f"prefect work-pool resume {POOL}")
    if pool.status is not WorkPoolStatus.READY:
        return fail("workers", f"No worker polls the work pool {POOL}.", "mash up; then the log of the worker")
    return well("workers", "One polls at least.")


def _deployment(client: SyncPrefectClient) -> Finding:
    try:
        found = client.read_deployment_by_name(DEPLOYMENT)
    except ObjectNotFound:
        return fail("deployment", f"The engine has no deployment {DEPLOYMENT}.", "mash engine rebuild")
    if found.paused:
        return fail("deployment", f"{DEPLOYMENT} is paused.", f"prefect deployment resume {DEPLOYMENT}")
    return well("deployment", f"{DEPLOYMENT} is there.")
