"""The one door out of the hub: a text, to one recipient, through Apprise."""

from __future__ import annotations

import os
import re

import apprise
from email_validator import EmailNotValidError, validate_email

from notifications.letter import Letter, Outcome
from notifications.messages import Text
from rules.errors import Misconfigured

#: Apprise speaks to more than a hundred services; each one more is a way out for data (reliability §4.8).
SCHEMES = frozenset({"mailto", "mailtos", "workflows", "msteams"})

#: Stricter than the standard: no quotes, comments, commas, ampersands or line breaks (reliability §0.6).
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+'-]{1,64}@[A-Za-z0-9.-]{1,190}")


def check_address(address: str) -> str:
    """An e-mail address that can mean one mailbox only. Raises Misconfigured, without repeating the address."""
    if not _PLAIN_ADDRESS.fullmatch(address):
        raise Misconfigured("a notification address is not a plain e-mail address")
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise Misconfigured("a notification address is not an e-mail address") from None


def send(text: Text, *, to: str, message_id: str, mail_url: str | None) -> Outcome:
    """Send one text to one recipient and say what is known of it.

    `to` is an e-mail address, sent through the SMTP server at `mail_url`, or `env:NAME`, an environment variable that
    holds an Apprise URL of an allowed scheme. Raises Misconfigured for anything else.
    """
    if to.startswith("env:"):
        return _send_by_url(text, os.environ.get(to.removeprefix("env:")))
    letter = _open_letter(mail_url)
    letter.address_to(check_address(to), message_id)
    letter.send(body=text.body, title=text.subject)
    return letter.outcome


def _open_letter(mail_url: str | None) -> Letter:
    if not mail_url:
        raise Misconfigured("MASH_MAIL_URL is not set: give the SMTP server as mailto://host:port?from=…")
    ours = mail_url.split("://")[0] in {"mailto", "mailtos"}
    parsed = Letter.parse_url(mail_url) if ours else None  # type: ignore[no-untyped-call]
    if not parsed:
        raise Misconfigured("MASH_MAIL_URL is not a mailto:// or mailtos:// URL that Apprise understands")
    return Letter(**parsed)  # type: ignore[no-untyped-call]


def _send_by_url(text: Text, url: str | None) -> Outcome:
    if not url or url.split("://")[0] not in SCHEMES:
        raise Misconfigured(f"a second channel needs an Apprise URL of one of {', '.join(sorted(SCHEMES))}")
    service = apprise.Apprise()
    if not service.add(url):
        raise Misconfigured("a second channel's URL is not one that Apprise understands")
    sent = service.notify(title=text.subject, body=text.body, body_format=apprise.NotifyFormat.TEXT)
    return Outcome.SENT if sent else Outcome.UNKNOWN
