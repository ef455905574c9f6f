"""How the engine stands, and what is held up, for an operator: references, stages and codes alone (R73)."""

from __future__ import annotations

from datetime import datetime, timedelta

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, func, select

from casework.alarms import standing
from casework.db import unit_of_work
from casework.hold_ups import HoldUp, hold_ups
from casework.post import held_since
from engine.runs import Runs
from models.referral import Referral
from rules.alarms import Alarm
from rules.errors import Unavailable
from rules.stages import Stage


class Standing(BaseModel):
    """What `mash engine status` says."""

    model_config = ConfigDict(frozen=True)

    open_referrals: int
    engine_answers: bool
    suspended_runs: int | None = Field(description="Null while the engine does not answer")
    runs_under_way: int | None
    hold_ups: list[HoldUp]
    post_held_since: datetime | None = Field(description="Real time; null while letters leave")
    alarms: dict[Alarm, datetime] = Field(description="Those that stood when a timekeeper last looked; real time")

    def in_words(self) -> str:
        """For a terminal, one line for each hold-up."""
        engine = (
            f"{self.suspended_runs} runs wait, {self.runs_under_way} are due or at work"
            if self.engine_answers
            else "the engine does not answer"
        )
        since = self.post_held_since
        return "\n".join(
            ([f"No letter leaves since {since:%d %b %Y %H:%M} UTC: see `mash post status`."] if since else [])
            + [f"{alarm} since {begun:%d %b %Y %H:%M} UTC: see {alarm.run_book}."
               for alarm, begun in self.alarms.items()]
            + [f"{self.open_referrals} referrals are open; {engine}; {len(self.hold_ups)} hold-ups."]
            + [f"{each.reference}  {each.stage:<20} {each.why:<20} {_ago(each.seconds)}  {each.waits_for}"
               for each in self.hold_ups]
        )  # fmt: skip


def look() -> Standing:
    """Ask the record, and the engine if it answers. Raises Unavailable when the record does not."""
    with unit_of_work() as session:
        still_open = session.exec(select(func.count()).where(col(Referral.stage) != Stage.CLOSED)).one()
        held_up, post_held, alarms = hold_ups(session), held_since(session), standing(session)
    suspended, under_way = _runs()
    return Standing(
        open_referrals=still_open,
        engine_answers=suspended is not None,
        suspended_runs=suspended,
        runs_under_way=under_way,
        hold_ups=held_up,
        post_held_since=post_held,
        alarms=alarms,
    )


def _runs() -> tuple[int | None, int | None]:
    try:
        with get_client(sync_client=True) as client:
            runs = Runs(client)
            return runs.count(StateType.PAUSED), runs.count(StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)
    except Unavailable:
        return None, None


def _ago(seconds: float) -> str:
    return f"for {timedelta(seconds=round(seconds))}"
