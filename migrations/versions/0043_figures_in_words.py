"""What a figure means is said in words on the pages that show it, and not by another column's name

Revision: 0043, after 0042
"""

from __future__ import annotations

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

VIEWS = ("by_agency", "by_all", "by_band", "by_side", "months")
#: Each column with what it means, and what was said of it before.
WORDS = {
    "counted": (
        "Returned on time or late, not answered when due, or declined: what a rate is a share of",
        "on_time + late + silent + declined: what a rate is a share of",
    ),
    "breach_rate": (
        "Breached, as a share of all that were returned on time or late, not answered when due, or declined; empty "
        "when there were none. Where it is no percentage: between 0 and 1, to four places",
        "breached / counted, between 0 and 1, to four places; empty when nothing counts",
    ),
    "median_minutes": (
        "The middle time from asked to answered of what was returned or declined, the shorter of two",
        "Median of answer_minutes of what was returned or declined: the middle answer, the earlier of two.",
    ),
    "p90_minutes": (
        "The shortest time from asked to answered that nine in ten of what was returned or declined did not exceed",
        "Ninth decile of answer_minutes: the fastest answer time that nine in ten do not exceed.",
    ),
    "median_open_minutes": (
        "The middle time from asked to answered of what was returned or declined, the shorter of two, counted while "
        "the office was open",
        "Median of answer_open_minutes.",
    ),
    "p90_open_minutes": (
        "The shortest time from asked to answered that nine in ten of what was returned or declined did not exceed, "
        "counted while the office was open",
        "Ninth decile of answer_open_minutes.",
    ),
}


def upgrade() -> None:
    _say(0)


def downgrade() -> None:
    _say(1)


def _say(which: int) -> None:
    for view in VIEWS:
        for column, words in WORDS.items():
            op.execute(f"COMMENT ON COLUMN reports.{view}.{column} IS '{words[which]}'")
