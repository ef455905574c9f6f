"""Who calls, by their credential alone, and the one transaction in which their call is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlmodel import Session

from casework.accounts import actor_of
from casework.db import now, unit_of_work
from portal.access import allowed_on
from portal.problems import LOG, Unauthenticated, route_of
from rules.errors import NotFound, NotPermitted
from rules.permissions import Actor, Role

_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="The token of one account: a duty team's or an agency's system, or one person.",
)


class Work(NamedTuple):
    """What a verb needs: the transaction, who acts, and when."""

    session: Session
    by: Actor
    at: datetime


class Desk:
    """Where one request is dealt with: its credential, and who may call its route."""

    def __init__(self, token: str | None, allowed: frozenset[Role] | None, route: str) -> None:
        self._token = token
        self._allowed = allowed
        self._route = route

    @contextmanager
    def at_work(self) -> Iterator[Work]:
        """One transaction for one caller; all or nothing.

        Raises Unauthenticated, NotPermitted for a role that may not call this route, Unavailable.
        """
        if self._token is None:
            raise Unauthenticated
        with unit_of_work() as session:
            actor = actor_of(session, self._token)
            if actor is None:
                raise Unauthenticated
            with self._noting_refusals(actor):
                if self._allowed is not None and actor.role not in self._allowed:
                    raise NotPermitted("your role may not do this")
                yield Work(session, actor, now(session))

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
    return Desk(credential.credentials if credential else None, allowed_on(method, path), route)


#: Every route behind a credential takes one; `portal.access` says who may come to it.
AtDesk = Annotated[Desk, Depends(_desk)]
