"""The process that keeps the house's work pool: `python -m engine.worker`.

Named in the entry points too, so that Prefect finds the worker type: `prefect worker start --type mash-warm`.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from functools import partial

import anyio
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.utilities.services import critical_service_loop

from engine.deployments import read, register
from engine.warm import WarmWorker
from rules.errors import Misconfigured

#: Seconds between looks whether the deployments are still there.
DEPLOYED_EVERY = 30.0

__all__ = ["WarmWorker", "main", "serve"]


async def serve(pool: str, limit: int, query_seconds: float) -> None:
    """Register the deployments and work on this pool until SIGTERM or SIGINT; runs under way finish then."""
    await _api_answers()
    worker = WarmWorker(work_pool_name=pool, name=f"warm-{socket.gethostname()}", limit=limit)
    async with worker, anyio.create_task_group() as loops:
        async with get_client() as client:
            await register(client)
        loops.start_soon(partial(critical_service_loop, worker.get_and_submit_flow_runs, query_seconds, backoff=4))
        loops.start_soon(
            partial(critical_service_loop, worker._sync_and_initialize, worker.heartbeat_interval_seconds, backoff=4)
        )
        loops.start_soon(partial(critical_service_loop, _stay_deployed, DEPLOYED_EVERY, backoff=4))
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async for _ in signals:
                break
        loops.cancel_scope.cancel()


async def _stay_deployed() -> None:
    """The engine's database may be wiped while we work: the flows are deployed again."""
    async with get_client() as client:
        try:
            for deployment in read():
                await client.read_deployment_by_name(f"{deployment.flow().name}/{deployment.name}")
        except ObjectNotFound:
            await register(client)


async def _api_answers() -> None:
    async with get_client() as client:
        while await client.api_healthcheck() is not None:
            await anyio.sleep(5)


def main() -> None:
    """Serve the house's pool, with what `MASH_WORKER_LIMIT` and `MASH_WORKER_QUERY_SECONDS` say."""
    if not os.environ.get("PREFECT_API_URL"):
        sys.exit("PREFECT_API_URL is not set: start `mash up`, or point it at your Prefect server.")
    try:
        anyio.run(serve, "mash", *_limits())
    except Misconfigured as refusal:
        sys.exit(str(refusal))


def _limits() -> tuple[int, float]:
    places = 2 * (os.cpu_count() or 1)
    # Runs that become due are told at once; asking is only for what was missed.
    return int(os.environ.get("MASH_WORKER_LIMIT", places)), float(os.environ.get("MASH_WORKER_QUERY_SECONDS", "5"))


if __name__ == "__main__":
    main()
