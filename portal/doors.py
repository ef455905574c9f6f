"""Where a person's request for a page is dealt with: who they are, what they sent, and the page or the way on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from casework import sessions
from casework.db import now, unit_of_work
from casework.register import current_profile
from casework.sessions import Visitor
from portal import cookies, forms
from portal.access import allowed_on
from portal.credentials import SAFE, Work
from portal.forms import Raw
from portal.navigation import links_of
from portal.problems import LOG, BadDocument, route_of
from portal.rendering import page
from rules.errors import NotFound, NotPermitted

AUTHENTICATOR = "/you/authenticator"
#: What is said at the top of the page after something was done; the address holds the word alone.
DONE: Mapping[str, str] = {
    "acknowledged": "The MASH knows that you have this check.",
    "returned": "Your return is with the MASH team.",
    "declined": "Your answer is with the MASH team.",
    "asked": "Your question is with the MASH team. Your time goes on meanwhile.",
    "saved": "Your draft is saved. Nobody else can see it.",
    "removed": "It is taken out of your draft.",
    "added": "There is one more to fill in.",
    "discarded": "Your draft is thrown away.",
    "referred": "Your referral is with the MASH.",
    "outcome-acknowledged": "The MASH knows that your team has this outcome.",
    "withdrawn": "The referral goes back to your team.",
    "answered": "Your answer is with the agency.",
    "discussed": "The discussion is recorded.",
    "called": "The wait is over: the returns are being joined.",
    "viewed": "The view is recorded.",
    "decided": "Your decision is signed.",
    "stands": "The decision stands.",
    "invited": "The invitation is on its way.",
    "disabled": "The account is disabled, and its owner signed out.",
    "granted": "The MASH profile is granted.",
    "taken": "The MASH profile is withdrawn.",
    "authenticator": "From now on you sign in with your authenticator app.",
    "password": "Your password is set. Sign in with it now.",
    "signed-out": "You are signed out.",
}


class SignedOut(Exception):
    """Nobody is signed in here (any more); `back` is the page to come back to."""

    def __init__(self, back: str) -> None:
        super().__init__("signed out")
        self.back = back


class MustSetUp(Exception):
    """This person's role needs an authenticator before anything else."""


class Door:
    """One person's request for a page."""

    def __init__(self, request: Request, body: bytes) -> None:
        self.request = request
        self.route = route_of(request.scope)
        self._body = body
        self._visitor: Visitor | None = None
        self.at: datetime | None = None

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """What the page's form sent. Raises BadDocument for what no page of ours sends."""
        try:
            return forms.parse(self._body)
        except ValueError:
            raise BadDocument("This is not what a page of the portal sends.") from None

    @cached_property
    def raw(self) -> Raw:
        """The same by place in the document, without the form's own token and its buttons."""
        return forms.nested((name, value) for name, value in self.fields if name not in {cookies.FORM_FIELD, "do"})

    def field(self, name: str) -> str:
        """One field, or the empty text."""
        return next((value for each, value in self.fields if each == name), "")

    @property
    def zone(self) -> ZoneInfo:
        """The area's time zone."""
        return current_profile().zone_info

    @property
    def visitor(self) -> Visitor:
        """Who is signed in; only within or after `at_work`."""
        if self._visitor is None:
            raise SignedOut("/")
        return self._visitor

    @contextmanager
    def at_work(self, *, looked_at: bool = True) -> Iterator[Work]:
        """One transaction for the person signed in; all or nothing.

        Raises SignedOut, MustSetUp, NotPermitted for a role that may not come here or a form that is not its own,
        Unavailable.
        """
        stay = cookies.read(self.request, cookies.SESSION)
        if not stay:
            raise SignedOut(self._way_back())
        with unit_of_work() as session:
            self._visitor = sessions.visitor_of(session, stay, looked_at=looked_at)
            if self._visitor is None:
                raise SignedOut(self._way_back())
            self.check_form(stay)
            if self._visitor.must_set_up_authenticator and AUTHENTICATOR not in self.route:
                raise MustSetUp
            actor = self._visitor.actor
            method, _, path = self.route.partition(" ")
            allowed = allowed_on(method, path)
            try:
                if allowed is not None and actor.role not in allowed:
                    raise NotPermitted("your role may not do this")
                self.at = now(session)
                yield Work(session, actor, self.at)
            except (NotPermitted, NotFound) as refusal:
                LOG.warning("%s for account %s at %s", type(refusal).__name__, actor.id, self.route)
                raise

    def check_form(self, cookie_value: str) -> None:
        """A form must come from a page of this browser's own (S-15). Raises NotPermitted."""
        if self.request.method in SAFE:
            return
        token = self.request.headers.get(cookies.HEADER) or self.field(cookies.FORM_FIELD)
        if not (cookies.is_own(token, cookie_value) and cookies.is_from_own_page(self.request.headers)):
            raise NotPermitted("this form did not come from a page of yours: go back, load the page anew and try again")

    def page(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page for the person signed in."""
        visitor = self.visitor
        profile = current_profile()
        return page(
            template, status, visitor=visitor, links=links_of(visitor.actor), here=self.request.url.path,
            form_token=cookies.form_token(cookies.read(self.request, cookies.SESSION)), door=self, at=self.at,
            done=self.done, profile=profile, zone=profile.zone_info, **context,
        )  # fmt: skip

    @property
    def done(self) -> str:
        """What was just done, in a sentence; or the empty text."""
        return DONE.get(self.request.query_params.get("done", ""), "")

    def go(self, path: str, done: str = "", part: str = "") -> Response:
        """On to another page, by GET; to one part of it, by its id, when there is such a part."""
        return RedirectResponse(path + (f"?done={done}" if done else "") + (f"#{quote(part)}" if part else ""), 303)

    def _way_back(self) -> str:
        reference = self.request.path_params.get("reference")
        if self.request.method in SAFE:
            return self.request.url.path
        return f"/r/{quote(reference)}" if reference else "/"


async def _door(request: Request) -> Door:
    return Door(request, await request.body())


#: Every page's route takes one.
AtDoor = Annotated[Door, Depends(_door)]
