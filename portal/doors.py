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
from sqlmodel import Session
from starlette.responses import RedirectResponse, Response

from casework import hidden, kept_forms, sessions, step_up
from casework.db import now, unit_of_work
from casework.kept_forms import KeptForm
from casework.openings import TooManyOpened
from casework.register import current_profile
from casework.sessions import Visitor
from casework.step_up import SecondFactorNeeded
from portal import cookies, forms
from portal.access import NEEDS_SECOND_FACTOR, allowed_on
from portal.credentials import SAFE, Work, begin_reading, check_reach, count_opening, tell_of
from portal.forms import Raw
from portal.navigation import links_of
from portal.problems import LOG, BadDocument, route_of
from portal.rendering import page
from rules.errors import NotAcceptable, NotFound, NotPermitted
from rules.permissions import Actor

AUTHENTICATOR = "/you/authenticator"
STEP_UP = "/step-up"
KEPT = "/kept"
#: In a request's scope: the form is looked at again and not taken. Only the hub itself can say so.
REVIEWED = "mash.reviewed"
#: What is open to whoever must set up an authenticator first.
_WITHOUT_AUTHENTICATOR = (AUTHENTICATOR, "/stay", "/sign-out")
#: Forms that nobody typed anything into, or whose page keeps a draft by itself.
_NOT_KEPT = ("/draft", "/sign-out", "/stay", STEP_UP, f"{STEP_UP}/again", AUTHENTICATOR)
#: Fields that are kept nowhere but as a hash.
_SECRETS = frozenset({"old_password", "password"})
#: The field that says which page's text is kept while it is typed.
DRAFT_OF = "draft_of"
#: The field that says which referral that text is about, where the address that keeps it does not.
DRAFT_ABOUT = "draft_about"
#: Fields that are the page's own, and not what somebody typed.
_OF_THE_BROWSER = frozenset({cookies.FORM_FIELD, "do", "username", DRAFT_OF, DRAFT_ABOUT})
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
    "feedback": "Thank you. Your feedback is with the MASH manager; the answer will stand here.",
    "feedback-answered": "Your answer is there for whoever gave the feedback.",
    "overridden": "The agency is asked, and the information-governance lead is told.",
    "corrected": "It is corrected. Agencies that were asked are told that there is a correction.",
    "contact-answered": "Your word on the earlier referral is recorded.",
    "basis": "It is recorded. Where nothing is missing any more, the agencies are being asked.",
    "clear": "The referral comes back to your team at once. Follow the existing safeguarding procedure now.",
    "some-clear": "Follow the existing safeguarding procedure for them now. For the others the checks go on.",
    "withdrawn": "The referral goes back to your team.",
    "some-withdrawn": "They are withdrawn. For the others the checks go on.",
    "answered": "Your answer is with the agency.",
    "followed-up": "Your question is with the agency, and its clock goes.",
    "told": "Your answer is with the MASH team.",
    "asked-another": "The agency is asked, and its clock goes.",
    "chased": "The agency is reminded.",
    "extended": "The agency has more time, and is told so.",
    "paused": "The agency’s clock stands still, and it is told so.",
    "resumed": "The agency’s clock goes on, and it is told so.",
    "cause-given": "The cause of the breach is recorded.",
    "return-marked": "The quality of the return is recorded, and its agency sees it among its figures.",
    "discussed": "The discussion is recorded.",
    "rated": "The rating is changed, and every queue follows.",
    "urgent": "The MASH team is told that this is urgent.",
    "urgent-known": "The agency is told that you know.",
    "called": "The wait is over: the returns are being joined.",
    "viewed": "The view is recorded.",
    "decided": "Your decision is signed.",
    "to-manager": "The manager is told. It waits for them, and stands on the board as theirs.",
    "sent-back": "The team is told, with your reason.",
    "drawn": "The sample is drawn, and waits for decision makers who did not decide it.",
    "packed": "The pack is made. The board’s members find it in their list.",
    "looked": "Your second look is recorded. The decision stands as it is.",
    "stands": "The decision stands.",
    "resolved": "The disagreement is resolved, and goes no further.",
    "invited": "The invitation is on its way.",
    "moved": "The address is changed, and an invitation is on its way there.",
    "disabled": "The account is disabled, and its owner signed out.",
    "entered": "The agreement is in the register.",
    "ended": "Nobody shares under this agreement from today on.",
    "agreed": "You agreed. A second person has to.",
    "seconded": "Two people agreed. It is erased within the hour.",
    "held": "Nothing of this referral is erased until the hold is lifted.",
    "lifted": "The hold is lifted, and the schedule has its way again.",
    "access-asked": "The request is entered, and its month goes.",
    "access-held": "Nothing is given until the hold is lifted.",
    "access-lifted": "The hold is lifted: the export may be made.",
    "confirmed": "Your answers are recorded.",
    "manager": "They confirm the people of their agency from now on.",
    "no-manager": "They no longer confirm the people of their agency.",
    "authority": "They decide with a manager’s authority from now on.",
    "no-authority": "They no longer have a manager’s authority.",
    "granted": "The MASH profile is granted.",
    "taken": "The MASH profile is withdrawn.",
    "restricted": "The referral is hidden from everybody but the people named.",
    "named": "They may see it from now on, and are told so.",
    "unnamed": "They cannot see it any more.",
    "reviewed": "It stays restricted, and is to be looked at again in 90 days.",
    "restriction-lifted": "The restriction is lifted.",
    "glass-broken": "It is open to you for 60 minutes, and information governance is alerted.",
    "glass-reviewed": "It is recorded.",
    "stepped-back": "You have stepped back. You will not see that referral again.",
    "authenticator": "From now on you sign in with your authenticator app.",
    "password": "Your password is set. Sign in with it now.",
    "password-changed": "Your password is changed. You are signed out everywhere else.",
    "signed-out": "You are signed out.",
    "code-sent": "Another code is on its way.",
}


class SignedOut(Exception):
    """Nobody is signed in here (any more); `back` is the page to come back to."""

    def __init__(self, back: str) -> None:
        super().__init__("signed out")
        self.back = back


class Reviewed(NotAcceptable):
    """A form is shown to its sender as they had filled it in: nothing is wrong with it, and nothing was done."""

    def __init__(self, door: Door) -> None:
        super().__init__()
        self.door = door


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
        self._to_be_reviewed = self._is_review = request.scope.get(REVIEWED, False)
        #: The form stood on a page that was opened before this person signed in anew in this browser.
        self.is_of_earlier_stay = False

    @property
    def stay(self) -> str:
        """The token of this browser's session, or the empty text."""
        return cookies.read(self.request, cookies.SESSION)

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """What the page's form sent. Raises BadDocument for what no page of ours sends."""
        try:
            return forms.parse(self._body)
        except ValueError:
            raise BadDocument("This is not what a page of the portal sends.") from None

    @property
    def typed(self) -> list[tuple[str, str]]:
        """The same without the form's own token and its buttons."""
        return [(name, value) for name, value in self.fields if name not in _OF_THE_BROWSER]

    @property
    def kept(self) -> list[tuple[str, str]]:
        """The same without what is kept nowhere but as a hash."""
        return [(name, value) for name, value in self.typed if name not in _SECRETS]

    @cached_property
    def raw(self) -> Raw:
        """What was typed, by place in the document."""
        return forms.nested(self.typed)

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
    def at_work(self, *, looked_at: bool = True, takes: bool = True) -> Iterator[Work]:
        """One transaction for the person signed in; all or nothing. `takes` is false when a draft is kept, at most.

        Raises SignedOut, MustSetUp, NotPermitted for a role that may not come here or a form that is not its own,
        SecondFactorNeeded for what the access table asks it for, TooManyOpened, Unavailable. What was typed outlives
        being signed out, the second factor, and having opened too many.
        """
        try:
            with unit_of_work() as session:
                actor = self._admit(session, looked_at)
                hidden.read_as(session, actor)
                try:
                    self._check_access(session, actor, takes)
                    if self.request.method in SAFE:
                        begin_reading(session, actor)
                    self.at = now(session)
                    yield Work(session, actor, self.at)
                    check_reach(session, self.route, self.request.path_params, actor)
                    self._is_taken(session, actor)
                except SecondFactorNeeded:
                    raise
                except (NotPermitted, NotFound) as refusal:
                    LOG.warning("%s for account %s at %s", type(refusal).__name__, actor.id, self.route)
                    raise
        except SecondFactorNeeded:
            self._ask_again()
            raise
        except TooManyOpened as stopped:
            self._stop(stopped)
            raise

    def _admit(self, session: Session, looked_at: bool) -> Actor:
        self._visitor = sessions.visitor_of(session, self.stay, looked_at=looked_at) if self.stay else None
        if self._visitor is None:
            raise SignedOut(self._keep_form(session) or self._way_back())
        if self._is_from_earlier_page():
            self._to_be_reviewed = self._is_review = self.is_of_earlier_stay = True
        self.check_form(self.stay)
        if self._visitor.must_set_up_authenticator and not self.route.endswith(_WITHOUT_AUTHENTICATOR):
            raise MustSetUp
        return self._visitor.actor

    def _check_access(self, session: Session, actor: Actor, takes: bool) -> None:
        method, _, path = self.route.partition(" ")
        allowed = allowed_on(method, path)
        if allowed is not None and actor.role not in allowed:
            raise NotPermitted("your role may not do this")
        if self._to_be_reviewed:
            self._to_be_reviewed = False
            raise Reviewed(self)
        if takes and not self._is_review and self.route in NEEDS_SECOND_FACTOR:
            step_up.check_fresh(session, self.stay)
        count_opening(session, self.request.path_params, actor)

    def _keep_form(self, session: Session) -> str:
        """Keep what was typed by whoever was signed in here a while ago; where they find it, or the empty text."""
        if not self._is_typed:
            return ""
        actor = sessions.lately_of(session, self.stay) if self.stay else None
        if actor is None:
            return ""
        self.check_form(self.stay)
        self._keep(actor)
        return KEPT

    def _is_from_earlier_page(self) -> bool:
        """Whether a form of ours carries another stay's token: its sender signed in anew, in another tab.

        It is shown again and not taken (S-15), and only where the browser itself says that a page of this host sent
        it: no other site can have a form filled in here.
        """
        token = self.field(cookies.FORM_FIELD) if self._is_typed and not self._is_review else ""
        return (
            token != ""
            and cookies.HEADER not in self.request.headers
            and not cookies.is_own(token, self.stay)
            and cookies.is_surely_from_own_page(self.request.headers)
        )

    @property
    def _is_typed(self) -> bool:
        return self.request.method not in SAFE and not self.request.url.path.endswith(_NOT_KEPT)

    def _keep(self, actor: Actor) -> None:
        """In a transaction of its own: the request's is about to be undone."""
        with unit_of_work() as session:
            at = sessions.real_now(session)
            kept_forms.keep(session, KeptForm(self.request.url.path, self.kept), by=actor, at=at)

    def _ask_again(self) -> None:
        self._keep(self.visitor.actor)
        with unit_of_work() as session:
            step_up.begin(session, self.stay, by=self.visitor.actor, at=sessions.real_now(session))

    def _stop(self, stopped: TooManyOpened) -> None:
        if self._is_typed and not self._is_review:
            self._keep(stopped.by)
        tell_of(stopped, self.route)

    def _is_taken(self, session: Session, actor: Actor) -> None:
        if self.request.method not in SAFE and not self._is_review:
            kept_forms.forget(session, self.request.url.path, by=actor, at=sessions.real_now(session))

    def check_form(self, cookie_value: str) -> None:
        """A form must come from a page of this browser's own (S-15). Raises NotPermitted."""
        if self.request.method in SAFE or self._is_review:
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
        if self._is_review and self.typed:
            anew = "You signed in again after this page was opened. " if self.is_of_earlier_stay else ""
            return f"{anew}This is what you typed. It is not sent yet: look at it, then send it again."
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
