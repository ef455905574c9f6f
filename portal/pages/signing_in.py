"""Coming in and going out: password, one-time code, invitation, authenticator (R46, R47)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pyotp
from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from casework import accounts, drafts, kept_forms, own_password, sessions, signin
from casework.db import now, unit_of_work
from casework.register import current_profile
from casework.signin import Answer, Step
from models.account import Account
from portal import cookies, provider
from portal.doors import AUTHENTICATOR, KEPT, AtDoor, Door
from portal.forms import Form
from portal.places import place_of
from portal.rendering import page
from rules.errors import FieldError, NotAcceptable

router = APIRouter(include_in_schema=False)
_OWN_PATH = re.compile(r"/[A-Za-z0-9][A-Za-z0-9/_-]{0,100}")
_AUTHENTICATOR_DRAFT = "authenticator"
_WRONG = FieldError("/password", "The address or the password is not right.")
TOO_MANY = FieldError("/password", "Too many tries. Wait fifteen minutes, then try again.")
_NOT_CHANGED: Mapping[Answer, tuple[int, FieldError]] = {
    Answer.WRONG: (422, FieldError("/old_password", "this is not it")),
    Answer.TOO_MANY: (429, FieldError("/old_password", "too many tries: wait fifteen minutes, then try again")),
}
_WRONG_CODE = FieldError("/code", "this is not the newest code, or it is too old or was used before")
_TOO_SOON = FieldError("/code", "a code was sent just now: wait half a minute, then ask again")
_NONE_SENT = FieldError("/code", "no more codes can be sent for now: at most five are, in half an hour")
_TOO_MANY_CODES = FieldError("/code", "too many tries: ask for a new code, or wait fifteen minutes")


@router.get("/sign-in")
def sign_in_page(door: AtDoor) -> Response:
    """The address and the password. An old half-done sign-in is forgotten."""
    return sign_in_form(door)


@router.post("/sign-in")
def sign_in(door: AtDoor) -> Response:
    """On to the code, or the same page again: the same words whether or not there is such an account."""
    visit = cookies.read(door.request, cookies.VISIT)
    door.check_form(visit)
    with unit_of_work() as session:
        step = signin.begin(
            session, door.field("email"), door.field("password"), place=place_of(door.request),
            known=cookies.read(door.request, cookies.KNOWN), at=sessions.real_now(session),
        )  # fmt: skip
    if step.answer is not Answer.GO_ON:
        refused = TOO_MANY if step.answer is Answer.TOO_MANY else _WRONG
        return sign_in_form(door, 429 if step.answer is Answer.TOO_MANY else 422, refused)
    return to_code(step.token, next_page(door))


@router.get("/sign-in/code")
def code_page(door: AtDoor) -> Response:
    """The one-time code."""
    return _code_form(door)


@router.post("/sign-in/code")
def enter_code(door: AtDoor) -> Response:
    """In, or the same page again."""
    visit = cookies.read(door.request, cookies.VISIT)
    door.check_form(visit)
    with unit_of_work() as session:
        step = signin.finish(session, visit, door.field("code"), at=sessions.real_now(session))
    if step.answer is Answer.START_AGAIN:
        return RedirectResponse("/sign-in", 303)
    if step.answer is not Answer.GO_ON:
        too_many = step.answer is Answer.TOO_MANY
        return _code_form(door, 429 if too_many else 422, _TOO_MANY_CODES if too_many else _WRONG_CODE)
    return come_in(step, next_page(door))


@router.post("/sign-in/code/again")
def send_again(door: AtDoor) -> Response:
    """Another code, which kills the one before."""
    visit = cookies.read(door.request, cookies.VISIT)
    door.check_form(visit)
    with unit_of_work() as session:
        answer = signin.send_again(session, visit, at=sessions.real_now(session))
    if answer is Answer.START_AGAIN:
        return RedirectResponse("/sign-in", 303)
    if answer is not Answer.GO_ON:
        return _code_form(door, 429, _TOO_SOON if answer is Answer.TOO_SOON else _NONE_SENT)
    return RedirectResponse(f"/sign-in/code{_query(next_page(door))}", 303)


@router.post("/sign-out")
def sign_out(door: AtDoor) -> Response:
    """The session is over, here and wherever else its cookie may be."""
    with door.at_work() as (session, _, _):
        sessions.end(session, cookies.read(door.request, cookies.SESSION), at=sessions.real_now(session))
    response = door.go("/sign-in", "signed-out")
    cookies.take_back(response, cookies.SESSION)
    return response


@router.get("/invitation/{token}")
def invitation_page(token: str, door: AtDoor) -> Response:
    """The first password, for whoever was invited."""
    return _invitation_form(door, token)


@router.post("/invitation/{token}")
def accept_invitation(token: str, door: AtDoor) -> Response:
    """The password is set, and the link is used up."""
    door.check_form(cookies.read(door.request, cookies.VISIT))
    try:
        with unit_of_work() as session:
            accounts.accept_invitation(session, token, door.field("password"), at=now(session))
    except NotAcceptable as refused:
        return _invitation_form(door, token, 422, *refused.fields)
    return door.go("/sign-in", "password")


@router.get("/you")
def your_account(door: AtDoor) -> Response:
    """What the hub knows of the person signed in, and how they sign in."""
    with door.at_work() as (session, by, _):
        account = session.get(Account, by.id)
    return door.page("you.html", account=account)


@router.get("/you/password")
def password_page(door: AtDoor) -> Response:
    """Another password, for whoever is signed in."""
    return _password_form(door)


@router.post("/you/password")
def change_password(door: AtDoor) -> Response:
    """It is changed, or the same page again."""
    try:
        # A wrong try is to be counted, so that nothing is raised for it in here.
        with door.at_work() as (session, by, at):
            old, new = door.field("old_password"), door.field("password")
            answer = own_password.change(session, old, new, stay=door.stay, by=by, at=at)
    except NotAcceptable as refused:
        return _password_form(door, 422, *refused.fields)
    if answer is not Answer.GO_ON:
        return _password_form(door, *_NOT_CHANGED[answer])
    return door.go("/you", "password-changed")


@router.get(AUTHENTICATOR)
def authenticator_page(door: AtDoor) -> Response:
    """The key for an authenticator app."""
    return _authenticator_form(door)


@router.post(AUTHENTICATOR)
def set_up_authenticator(door: AtDoor) -> Response:
    """From now on this person's codes are their app's."""
    try:
        with door.at_work() as (session, by, at):
            kept = drafts.find(session, _AUTHENTICATOR_DRAFT, "", by.id)
            secret = kept.content["secret"] if kept else pyotp.random_base32()
            accounts.use_authenticator(session, secret, door.field("code"), by=by, at=at)
            drafts.discard(session, _AUTHENTICATOR_DRAFT, "", by=by, at=at)
    except NotAcceptable as refused:
        return _authenticator_form(door, 422, *refused.fields)
    return door.go("/you", "authenticator")


def come_in(step: Step, back: str) -> Response:
    """In, with the session that a step opened: to the form that was kept for this person, or to the page `back`."""
    with unit_of_work() as session:
        at = sessions.real_now(session)
        known = signin.known_browser(session, step.account_id, at=at)
        is_kept = kept_forms.find(session, step.account_id, at=at) is not None
    response = RedirectResponse(KEPT if is_kept else back or "/", 303)
    cookies.take_back(response, cookies.VISIT)
    cookies.give(response, cookies.SESSION, step.token)
    cookies.give(response, cookies.KNOWN, known, days=signin.KNOWN_BROWSER.days)
    return response


def to_code(token: str, back: str) -> Response:
    """On to the one-time code, with the token that the browser keeps until then."""
    response = RedirectResponse(f"/sign-in/code{_query(back)}", 303)
    cookies.give(response, cookies.VISIT, token)
    return response


def sign_in_form(door: Door, status: int = 200, *errors: FieldError) -> Response:
    """The sign-in page, with what is wrong."""
    shown = Form({"email": door.field("email")}, errors)
    return _for_visitor(
        door, "sign_in.html", status, cookies.fresh(), form=shown, next=next_page(door), done=door.done,
        provider=provider.button(),
    )  # fmt: skip


def _code_form(door: Door, status: int = 200, *errors: FieldError) -> Response:
    visit = cookies.read(door.request, cookies.VISIT)
    with unit_of_work() as session:
        asked = signin.second_step(session, visit, at=sessions.real_now(session))
    if asked is None:
        return RedirectResponse("/sign-in", 303)
    shown = Form({}, errors)
    return _for_visitor(door, "code.html", status, visit, form=shown, next=next_page(door), asked=asked)


def _invitation_form(door: Door, token: str, status: int = 200, *errors: FieldError) -> Response:
    with unit_of_work() as session:
        account = accounts.invited(session, token)
        email = account.email if account else None
    if email is None:
        return page("invitation_over.html", 404)
    shown = Form({}, errors)
    return _for_visitor(door, "invitation.html", status, cookies.fresh(), form=shown, email=email, token=token)


def _authenticator_form(door: Door, status: int = 200, *errors: FieldError) -> Response:
    with door.at_work() as (session, by, at):
        kept = drafts.find(session, _AUTHENTICATOR_DRAFT, "", by.id)
        secret = kept.content["secret"] if kept else pyotp.random_base32()
        if kept is None:
            drafts.save(session, _AUTHENTICATOR_DRAFT, "", {"secret": secret}, by=by, at=at)
        account = session.get(Account, by.id)
        name = account.email if account else by.id
    link = pyotp.TOTP(secret).provisioning_uri(name=name or by.id, issuer_name=current_profile().wording.hub_name)
    return door.page("authenticator.html", status, form=Form({}, errors), secret=secret, link=link)


def _password_form(door: Door, status: int = 200, *errors: FieldError) -> Response:
    with door.at_work() as (session, by, _):
        account = session.get(Account, by.id)
        email, has_password = (account.email, account.password_hash is not None) if account else (None, False)
    return door.page("your_password.html", status, form=Form({}, errors), email=email or "", has_password=has_password)


def _for_visitor(door: Door, template: str, status: int, visit: str, **context: Any) -> Response:
    """A page for a browser that nobody is signed in with: its forms are bound to the cookie that it is given."""
    response = page(template, status, form_token=cookies.form_token(visit), **context)
    cookies.give(response, cookies.VISIT, visit)
    return response


def next_page(door: Door) -> str:
    """The page to come back to: one of our own, or none."""
    asked = door.field("next") or door.request.query_params.get("next", "")
    return asked if _OWN_PATH.fullmatch(asked) else ""


def _query(back: str) -> str:
    return f"?next={back}" if back else ""
