"""People at their browsers: they sign in as everybody does, and send the forms that the pages hold."""

from __future__ import annotations

import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from sqlmodel import select, update

from casework import accounts
from casework.db import now, unit_of_work
from casework.sessions import open_session, real_now
from models.account import Account, ApiToken
from models.keyed import digest_of
from models.outbox import Notice
from models.signin import PortalSession, Throttle
from notifications.account_letters import AccountLetter
from portal import cookies
from rules.permissions import Actor, Role

PASSWORD = "harbour violet tram ladder"
HTML = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


def address_of(account_id: str) -> str:
    """The mailbox of a test's account."""
    return f"{account_id.lower().replace('_', '-')}@people.example"


def newest_secret(letter: AccountLetter) -> str:
    """What the newest letter of a kind holds, before it is sent."""
    with unit_of_work() as session:
        query = select(Notice).where(Notice.message == letter).order_by(Notice.written_at.desc())  # type: ignore[attr-defined]
        found = session.exec(query).first()
        assert found is not None
        return found.secret or ""


def let_in(account_id: str, password: str = PASSWORD) -> None:
    """Give an account an address and a password, as its invitation would."""
    with unit_of_work() as session:
        # The tests before may have used up what an account is allowed in half an hour.
        session.execute(update(Throttle).values(tries=0))
        account = session.get(Account, account_id)
        assert account is not None
        accounts.give_address(session, account, address_of(account_id), f"Person {account_id}")
        session.flush()
        path = accounts.send_invitation(session, account_id, by=Actor("HUB", Role.HUB), at=now(session))
        accounts.accept_invitation(session, path.rpartition("/")[2], password, at=real_now(session))


def prove(*tokens: str, ago: timedelta = timedelta()) -> None:
    """The second factor was given with these tokens just now, or a while ago."""
    with unit_of_work() as session:
        proven_at = real_now(session) - ago
        for table in (ApiToken, PortalSession):
            digests = [digest_of(token) for token in tokens]
            session.execute(update(table).where(table.digest.in_(digests)).values(proven_at=proven_at))  # type: ignore[attr-defined]


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"] or ""] = given.get("value") or ""


class Person:
    """One person with a browser of their own."""

    def __init__(self, client: Any, account_id: str) -> None:
        self.client, self.account_id = client, account_id
        client.cookies.clear()
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Any:
        """Open a page, without following where it leads."""
        return self._ask("GET", path, headers=HTML | headers)

    def send(self, path: str, form: dict[str, Any] | None = None, page: str | None = None, **headers: str) -> Any:
        """Send a form from a page of its own, with what the page hides in it."""
        hidden = self.hidden(page or path)
        return self._ask("POST", path, data={**hidden, **(form or {})}, headers=HTML | headers)

    def post(self, path: str, form: dict[str, Any] | None = None, **headers: str) -> Any:
        """Send a form with this browser's own token, whichever page it stands on."""
        stay = self.cookies.get(cookies.name_of(cookies.SESSION), "")
        fields = {cookies.FORM_FIELD: cookies.form_token(stay), **(form or {})}
        return self._ask("POST", path, data=fields, headers=HTML | headers)

    def hidden(self, page: str) -> dict[str, str]:
        """What a page's forms hide."""
        return self.hidden_in(self.get(page).text)

    @staticmethod
    def hidden_in(text: str) -> dict[str, str]:
        """The same of a page that is open already."""
        fields = _Fields()
        fields.feed(text)
        return {name: fields.hidden[name] for name in fields.hidden if name != "username"}

    def sign_in(self, password: str = PASSWORD) -> Any:
        """Both steps."""
        first = self.send("/sign-in", {"email": address_of(self.account_id), "password": password})
        assert first.headers.get("location", "").startswith("/sign-in/code"), first.text
        return self.send("/sign-in/code", {"code": newest_secret(AccountLetter.SIGN_IN_CODE)})

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        self.client.cookies.clear()
        for name, value in self.cookies.items():
            self.client.cookies.set(name, value)
        answer = self.client.request(method, path, follow_redirects=False, **options)
        for header in answer.headers.get_list("set-cookie"):
            name, _, value = header.partition(";")[0].partition("=")
            if re.search(r"max-age=0", header, re.IGNORECASE):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self.client.cookies.clear()
        return answer


def at_their_desk(client: Any, account_id: str) -> Person:
    """A person whose session is open already."""
    with unit_of_work() as session:
        account = session.get(Account, account_id)
        assert account is not None
        if account.role is Role.ACCOUNT_ADMIN:
            account.totp_secret = "A" * 32
        token = open_session(session, account, at=real_now(session))
    person = Person(client, account_id)
    person.cookies[cookies.name_of(cookies.SESSION)] = token
    return person


def signed_in(client: Any, account_id: str) -> Person:
    """A person who has signed in."""
    let_in(account_id)
    person = Person(client, account_id)
    answer = person.sign_in()
    assert answer.status_code == 303, answer.text
    return person
