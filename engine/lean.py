"""What a short-lived child need not do each time, since the forkserver has done it once or nobody needs it.

Each saving is a few lines on Prefect 3.8.8 as pinned; without any of them everything still works, only dearer.
"""

from __future__ import annotations

import importlib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import anyio._backends._asyncio  # noqa: F401 -- see prepare()
import certifi
import prefect.client.orchestration
import prefect.events.clients
import prefect.events.related
import prefect.flow_engine
import prefect.logging.handlers
import prefect.main
import prefect.results
import prefect.task_engine
import prefect.types._datetime
import prefect.utilities.visualization
from prefect.settings import PREFECT_API_SSL_CERT_FILE
from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import configure_mappers

from casework.db import database
from casework.register import current_profile
from rules.errors import Misconfigured

SCHEMAS = ("objects", "actions", "responses", "filters", "sorting", "schedules")


class _SharedTls:
    """Prefect makes a TLS context for each client, and reads some 150 certificates for it, even for plain http."""

    SSLContext = ssl.SSLContext
    CERT_NONE = ssl.CERT_NONE
    create_default_context = staticmethod(cache(ssl.create_default_context))


def prepare() -> None:
    """To be called once in the forkserver, before it forks. Starts no thread, loop or connection.

    What this module imports and does not use is what Prefect and anyio import at first use: in every child, again.
    """
    _SharedTls.create_default_context(cafile=PREFECT_API_SSL_CERT_FILE.value() or certifi.where())
    prefect.client.orchestration.ssl = _SharedTls  # type: ignore[attr-defined,assignment]
    # Asked three times in each run otherwise.
    prefect.results._read_server_default_result_storage_block_id = cache(
        prefect.results._read_server_default_result_storage_block_id
    )
    # Prefect opens a websocket in every deployed run to hear of a "Suspend" pressed while the flow's code is running,
    # and keeps a thread that tells every three minutes that it lives (and is waited for, up to a second, at the end).
    # Ours run for moments between two waits, and the timekeeper finds those that died.
    prefect.flow_engine.observe_flow_run_suspension = _nothing  # type: ignore[attr-defined]
    prefect.flow_engine._send_heartbeats = _nothing
    _complete_models()
    _read_the_house()


def remember(known: Mapping[tuple[str, Any], Any]) -> None:
    """Each event names its run's flow, deployment, queue and pool: every child would ask the engine for all four.

    `known` holds them by kind and by what the run calls them: its pool by name, the others by id. None is not known.
    """
    remembered: dict[str, Any] = prefect.events.related.RESOURCE_CACHE
    at = prefect.types._datetime.now("UTC")
    for (kind, name), thing in known.items():
        if thing is not None:
            remembered[f"{kind}.{name}"] = {"kind": kind, "object": thing}, at


@contextmanager
def _nothing(*_: Any, **__: Any) -> Iterator[None]:
    yield


def _read_the_house() -> None:
    """The area's profile takes a fifth of a second to read and check, and the tables some time to be understood.

    A profile that changes has a new version, and a referral's own version is in the record: an older copy kept here
    does no harm. What cannot be read is told by the child that needs it.
    """
    configure_mappers()
    with suppress(ValidationError, Misconfigured):
        current_profile()
        database()


def _complete_models() -> None:
    """Prefect leaves its models to be completed at first use: by every child, again."""
    modules = [importlib.import_module(f"prefect.client.schemas.{name}") for name in SCHEMAS]
    modules.append(importlib.import_module("prefect.events.schemas.events"))
    for model in {thing for module in modules for thing in vars(module).values() if isinstance(thing, type)}:
        if issubclass(model, BaseModel) and model is not BaseModel and not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)
