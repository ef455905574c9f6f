"""The main job: one run for each referral, from a duty team's question to its acknowledgement of the outcome."""

from __future__ import annotations

from typing import Any

from prefect import flow, unmapped
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from casework.db import holding
from casework.facts import checks_settled, gate_passed, hub_open, outcome_acknowledged, threshold_decided
from flows.waiting import wait_until
from rules.stages import Stage
from tasks import steps

#: To ask an agency is to write to the referral, one at a time: more at once would hold a connection each, and wait.
FEW_AT_ONCE: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)


@flow(name="referral", flow_run_name="{reference}", task_runner=FEW_AT_ONCE, persist_result=False, log_prints=False)
def triage_referral(reference: str) -> None:
    """Carry one referral from its receipt to its end.

    Every line may run again after each wait: each looks at the record first, and does only what is not done yet.
    """
    with holding(reference):
        wait_until(hub_open, reference)
        screen(reference)
        wait_until(gate_passed, reference)
        ask_agencies(reference)
        wait_until(checks_settled, reference)
        join_returns(reference)
        wait_until(threshold_decided, reference)
        hand_back(reference)
        wait_until(outcome_acknowledged, reference)
        close(reference)


def screen(reference: str) -> None:
    """Send back at once what is not for the MASH."""
    if steps.stage_of(reference) in (Stage.RECEIVED, Stage.QUEUED_OUT_OF_HOURS):
        steps.screen(reference)


def ask_agencies(reference: str) -> None:
    """Ask every agency whose scope fits, all at once."""
    if agencies := steps.agencies_to_ask(reference):
        steps.ask.map(unmapped(reference), agencies).result()


def join_returns(reference: str) -> None:
    """Join what came back into one template, and ask for a decision on it."""
    if steps.stage_of(reference) is Stage.CHECKING:
        steps.collate(reference)
        steps.request_decision(reference)


def hand_back(reference: str) -> None:
    """Tell each duty team what was decided for its own subjects; where something in it may not leave, decide anew."""
    while steps.stage_of(reference) is Stage.HANDING_BACK:
        steps.hand_back(reference)
        wait_until(threshold_decided, reference)


def close(reference: str) -> None:
    """Every duty team knows: the referral is over."""
    if steps.stage_of(reference) is Stage.AWAITING_ACK:
        steps.close(reference)
