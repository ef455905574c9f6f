"""Whom letters reach: whoever is meant when they leave, nobody else, and nobody is silently left out (S-25).

`MASH_RECIPIENTS=2000 pytest tests/casework/test_recipients.py` tries as many as reliability.md asks for.
"""

from __future__ import annotations

import os
from collections import Counter
from random import Random

from sqlmodel import Session

from casework import accounts, signin
from casework.notices import MASH_ALARM, deliver_due, say, to_account, to_agency
from casework.register import current_profile
from models.account import Account
from notifications.messages import MessageName
from rules.permissions import Actor, Role
from tests.casework.factory import ADMINISTRATOR, FOR_A_CHILD, account_of, act, london, refer
from tests.notifications.post import Postman
from tests.notifications.test_channels import PERFIDIOUS
from tests.record import Record

CASES = int(os.environ.get("MASH_RECIPIENTS", "40"))
T0 = london("Mon 16 Mar 2026 12:00")
FATES = ("stays", "moves", "leaves", "looks like another", "is no mailbox", "is a body", "is a body that was merged")
#: Letters that a tired reader takes for one another.
ALIKE = {"l": "1", "o": "0", "m": "rn"}


def _somebody(session: Session, name: str, address: str) -> Account:
    account = account_of(Actor(name, Role.MASH_SUPPORT, is_person=True), T0)
    # Past every check of an address, as an import or an older release might have put it there.
    account.email, account.email_digest = address, signin.email_digest(f"{name}: {address}")
    session.add(account)
    return account


def _case(session: Session, number: int, chance: Random, reference: str) -> tuple[str, str | None]:
    """A letter waits; then something changes. To whom it is, and where it is to arrive, if anywhere."""
    fate, name = chance.choice(FATES), f"colleague-{number}"
    address, to, meant = f"{name}@people.example", to_account(name), f"{name}@people.example"
    if fate == "is a body":
        agency = chance.choice(FOR_A_CHILD)
        to, meant = to_agency(agency), current_profile().agency(agency).notify.primary
    elif fate == "is a body that was merged":
        to = to_agency(f"MERGED_{number}")
    else:
        account = _somebody(session, name, chance.choice(PERFIDIOUS) if fate == "is no mailbox" else address)
    say(session, MessageName.DECISION_WANTED, to, at=T0, reference=reference, occasion=str(number))
    if fate == "moves":
        meant = f"new-{address}"
        account.email, account.email_digest = meant, signin.email_digest(meant)
    elif fate == "looks like another":
        plain = chance.choice(sorted(ALIKE))
        _somebody(session, f"other-{number}", address.replace(plain, ALIKE[plain]))
    elif fate == "leaves":
        session.flush()
        accounts.disable(session, name, by=ADMINISTRATOR, at=T0)
    return to, meant if fate in ("stays", "moves", "looks like another", "is a body") else None


def test_letters_reach_those_who_are_meant_and_whoever_cannot_be_reached_is_told_of(record: Record, postman: Postman):
    """S-25, INV8: 0 extra, 0 silently missing"""
    reference, chance = refer(), Random(25)
    cases = [act(_case, number, chance, reference) for number in range(CASES)]
    while deliver_due(T0, limit=50):
        pass
    lost = [to for to, meant in cases if meant is None]
    wanted = Counter(meant for _, meant in cases if meant) + Counter({_alarm(): len(lost)})
    arrived = Counter(address for each in postman.envelopes for address in each.rcpt_tos)
    assert (arrived - wanted, wanted - arrived) == (Counter(), Counter())
    assert Counter(str(letter["To"]) for letter in postman.letters) - wanted == Counter()
    undelivered = Counter(to for [to] in record.ask("SELECT recipient FROM notice WHERE status = 'UNDELIVERED'"))
    assert (undelivered - Counter(lost), Counter(lost) - undelivered) == (Counter(), Counter())
    assert len(postman.letters) == CASES
    assert 0 < len(lost) < CASES


def _alarm() -> str:
    return current_profile().contact(MASH_ALARM, T0.date()).primary
