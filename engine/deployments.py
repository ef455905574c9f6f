"""The deployments of `prefect.yaml`, registered through the client: the same as `prefect deploy --all`, but at once."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectAlreadyExists
from prefect.utilities.callables import parameter_schema

from models.settings import HOUSE
from rules.errors import Misconfigured
from rules.urgency import UrgencyRating


def file_in_use() -> Path:
    """The house's `prefect.yaml`, or the one that `MASH_DEPLOYMENTS` names; entrypoints start at the house's folder."""
    return Path(os.environ.get("MASH_DEPLOYMENTS", HOUSE / "prefect.yaml"))


@dataclass(frozen=True)
class Deployment:
    """One entry of `prefect.yaml`."""

    name: str
    entrypoint: str
    work_pool: str
    description: str

    @property
    def module(self) -> str:
        """The flow's module: `flows/referral.py:triage_referral` is in `flows.referral`."""
        return module_of(self.entrypoint)

    def flow(self) -> Flow[..., Any]:
        """The flow itself. Raises Misconfigured when the entrypoint names none."""
        found = getattr(importlib.import_module(self.module), self.entrypoint.partition(":")[2], None)
        if not isinstance(found, Flow):
            raise Misconfigured(f"prefect.yaml, deployment {self.name}: there is no flow {self.entrypoint}.")
        return found


def module_of(entrypoint: str) -> str:
    """The dotted name of an entrypoint's file."""
    return entrypoint.partition(":")[0].removesuffix(".py").replace("/", ".")


def read(file: Path | None = None) -> list[Deployment]:
    """The deployments of a `prefect.yaml`. Raises Misconfigured when it cannot be read."""
    file = file or file_in_use()
    try:
        entries = yaml.safe_load(file.read_text())["deployments"]
        return [
            Deployment(
                name=entry["name"],
                entrypoint=entry["entrypoint"],
                work_pool=entry["work_pool"]["name"],
                description=entry.get("description", ""),
            )
            for entry in entries
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Misconfigured(f"{file} does not describe deployments: {type(error).__name__} at {error}.") from None


async def register(client: PrefectClient, file: Path | None = None) -> None:
    """Create or update every deployment of the file. Safe to repeat; the work pools exist already.

    Raises Misconfigured when the file or an entrypoint in it is wrong.
    """
    deployments = read(file)
    for pool in sorted({deployment.work_pool for deployment in deployments}):
        await _keep_queues(client, pool)
    for deployment in deployments:
        flow = deployment.flow()
        await client.create_deployment(
            flow_id=await client.create_flow(flow),
            name=deployment.name,
            entrypoint=deployment.entrypoint,
            work_pool_name=deployment.work_pool,
            description=deployment.description,
            parameter_openapi_schema=parameter_schema(flow).model_dump(exclude_unset=True),
            enforce_parameter_schema=True,
            # What `prefect deploy` writes as well, so that any stock worker finds the code.
            path=".",
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(HOUSE)}}],
        )


def queue_of(lane: UrgencyRating) -> str:
    """The work queue of a pool in which the starts of referrals of this urgency wait."""
    return lane.lower()


async def _keep_queues(client: PrefectClient, pool: str) -> None:
    """A queue for each urgency, the most urgent first: a red start overtakes. One that is there stays as it is."""
    known = {queue.name for queue in await client.read_work_queues(work_pool_name=pool)}
    for priority, lane in enumerate(UrgencyRating, start=1):
        if queue_of(lane) not in known:
            with suppress(ObjectAlreadyExists):
                await client.create_work_queue(name=queue_of(lane), priority=priority, work_pool_name=pool)
