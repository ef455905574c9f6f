"""How a referral waits: suspended, holding no process, no thread and no connection (architecture §2)."""

from __future__ import annotations

from uuid import uuid4

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import Pause
from prefect.states import Suspended
from prefect.utilities.engine import propose_state_sync

from casework.facts import Fact, Waiting
from tasks import steps


def wait_until(fact: Fact, reference: str) -> None:
    """Go on when the record says that the fact is so; until then, suspend this run.

    A resumed run starts again from its first line, comes here again, and asks the record again: what woke it is never
    taken for the fact itself. No time-out is ever given: in the engine that would mean FAILED (reliability §0.3).
    """
    while waiting := steps.what_is_missing(fact, reference):
        suspend(waiting, reference)


def suspend(waiting: Waiting, reference: str) -> None:
    """Suspend the current run under a fresh key, showing operators why it waits.

    Does what Prefect's own suspend_flow_run does, but the state carries the reason. Raises Pause, Prefect's signal to
    leave the process; returns only if the engine says that the run is to go on.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("only a run can wait")
    # A key that this run has used before would not suspend it again, but let it walk past the human decision.
    proposed: State[None] = Suspended(pause_key=uuid4().hex, message=waiting.why)
    proposed.name = waiting.name
    with get_client(sync_client=True) as client:
        state = propose_state_sync(client, proposed, flow_run_id=context.flow_run.id)
    if state.is_paused():
        steps.come_to_rest(reference)
        raise Pause(state=state)
