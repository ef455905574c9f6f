"""What is written to operations staff when something is wrong with the hub: a sentence and a place in the run-books.

Apart from `messages`, since these are about no referral and lead to no page of the portal.
"""

from __future__ import annotations

from notifications.messages import Text
from rules.alarms import KINDS, Alarm


def write(alarm: Alarm, *, hub: str) -> Text:
    """Put an alarm into words. Nothing in it is of any case."""
    says = KINDS[alarm].says
    return Text(
        subject=f"{hub}: {alarm}",
        body=f"{says}\n\nWhat to do: {alarm.run_book}\nWhat stands now: mash engine status\n\n"
        "This mailbox is not read. It never holds names or details.\n",
    )
