"""What each figure means: the record's own comments on its views, and docs/reports.md made of them."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import OID
from sqlmodel import Session

_CLASS = sa.table("pg_class", sa.column("oid"), sa.column("relname"), sa.column("relkind"), sa.column("relnamespace"))
_SCHEMA = sa.table("pg_namespace", sa.column("oid"), sa.column("nspname"))
_COLUMN = sa.table(
    "pg_attribute", sa.column("attrelid"), sa.column("attname"), sa.column("attnum"), sa.column("atttypid")
)


def definitions(session: Session, only: str | None = None) -> Mapping[str, Mapping[str, str]]:
    """Each view's columns, or those of one, with what they mean, in order; under "" what the view itself is."""
    found: dict[str, dict[str, str]] = {}
    for view, column, words, _ in _comments(session, only):
        found.setdefault(view, {})[column] = words
    return found


def definition(session: Session, view: str, column: str = "") -> str:
    """What a column means, or a view is, in a sentence. Raises KeyError for one that is not there."""
    return definitions(session, view)[view][column]


def page(session: Session) -> str:
    """docs/reports.md, in Markdown."""
    parts, rows = [_HEAD], _comments(session)
    for view, column, words, kind in rows:
        if column:
            parts.append(f"| `{column}` | {kind} | {words} |")
        else:
            parts.append(f"\n## reports.{view}\n\n{words}\n\n| column | type | meaning |\n|---|---|---|")
    return "\n".join(parts) + "\n"


def _comments(session: Session, only: str | None = None) -> list[tuple[str, str, str, str]]:
    """View, column, words and type; a view's own row, without a column, comes first. Views without words are inner."""
    about = sa.func.obj_description(_CLASS.c.oid, "pg_class")
    views = (
        sa.select(_CLASS.c.oid, _CLASS.c.relname, about.label("words"))
        .join(_SCHEMA, _SCHEMA.c.oid == _CLASS.c.relnamespace)
        .where(_SCHEMA.c.nspname == "reports", _CLASS.c.relkind == "v", about.is_not(None))
        .where(_CLASS.c.relname == only if only else sa.true())
        .subquery()
    )
    query = (
        sa.select(
            sa.cast(views.c.relname, sa.Text),
            sa.cast(_COLUMN.c.attname, sa.Text),
            sa.func.coalesce(sa.func.col_description(views.c.oid, _COLUMN.c.attnum), ""),
            sa.func.format_type(sa.cast(_COLUMN.c.atttypid, OID), sa.null()),
            views.c.words,
        )
        .join(_COLUMN, sa.and_(_COLUMN.c.attrelid == views.c.oid, _COLUMN.c.attnum > 0))
        .order_by(views.c.relname, _COLUMN.c.attnum)
    )
    told: list[tuple[str, str, str, str]] = []
    for view, column, words, kind, of_view in session.execute(query):
        if not told or told[-1][0] != view:
            told.append((view, "", of_view, ""))
        told.append((view, column, words, kind))
    return told


_HEAD = """\
# The figures: views of the schema `reports`

Made from the comments in the record itself by `mash reports describe`; a test fails when this page is stale. Every
figure on an analyst's page or in a board's pack is one of these columns, or a count of these rows.

Any tool that speaks to PostgreSQL can read them, as the role `mash_analyst`: `mash reports url` prints where, with its
password. That role reads these views and nothing else of the record, and writes nothing. A referral that is restricted
is counted everywhere, and its reference stands nowhere.

The figures are worked out from the record within a minute of each change, by the timekeeper (`mash reports rebuild`
works out all of them anew). So `state` and `breached` say what the clock has written down. Days and months are those of
the area's own time zone. Opening time is counted by the calendar of the profile under which a referral began; it is
empty for times more than ten years before, or two after, the years whose bank holidays that profile knows.

Of the figures by month, `counted` is `on_time` + `late` + `silent` + `declined`, `breach_rate` is `breached` /
`counted`, and the medians and ninth deciles are of `answer_minutes` and `answer_open_minutes` of `reports.checks`.

Beyond what each run of the tests tries, on 27 November 2026: of 10,000 generated clocks the due times recomputed from
the ledger are those that were stored, 679 of them over a leap day, 1,382 and 640 over a change of the clocks in spring
and in autumn, 1,292 over Easter, 961 over a Christmas at a weekend (`python -m tests.rules.test_clock_story`); and of
500 board packs with 63,292 suppressed figures, attacked by differencing their totals, 0 figures were recovered
(`python -m tests.reports.attacked_packs`). The two logs of what happened, XES and OCEL 2.0, of three referrals were
opened unchanged in pm4py 2.7.23 (`read_xes`, `read_ocel2_json`), which found every act, referral and agency check."""
