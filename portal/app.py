"""The portal's ASGI application: `uvicorn --factory portal.app:create_app`."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse, Response

from casework.db import now, unit_of_work
from casework.register import current_profile, use_profile
from casework.step_up import SecondFactorNeeded
from models import log_lines
from models.settings import settings
from portal import pages, problems
from portal.doors import AUTHENTICATOR, STEP_UP, MustSetUp, Reviewed, SignedOut
from portal.faces import is_api
from portal.guards import LastResort, OneRequest, OwnHosts, SafeHeaders, WholeBodies
from portal.pages import everybody
from portal.problems import LOG, SECOND_FACTOR, problem
from portal.routes import ROUTERS
from rules.errors import Unavailable

_DESCRIPTION = """\
A Multi-Agency Safeguarding Hub, for the systems of duty teams and agencies and for the hub's own people.

A duty team **refers** children or adults about whom a concern is unclear; the hub asks each agency in an **agency
check**; each agency answers with a **return**; the hub joins the returns into one **collated template**; a person
**decides** for each subject whether the threshold is met; and each duty team reads its **outcome** and acknowledges it.

Every failure is `application/problem+json` (RFC 9457), and names every bad field at once. Who acts is always the
account of the token, never a field of a document. Names of people stand only in the documents that need them.
"""


def create_app() -> FastAPI:
    """The portal, for one server process. Reads the settings of this process; the record may still be starting."""
    app = FastAPI(
        title="MASH",
        version="1",
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        # FastAPI's own telemetry keeps the text of exceptions, which may hold what people wrote.
        telemetry={
            "tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False,
        },
        middleware=[
            Middleware(OneRequest),
            Middleware(SafeHeaders),
            Middleware(LastResort),
            Middleware(OwnHosts, portal_url=settings().portal_url),
            Middleware(WholeBodies),
        ],
    )  # fmt: skip
    problems.install(app)
    app.add_exception_handler(SignedOut, _to_sign_in)
    app.add_exception_handler(MustSetUp, _to_set_up)
    app.add_exception_handler(Reviewed, _to_be_sent_again)
    app.add_exception_handler(SecondFactorNeeded, _to_step_up)
    for router in (*ROUTERS, *pages.ROUTERS):
        app.include_router(router)
    return app


async def _to_sign_in(_: Request, error: Exception) -> Response:
    return everybody.signed_out(error.back if isinstance(error, SignedOut) else "/")


async def _to_set_up(_: Request, __: Exception) -> Response:
    return RedirectResponse(AUTHENTICATOR, 303)


async def _to_step_up(request: Request, error: Exception) -> Response:
    if is_api(request.scope):
        return problem(SECOND_FACTOR, str(error))
    return RedirectResponse(STEP_UP, 303)


async def _to_be_sent_again(_: Request, error: Exception) -> Response:
    """A form that its own page cannot show filled in: a button, mostly."""
    door = cast(Reviewed, error).door
    return door.page("kept.html", 422, path=door.request.url.path, typed=door.kept)


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    log_lines.write_lines(settings().log, logging.WARNING)
    await run_in_threadpool(_register_profile)
    yield


def _register_profile() -> None:
    """Put the profile and its agencies into the record. Should it not answer yet, the first referral does it."""
    profile = current_profile()
    try:
        with unit_of_work() as session:
            use_profile(session, profile, now(session))
    except Unavailable:
        LOG.warning("the record does not answer yet; starting without it")
