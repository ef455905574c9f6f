"""Coming in through a council's own sign-in service: there, and back (R46)."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from casework import provider_signin, sessions
from casework.db import unit_of_work
from casework.provider_signin import Trip
from casework.signin import Answer, Step
from portal import cookies, provider
from portal.doors import AtDoor, Door
from portal.pages.signing_in import TOO_MANY, come_in, next_page, sign_in_form, to_code
from portal.places import place_of
from portal.problems import LOG
from portal.provider import ProviderFailed
from rules.errors import FieldError, NotFound

router = APIRouter(include_in_schema=False)
#: The same for whoever has no account, or a disabled one, or came back twice, too late or in another's browser.
_REFUSED = FieldError(
    "/provider", "you could not be signed in that way: use your password, or ask your area’s administrator"
)
_SILENT = FieldError("/provider", "that sign-in service does not answer: use your password, or try again later")


@router.get("/sign-in/provider")
def to_provider(door: AtDoor) -> Response:
    """Off to the service; this browser keeps a cookie that it is known by when it comes back."""
    _check_offered()
    browser = cookies.fresh()
    with unit_of_work() as session:
        at = sessions.real_now(session)
        trip = provider_signin.begin(session, browser, next_page(door), place=place_of(door.request), at=at)
    if trip is None:
        return sign_in_form(door, 429, TOO_MANY)
    try:
        response = RedirectResponse(provider.way_there(trip, at=at), 303)
    except ProviderFailed as failure:
        LOG.warning("%s", failure)
        return sign_in_form(door, 503, _SILENT)
    cookies.give(response, cookies.PROVIDER, browser)
    return response


@router.get("/sign-in/provider/back")
def from_provider(door: AtDoor) -> Response:
    """In, on to the hub's own code, or the sign-in page again, with the same words whatever the reason."""
    _check_offered()
    response = _come_back(door)
    cookies.take_back(response, cookies.PROVIDER)
    return response


def _come_back(door: Door) -> Response:
    browser, state = cookies.read(door.request, cookies.PROVIDER), door.request.query_params.get("state", "")
    with unit_of_work() as session:
        at = sessions.real_now(session)
        trip = provider_signin.come_back(session, browser, state, at=at)
    step = _let_in(door, trip, at) if trip else Step(Answer.WRONG)
    if trip is None or step.answer is not Answer.GO_ON:
        return sign_in_form(door, 422, _REFUSED)
    return come_in(step, trip.back) if step.account_id else to_code(step.token, trip.back)


def _let_in(door: Door, trip: Trip, at: datetime) -> Step:
    """No transaction stays open while the service is asked."""
    try:
        vouched = provider.vouched(door.request.query_params, trip, at=at)
    except ProviderFailed as failure:
        LOG.warning("%s", failure)
        return Step(Answer.WRONG)
    with unit_of_work() as session:
        return provider_signin.let_in(session, vouched, at=sessions.real_now(session))


def _check_offered() -> None:
    if not provider.is_offered():
        raise NotFound("this site has no sign-in service of a council")
