"""Load L8: what signed-in people feel while strangers ask 200 times a second and hold 500 slow connections open."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable

import httpx

from bench import machine
from bench.figures import Figure
from bench.ground import Ground
from bench.pages import sign_in
from models.settings import HOUSE
from portal import cookies
from rules.permissions import Role

QUESTION = "Answers to signed-in people while strangers ask 200 times a second and hold 500 slow connections"
SECONDS, RATE, SLOW = 60.0, 200.0, 500
GOAL = 1.0
#: A person reads between two pages.
EVERY = 0.25
SEEN = ((Role.AGENCY, "/tasks"), (Role.MASH_SUPPORT, "/board"), (Role.DUTY_TEAM, "/referrals"))


def measure(ground: Ground, *, seconds: float = SECONDS) -> Figure:
    """The same people open the same pages twice: alone, then with the strangers at the door."""
    figure, port = Figure("abuse", QUESTION), ground.stack.ports.portal
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        read = _reader(client)
        machine.settle()
        alone, wrong = _read_for(seconds / 3, read)
        figure.many("a page, alone", "s", alone, of="p95")
        figure.one("pages that were no page, alone", "", wrong, at_most=0)
        command = [sys.executable, "-m", "bench.strangers", *map(str, (port, seconds, RATE, SLOW))]
        with subprocess.Popen(command, cwd=HOUSE, stdout=subprocess.PIPE, text=True) as strangers:  # noqa: S603 -- our own
            beset, wrong = _read_for(seconds, read)
            told = json.loads(strangers.communicate()[0])
        # What they leave behind must not outlive them.
        after, _ = _read_for(seconds / 6, read)
    figure.many("a page, beset by strangers", "s", beset, at_most=GOAL, of="p95")
    figure.one("pages that were no page, beset", "", wrong, at_most=0)
    figure.many("a page, just after", "s", after, of="p95")
    answered = sum(times for status, times in told.items() if status.isdigit())
    figure.one("strangers answered, a second", "", answered / seconds)
    figure.tables["What strangers were answered"] = [
        {"answer": status, "times": times} for status, times in sorted(told.items())
    ]
    figure.notes.append(
        f"One portal process. Strangers are a process of their own on the same machine for {seconds:g} s: {RATE:g} "
        f"requests a second, each on a new connection, and {SLOW} connections that say one more header line every 3 s. "
        f"An agency, MASH support and a duty team open a page each in turn, four times a second."
    )
    return figure


def _reader(client: httpx.Client) -> Callable[[int], bool]:
    """Opens the next page, and says whether it was one."""
    stays = sign_in()
    pages = [(path, f"{cookies.name_of(cookies.SESSION)}={stays[role]}") for role, path in SEEN]

    def read(number: int) -> bool:
        path, cookie = pages[number % len(pages)]
        return client.get(path, headers={"Accept": "text/html", "Cookie": cookie}).status_code == 200

    return read


def _read_for(seconds: float, read: Callable[[int], bool]) -> tuple[list[float], int]:
    """How long each page took, and how many were none."""
    took: list[float] = []
    wrong, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        at = time.perf_counter()
        wrong += not read(len(took))
        took.append(time.perf_counter() - at)
        time.sleep(EVERY)
    return took, wrong
