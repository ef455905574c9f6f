"""How often, and how soon again, a referral is brought back that no run carries (INV9, F2-F7). Pure."""

from __future__ import annotations

from datetime import timedelta

#: After the first tries, one by one: a single crash is mended at once, a burst of them cannot use up every try.
_FIRST = (timedelta(seconds=10), timedelta(seconds=30), timedelta(seconds=60))
#: Then, for the first hour: however long a storm lasts, what it hit goes on within INV9's two minutes of its end.
OFTEN = timedelta(seconds=90)
_OFTEN_UNTIL = 40
#: After that a person has been told for long, and what nobody mends must not eat the hub's time.
RARELY = timedelta(minutes=10)
#: Not in trouble for so long after it would have been tried again: the last try has mended it.
HELD = timedelta(minutes=10)


def pause_after(tries: int) -> timedelta:
    """How long a referral is left alone after its `tries`-th try in one trouble; nothing before the first."""
    if tries == 0:
        return timedelta()
    if tries <= len(_FIRST):
        return _FIRST[tries - 1]
    return OFTEN if tries < _OFTEN_UNTIL else RARELY


def is_time(tries: int, since: timedelta | None) -> bool:
    """Whether a referral in trouble is to be tried once more, `since` its last try; None when there was none.

    A try ahead of now is of a clock that was set back, and holds nothing up.
    """
    return since is None or not timedelta() <= since < pause_after(tries)


def has_held(tries: int, since: timedelta | None) -> bool:
    """Whether what is in trouble now was well in between: a new trouble, with all its tries before it."""
    return since is None or not timedelta() <= since < pause_after(tries) + HELD
