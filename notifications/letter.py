"""An e-mail through Apprise's own plugin, with a Message-ID that stays the same and an outcome that is known.

Apprise gives every attempt a fresh Message-ID and answers only True or False. A repeated letter must be recognisable as
one (INV7), and "refused" must not be tried for ever while "perhaps delivered" must be told apart (reliability §0.6).
"""

from __future__ import annotations

import smtplib
import ssl
from email import message_from_string
from email.errors import MessageError
from enum import StrEnum
from functools import cache
from typing import Any

from apprise.plugins.email.base import NotifyEmail
from apprise.plugins.email.common import SecureMailMode

#: Seconds without a word from the mail server after which an attempt is given up.
PATIENCE = 12


class Outcome(StrEnum):
    """What is known of one attempt."""

    SENT = "SENT"
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    UNKNOWN = "UNKNOWN"


@cache
def _tls() -> ssl.SSLContext:
    """Reading the machine's certificates takes longer than a letter does."""
    return ssl.create_default_context()


class Letter(NotifyEmail):  # type: ignore[no-untyped-call]
    """Apprise's e-mail plugin, for exactly one recipient."""

    recipient: str
    message_id: str
    outcome = Outcome.NOT_SENT

    def address_to(self, recipient: str, message_id: str) -> None:
        """Set the one recipient. Not through the URL, where an address could bring others with it."""
        self.targets, self.cc, self.bcc = [(False, recipient)], set(), set()
        self.recipient, self.message_id = recipient, message_id

    def send(self, body: str, title: str = "", notify_type: Any = None, attach: Any = None, **kwargs: Any) -> bool:
        """Hand the letter to the mail server once, and keep what is known of it in `outcome`."""
        try:
            letter = self._letter(title, body)
        except (MessageError, ValueError):
            # Such as a line break in a subject: no attempt will ever do better.
            self.outcome = Outcome.REFUSED
            return False
        try:
            with self._server() as server:
                self.outcome = Outcome.UNKNOWN
                server.sendmail(str(self.from_addr[1]), [self.recipient], letter)
                self.outcome = Outcome.SENT
        except smtplib.SMTPRecipientsRefused as refusal:
            codes = [code for code, _ in refusal.recipients.values()]
            self.outcome = Outcome.REFUSED if min(codes) >= 500 else Outcome.NOT_SENT
        except (smtplib.SMTPResponseException, smtplib.SMTPNotSupportedError):
            # The server answered, and the answer was no: nothing was taken.
            if self.outcome is not Outcome.SENT:
                self.outcome = Outcome.NOT_SENT
        except (OSError, smtplib.SMTPException):
            # Silence in the middle of a letter (or a goodbye that failed after one): the outcome stands as it is.
            pass
        return self.outcome is Outcome.SENT

    def _server(self) -> smtplib.SMTP:
        if self.secure_mode == SecureMailMode.SSL:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.smtp_host, int(self.port or 0), timeout=PATIENCE, context=_tls()
            )
        else:
            server = smtplib.SMTP(self.smtp_host, int(self.port or 0), timeout=PATIENCE)
            if self.secure_mode == SecureMailMode.STARTTLS:
                server.starttls(context=_tls())
        if self.user and self.password:
            server.login(self.user, self.password)
        return server

    def _letter(self, title: str, body: str) -> str:
        [prepared] = self.prepare_emails(
            subject=title,
            body=body,
            from_addr=self.from_addr,
            to=self.targets,
            smtp_host=self.smtp_host,
            notify_format="text",
            headers={"Auto-Submitted": "auto-generated"},
        )
        letter = message_from_string(prepared.body)
        letter.replace_header("Message-ID", self.message_id)
        return letter.as_string()
