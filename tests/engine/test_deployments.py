"""The house's deployments: what Prefect's own command line would write, and runnable by a stock worker too."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import anyio
import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.workers.process import ProcessWorker

from engine.deployments import Deployment, read, register
from engine.stack import Stack
from models.settings import HOUSE
from rules.errors import Misconfigured
from tests.engine.conftest import wait_for

WRITTEN = (
    *("name", "entrypoint", "path", "work_pool_name", "pull_steps", "parameter_openapi_schema"),
    *("enforce_parameter_schema", "description", "tags", "job_variables", "paused"),
)


def _prefect(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    surroundings = {**os.environ, **stack.environment()}
    surroundings.pop("MASH_DEPLOYMENTS", None)
    return subprocess.run(
        [sys.executable, "-m", "prefect", "--no-prompt", *arguments],
        env=surroundings,
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )


async def _written(client: PrefectClient) -> dict[str, Any]:
    deployment = await client.read_deployment_by_name("referral/mash")
    return {name: getattr(deployment, name) for name in WRITTEN}


async def _register_twice(stack: Stack) -> tuple[dict[str, Any], dict[str, Any]]:
    own = stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with temporary_settings(where):
        async with get_client() as client:
            for _ in range(2):
                await register(client, HOUSE / "prefect.yaml")
            ours = await _written(client)
            deployed = await anyio.to_thread.run_sync(_prefect, stack, "deploy", "--all")
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            return ours, await _written(client)


def test_the_worker_registers_what_prefect_deploy_all_would(engine_stack: Stack):
    ours, theirs = anyio.run(_register_twice, engine_stack)
    assert ours == theirs


def test_the_same_deployment_runs_on_a_stock_process_pool(engine_stack: Stack):
    reference = uuid4().hex[:8]
    anyio.run(_on_a_process_pool, engine_stack, reference)
    done = _prefect(engine_stack, "worker", "start", "--pool", "stock", "--run-once")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for((engine_stack.home / "diary" / reference).exists)


async def _on_a_process_pool(stack: Stack, reference: str) -> None:
    own = stack.environment()
    where = {PREFECT_API_URL: own["PREFECT_API_URL"], PREFECT_API_AUTH_STRING: own["PREFECT_API_AUTH_STRING"]}
    with temporary_settings(where):
        async with get_client() as client:
            template = ProcessWorker.get_default_base_job_template()
            pool = WorkPoolCreate(name="stock", type="process", base_job_template=template)
            await client.create_work_pool(pool, overwrite=True)
            warm = await client.read_deployment_by_name("stand-in/mash")
            stock = await client.create_deployment(
                flow_id=warm.flow_id,
                name="stock",
                entrypoint=warm.entrypoint,
                path=warm.path,
                pull_steps=warm.pull_steps,
                work_pool_name="stock",
            )
            await client.create_flow_run_from_deployment(stock, parameters={"reference": reference})


def test_the_house_deploys_the_referral_flow_to_its_own_pool():
    (deployment,) = [entry for entry in read(HOUSE / "prefect.yaml") if entry.entrypoint.startswith("flows/referral")]
    assert (deployment.name, deployment.work_pool, deployment.module) == ("mash", "mash", "flows.referral")


@pytest.mark.parametrize("text", ["", "deployments: [{name: mash}]", "deployments: nothing", "deployments: [:"])
def test_a_file_that_describes_no_deployments_is_refused_by_name(tmp_path, text: str):
    file = tmp_path / "prefect.yaml"
    file.write_text(text)
    with pytest.raises(Misconfigured, match="does not describe deployments"):
        read(file)


def test_an_entrypoint_without_a_flow_is_refused():
    nothing = Deployment(name="mash", entrypoint="engine/lock.py:HomeLock", work_pool="mash", description="")
    with pytest.raises(Misconfigured, match="no flow"):
        nothing.flow()
