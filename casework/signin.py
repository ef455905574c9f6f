"""Signing in: the password, then a one-time code from one's own mailbox or authenticator (R46).

Nothing here raises for a wrong guess: the count of tries must outlive it, so the transaction must not be undone. All
times are real time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import pyotp
import sqlalchemy as sa
from sqlmodel import Session, col, select

from casework import passwords, sessions, throttle
from casework.notices import say_privately
from casework.throttle import Limit
from models.account import Account
from models.keyed import digest_of, keyed_digest
from models.signin import SignIn
from notifications.account_letters import AccountLetter

CODE_LIFE = timedelta(minutes=10)
WHOLE = timedelta(minutes=30)
PAUSE = timedelta(seconds=30)
DIGITS = 6
TRIES = 5
#: After so many wrong codes in a row only an administrator's new invitation opens the account (NIST SP 800-63B).
MOST_WRONG = 100
KNOWN_BROWSER = timedelta(days=90)

_QUARTER = timedelta(minutes=15)
FROM_ONE_PLACE = Limit("place", 100, _QUARTER)
PASSWORDS = Limit("password", 10, _QUARTER)
#: A browser that signed in before is counted apart, so that nobody can lock somebody else out.
PASSWORDS_AT_HOME = Limit("password-known-browser", 10, _QUARTER)
CODES_TRIED = Limit("code-tried", 10, _QUARTER)
CODES_SENT = Limit("code-sent", 5, timedelta(minutes=30))


class Answer(Enum):
    """How a step went."""

    GO_ON = "go on"
    WRONG = "wrong"
    TOO_MANY = "too many"
    TOO_SOON = "too soon"
    START_AGAIN = "start again"


@dataclass(frozen=True)
class SecondStep:
    """What a browser at its second step is asked for. `is_sent`: a code is in the mailbox, or on its way there."""

    authenticator: bool
    is_sent: bool


@dataclass(frozen=True)
class Step:
    """A step's answer, and for GO_ON the token that the browser now keeps; `account_id` once it is signed in."""

    answer: Answer
    token: str = ""
    account_id: str = ""


def email_digest(address: str) -> str:
    """What an account is found by: the keyed digest of its address, however it is capitalised."""
    return keyed_digest("email", address.strip().lower())


def begin(session: Session, address: str, password: str, *, place: str, known: str, at: datetime) -> Step:
    """The first step: an address and its password. The same answer for an account that does not exist.

    `place` is the network address of the browser's connection; `known` the token of a browser that signed in before.
    """
    found = email_digest(address)
    at_home = is_known_browser(known, found, at=at)
    limit = PASSWORDS_AT_HOME if at_home else PASSWORDS
    within = [throttle.allowed(session, FROM_ONE_PLACE, place, at=at) or at_home]
    within.append(throttle.allowed(session, limit, found, at=at))
    account = session.exec(select(Account).where(Account.email_digest == found)).first()
    right = passwords.is_right(account.password_hash if account else None, password)
    if not all(within):
        return Step(Answer.TOO_MANY)
    if not right or account is None or not may_sign_in(account):
        return Step(Answer.WRONG)
    throttle.forget(session, limit, found)
    browser = secrets.token_urlsafe(32)
    open_attempt(session, account, browser, at=at)
    return Step(Answer.GO_ON, browser)


def open_attempt(session: Session, account: Account, browser: str, *, at: datetime) -> None:
    """Ask a browser for its second factor, and send a code to whoever has no authenticator."""
    digest = digest_of(browser)
    attempt = session.exec(select(SignIn).where(SignIn.browser_digest == digest).with_for_update()).first()
    attempt = attempt or SignIn(account_id=account.id, browser_digest=digest, started_at=at)
    attempt.started_at, attempt.ended_at, attempt.tries = at, None, 0
    attempt.code_digest = attempt.code_sent_at = None
    session.add(attempt)
    _send_code(session, attempt, account, at)


def send_again(session: Session, browser: str, *, at: datetime) -> Answer:
    """Another code, after a pause; the one before is dead from now on."""
    attempt, account = _attempt(session, browser, at)
    if attempt is None or account is None:
        return Answer.START_AGAIN
    if attempt.code_sent_at is not None and at < attempt.code_sent_at + PAUSE:
        return Answer.TOO_SOON
    return Answer.GO_ON if _send_code(session, attempt, account, at) else Answer.TOO_MANY


def second_step(session: Session, browser: str, *, at: datetime) -> SecondStep | None:
    """What the second step asks for; None when this browser is at no second step."""
    attempt, account = _attempt(session, browser, at)
    if attempt is None or account is None:
        return None
    is_sent = attempt.code_sent_at is not None and at < attempt.code_sent_at + CODE_LIFE
    return SecondStep(account.totp_secret is not None, is_sent)


def finish(session: Session, browser: str, code: str, *, at: datetime) -> Step:
    """The second step: the code, and the session that it opens."""
    answer, account = check_code(session, browser, code, at=at)
    if account is None:
        return Step(answer)
    return Step(Answer.GO_ON, sessions.open_session(session, account, at=at), account.id)


def check_code(session: Session, browser: str, code: str, *, at: datetime) -> tuple[Answer, Account | None]:
    """Whether a code is the one that this browser was asked for; with GO_ON, whose it is.

    Evaluates at most five for each one sent, and ten in a quarter of an hour.
    """
    attempt, account = _attempt(session, browser, at)
    if attempt is None or account is None:
        return Answer.START_AGAIN, None
    if attempt.tries >= TRIES or not throttle.allowed(session, CODES_TRIED, account.id, at=at):
        return Answer.TOO_MANY, None
    attempt.tries += 1
    session.add_all([attempt, account])
    typed = "".join(code.split())
    right = _is_totp(account, typed, at) if account.totp_secret else _is_code(attempt, typed, at)
    if not right:
        account.wrong_codes += 1
        return Answer.WRONG, None
    attempt.ended_at, account.wrong_codes = at, 0
    return Answer.GO_ON, account


def known_browser(session: Session, account_id: str, *, at: datetime) -> str:
    """A token by which this browser is known as one that this account signed in from."""
    account = session.get(Account, account_id)
    until = int((at + KNOWN_BROWSER).timestamp())
    digest = account.email_digest if account else ""
    return f"{until}.{keyed_digest('known-browser', f'{until}/{digest}')}"


def is_known_browser(token: str, digest: str, *, at: datetime) -> bool:
    """Whether an account with this address digest signed in from this browser within the last 90 days."""
    until, _, proof = token.partition(".")
    if not (until.isascii() and until.isdigit() and len(until) < 12) or int(until) < at.timestamp():
        return False
    return hmac.compare_digest(proof.encode(), keyed_digest("known-browser", f"{until}/{digest}").encode())


def end_attempts(session: Session, account_id: str, *, at: datetime) -> None:
    """The half-done sign-ins of an account go no further."""
    session.execute(
        sa.update(SignIn)
        .where(col(SignIn.account_id) == account_id, col(SignIn.ended_at).is_(None))
        .values(ended_at=at)
    )


def may_sign_in(account: Account) -> bool:
    """Whether this account is a person's, in use, and not shut after too many wrong codes."""
    return account.disabled_at is None and account.is_person and account.wrong_codes < MOST_WRONG


def _send_code(session: Session, attempt: SignIn, account: Account, at: datetime) -> bool:
    if account.totp_secret is not None or not throttle.allowed(session, CODES_SENT, account.id, at=at):
        return False
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    attempt.code_salt = secrets.token_hex(16)
    attempt.code_digest = keyed_digest(f"code/{attempt.code_salt}", code)
    attempt.code_sent_at, attempt.tries = at, 0
    attempt.codes_sent += 1
    session.add(attempt)
    say_privately(session, AccountLetter.SIGN_IN_CODE, account.id, code, at=at, expires_at=at + CODE_LIFE)
    return True


def _attempt(session: Session, browser: str, at: datetime) -> tuple[SignIn | None, Account | None]:
    """The sign-in that this browser is in the middle of, locked: two guesses at one moment are two tries."""
    query = select(SignIn).where(SignIn.browser_digest == digest_of(browser)).with_for_update()
    attempt = session.exec(query).first()
    if attempt is None or attempt.ended_at is not None or at >= attempt.started_at + WHOLE:
        return None, None
    account = session.exec(select(Account).where(col(Account.id) == attempt.account_id).with_for_update()).one()
    return (attempt, account) if may_sign_in(account) else (None, None)


def _is_code(attempt: SignIn, typed: str, at: datetime) -> bool:
    if attempt.code_digest is None or attempt.code_sent_at is None or at >= attempt.code_sent_at + CODE_LIFE:
        return False
    return hmac.compare_digest(attempt.code_digest, keyed_digest(f"code/{attempt.code_salt}", typed))


def _is_totp(account: Account, typed: str, at: datetime) -> bool:
    """An authenticator's code of now or of the half minute before, and never one of a step used before."""
    step = matching_step(account.totp_secret or "", typed, at)
    if step is None or (account.totp_last_step is not None and step <= account.totp_last_step):
        return False
    account.totp_last_step = step
    return True


def matching_step(secret: str, typed: str, at: datetime) -> int | None:
    """The half minute whose code this is, when it is the one at `at` or a neighbour."""
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // totp.interval
    return next(
        (
            step
            for step in (now, now - 1, now + 1)
            if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode())
        ),
        None,
    )
