"""What the hub writes to one person about their own account: the hub's name, and a code or a link. Nothing else.

Apart from `messages`, since these are about no referral, and hold what must never stand anywhere but in this letter.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path

import jinja2

from notifications.messages import Text

TEMPLATES = Path(__file__).resolve().parent / "account_templates"


class AccountLetter(StrEnum):
    """One for each template."""

    SIGN_IN_CODE = "sign_in_code"
    INVITATION = "invitation"
    CONFIRM_COLLEAGUES = "confirm_colleagues"
    MANY_OPENED = "many_opened"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 -- the name of a template
    GLASS_BROKEN = "glass_broken"


def write(letter: AccountLetter, *, hub: str, secret: str, portal_url: str) -> Text:
    """Put a letter into words. `secret` is the one-time code, or the path of a link under `portal_url`."""
    words = _environment().get_template(f"{letter}.txt").render(hub=hub, secret=secret, portal_url=portal_url)
    subject, _, body = words.partition("\n\n")
    return Text(subject.strip(), body.strip() + "\n")


@cache
def _environment() -> jinja2.Environment:
    # Plain text; the channel escapes for HTML mail.
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701
        keep_trailing_newline=True,
    )
