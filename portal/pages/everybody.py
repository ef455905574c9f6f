"""The pages of everybody: the way to one's own work, what the MASH will and will not do, styles and scripts (R72)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from casework.register import current_profile
from portal import cookies
from portal.doors import AtDoor, SignedOut
from portal.navigation import home_of, referral_page
from portal.rendering import page, static_files
from portal.routes.names import Reference
from rules.errors import NotFound

router = APIRouter(include_in_schema=False)
_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}


@router.get("/")
def home(door: AtDoor) -> Response:
    """To one's own work."""
    with door.at_work() as (_, by, _):
        return door.go(home_of(by))


@router.get("/r/{reference}")
def referral(reference: Reference, door: AtDoor) -> Response:
    """The link in every message: to the page on which this person sees the referral."""
    with door.at_work() as (_, by, _):
        return door.go(referral_page(by, reference))


@router.get("/about")
def about(door: AtDoor) -> Response:
    """What the MASH will and will not do, as the area's profile says it."""
    profile = current_profile()
    if not cookies.read(door.request, cookies.SESSION):
        return page("about.html", profile=profile)
    try:
        with door.at_work():
            pass
    except SignedOut:
        return page("about.html", profile=profile)
    return door.page("about.html")


@router.get("/static/{name}")
def static(name: str) -> Response:
    """A style or a script of ours."""
    try:
        return Response(static_files()[name], media_type=_TYPES[name.rpartition(".")[2]])
    except KeyError:
        raise NotFound("there is no such file") from None


def signed_out(back: str) -> Response:
    """To the sign-in page, and afterwards back."""
    return RedirectResponse(f"/sign-in?next={back}" if back != "/" else "/sign-in", 303)
