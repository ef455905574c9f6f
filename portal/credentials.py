"""Who calls, by their credential alone, and the one transaction in which their call is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from casework import hidden, openings, sessions, step_up, wall
from casework.accounts import actor_of
from casework.db import keep_plans, now, unit_of_work
from casework.once import only_reads
from casework.openings import TooManyOpened
from portal import cookies
from portal.access import NEEDS_SECOND_FACTOR, allowed_on
from portal.problems import LOG, Unauthenticated, route_of
from rules.errors import NotFound, NotPermitted
from rules.permissions import Actor, Role
from rules.reference import normalise

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="The token of one account: a duty team's or an agency's system, or one person.",
)


SAFE = frozenset({"GET", "HEAD"})


class Work(NamedTuple):
    """What a verb needs: the transaction, who acts, and when."""

    session: Session
    by: Actor
    at: datetime


def count_opening(session: Session, places: Mapping[str, str], actor: Actor) -> None:
    """Count the referral that a request's path names, if it names one. Raises TooManyOpened (S-20)."""
    if "reference" in places:
        keep_plans(session)
        openings.count(session, normalise(places["reference"]), by=actor, at=sessions.real_now(session))


def begin_reading(session: Session, actor: Actor) -> None:
    """From now on the request only reads, and sees what concerns its reader (S-4)."""
    wall.narrow(session, actor)
    only_reads(session)


def check_reach(session: Session, route: str, places: Mapping[str, str], actor: Actor) -> None:
    """Behind the rules, for an act on the referral that a path names. Raises NotFound, which undoes it (S-4)."""
    if route.partition(" ")[0] not in SAFE and "reference" in places:
        wall.check_reach(session, actor, normalise(places["reference"]))


def tell_of(stopped: TooManyOpened, route: str) -> None:
    """Who answers for information governance is told; in a transaction of its own, since the request's was undone."""
    LOG.warning("%s for account %s at %s", type(stopped).__name__, stopped.by.id, route)
    with unit_of_work() as session:
        openings.tell(session, stopped, at=now(session), real_now=sessions.real_now(session))


class Desk:
    """Where one request is dealt with: its credential, and who may call its route."""

    def __init__(
        self, who: Callable[[Session], Actor | None] | None, allowed: frozenset[Role] | None, route: str, *,
        credential: str = "", places: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._who = who
        self.credential = credential
        self._allowed = allowed
        self._route = route
        self._places = places or {}

    @contextmanager
    def at_work(self) -> Iterator[Work]:
        """One transaction for one caller; all or nothing.

        Raises Unauthenticated, NotPermitted for a role that may not call this route, SecondFactorNeeded for what the
        access table asks it for, TooManyOpened, Unavailable.
        """
        if self._who is None:
            raise Unauthenticated
        try:
            with unit_of_work() as session:
                actor = self._who(session)
                if actor is None:
                    raise Unauthenticated
                hidden.read_as(session, actor)
                with self._noting_refusals(actor):
                    if self._allowed is not None and actor.role not in self._allowed:
                        raise NotPermitted("your role may not do this")
                    if self._route in NEEDS_SECOND_FACTOR:
                        step_up.check_fresh(session, self.credential)
                    count_opening(session, self._places, actor)
                    if self._route.partition(" ")[0] in SAFE:
                        begin_reading(session, actor)
                    yield Work(session, actor, now(session))
                    check_reach(session, self._route, self._places, actor)
        except TooManyOpened as stopped:
            tell_of(stopped, self._route)
            raise

    @contextmanager
    def _noting_refusals(self, actor: Actor) -> Iterator[None]:
        """Denials are logged (R48): the account's code and the route, never the referral or what was sent."""
        try:
            yield
        except (NotPermitted, NotFound) as refusal:
            LOG.warning("%s for account %s at %s", type(refusal).__name__, actor.id, self._route)
            raise


async def _desk(request: Request, credential: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Desk:
    route = route_of(request.scope)
    method, _, path = route.partition(" ")
    token = credential.credentials if credential else cookies.read(request, cookies.SESSION)
    return Desk(
        _who(request, credential), allowed_on(method, path), route, credential=token, places=request.path_params
    )


def _who(request: Request, credential: HTTPAuthorizationCredentials | None) -> Callable[[Session], Actor | None] | None:
    """By a token, or by the session of a person signed in to the portal, whose page must prove that it is its own."""
    if credential is not None:
        token = credential.credentials
        return lambda session: actor_of(session, token)
    if not (stay := cookies.read(request, cookies.SESSION)):
        return None
    own = cookies.is_own(request.headers.get(cookies.HEADER, ""), stay) and cookies.is_from_own_page(request.headers)
    if request.method not in SAFE and not own:
        return None
    return lambda session: _signed_in(session, stay)


def _signed_in(session: Session, stay: str) -> Actor | None:
    visitor = sessions.visitor_of(session, stay)
    return None if visitor is None or visitor.must_set_up_authenticator else visitor.actor


#: Every route behind a credential takes one; `portal.access` says who may come to it.
AtDesk = Annotated[Desk, Depends(_desk)]
