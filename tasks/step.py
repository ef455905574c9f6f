"""What every step has in common: one transaction, safe to repeat, and nothing personal in what it raises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from sqlmodel import Session

from casework.db import now, unit_of_work
from rules.errors import Refused, Unavailable

P = ParamSpec("P")
R = TypeVar("R")


class StepFailed(Exception):
    """A step of a referral's flow did not work. Holds a code and a reference: it is shown in the engine."""

    def __init__(self, code: str, reference: str) -> None:
        super().__init__(f"{code} at referral {reference}")
        self.code = code


def acting(verb: Callable[Concatenate[Session, str, P], R], reference: str, *args: P.args, **kwargs: P.kwargs) -> R:
    """Do one verb of casework in one transaction.

    Raises StepFailed alone: the text of an exception is a door for personal data into the engine (reliability §0.4),
    so what went wrong leaves here as the name of its kind. A refusal's own message holds references and codes only.
    """
    try:
        with unit_of_work() as session:
            return verb(session, reference, *args, **kwargs)
    except Refused as refusal:
        code = f"{type(refusal).__name__}: {refusal}"
    except Unavailable:
        # Also when the outcome is unknown: each step looks at the record first.
        code = Unavailable.__name__
    except Exception as error:
        code = type(error).__name__
    raise StepFailed(code, reference) from None


def acting_now(verb: Callable[..., R], reference: str, *args: Any) -> R:
    """As `acting`, for verbs that take the moment: `at` is the hub's time as the transaction begins."""

    @wraps(verb)
    def timed(session: Session, of: str) -> R:
        at: datetime = now(session)
        return verb(session, of, *args, at=at)

    return acting(timed, reference)


def _worth_another_try(_task: Any, _run: Any, state: Any) -> bool:
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, StepFailed) and failure.code == Unavailable.__name__


def step(name: str, run_name: str | None = None) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a function a step: tried again when something outside did not answer, never when the rules said no.

    Nothing is cached or persisted: the record says what is done. `run_name` may hold references and codes.
    """
    return task(
        name=name,
        task_run_name=run_name or name,
        cache_policy=NO_CACHE,
        persist_result=False,
        log_prints=False,
        retries=3,
        retry_delay_seconds=[1, 3, 10],
        retry_condition_fn=_worth_another_try,
    )
