"""How the processes of `make test` share the tests. Each starts servers of its own, on free ports, in new folders."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.ends import end_of

#: Where tests share the one hub of their process, which takes seconds to start.
ON_THE_HUB = (
    "tests/browser/", "tests/crash/", "tests/engine/test_cli.py", "tests/engine/test_whole_hub.py", "tests/flows/",
    "tests/scenarios/",
)  # fmt: skip
#: Where the tests of one engine are shared; and files among all these that start what they need themselves.
ON_THE_ENGINE = "tests/engine/"
ALONE = (
    "tests/browser/test_every_page.py",
    "tests/crash/test_unknown_outcome.py",
    "tests/engine/test_repair.py",
    "tests/engine/test_scale.py",
    "tests/engine/test_timekeeper.py",
)
#: What the three processes of `make test` begin with. Two of them wait a good deal, for clocks and for each other's
#: parts: one for the hub of most, one for whatever starts an engine of its own. The third asks the portal and the
#: record meanwhile, and the many short files fill the gaps that these leave.
FIRST = (
    "hub",
    "tests/engine/test_scale.py",
    "tests/portal/test_matrix.py",
    "tests/engine/test_repair.py",
    "tests/browser/test_every_page.py",
    "tests/portal/test_restricted.py",
    "tests/reports/test_packs.py",
    "engine",
    "tests/casework/test_evidence.py",
)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """A process of several has the tests of one group one after another; one alone has them in between others."""
    together = _together(item.nodeid)
    if hasattr(item.config, "workerinput") and (nextitem is None or _together(nextitem.nodeid) != together):
        end_of(together)


class TogetherByServer(LoadScopeScheduling):  # type: ignore[misc]
    """Deals the tests out: those that share a server go to one process, any others with those of their file."""

    def _split_scope(self, nodeid: str) -> str:
        return _together(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> TogetherByServer:
    """How the processes of `make test` share the tests."""
    return TogetherByServer(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with what takes longest; one alone keeps the usual order."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(_together(item.nodeid)))


def _together(nodeid: str) -> str:
    file = nodeid.partition("::")[0]
    if file in ALONE or not file.startswith((*ON_THE_HUB, ON_THE_ENGINE)):
        return file
    return "hub" if file.startswith(ON_THE_HUB) else "engine"


def _turn(together: str) -> int:
    return FIRST.index(together) if together in FIRST else len(FIRST)
