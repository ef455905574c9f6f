"""A few threads that speak to the engine side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from typing import Self, TypeVar

from prefect.client.orchestration import get_client

from engine.runs import Runs

T = TypeVar("T")
R = TypeVar("R")


class Callers:
    """So many threads, each with a client of its own, for as long as it is open.

    Sharing one client, they would each ask for its CSRF token, and be refused with each other's.
    """

    def __init__(self, how_many: int) -> None:
        # A thread does not inherit its maker's context, in which Prefect keeps the settings.
        self._contexts = [copy_context() for _ in range(how_many)]
        self._own = threading.local()
        self._opened = ExitStack()
        self._pool = ThreadPoolExecutor(how_many, thread_name_prefix="engine", initializer=self._begin)

    def each(self, act: Callable[[Runs, T], R], things: Iterable[T]) -> list[R]:
        """Do one act for each thing, a few at a time; what came of it, in the order given."""
        return list(self._pool.map(lambda thing: self._own.context.run(act, self._own.runs, thing), things))

    def close(self) -> None:
        """Let the threads end, and their connections."""
        self._pool.shutdown()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        self._own.context = self._contexts.pop()
        self._own.runs = self._own.context.run(self._open)

    def _open(self) -> Runs:
        return Runs(self._opened.enter_context(get_client(sync_client=True)))
