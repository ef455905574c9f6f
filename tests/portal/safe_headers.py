"""What every response must carry (S-17), whoever asks and whatever is answered."""

from __future__ import annotations

import re

from tests.portal.caller import Told

POLICY = {"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"}
WANTED = {
    "X-Content-Type-Options": r"nosniff",
    "Referrer-Policy": r"no-referrer",
    "Cache-Control": r"no-store",
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Strict-Transport-Security": r"max-age=(3153[6-9]\d{3}|\d{9,}).*",
}
BANNER = ("Server", "X-Powered-By", "X-AspNet-Version")


def unsafe_headers(told: Told) -> list[str]:
    """What is missing or too much in a response's headers; nothing, when it is as it must be."""
    wrong = [name for name, wanted in WANTED.items() if not re.fullmatch(wanted, told.header(name))]
    policy = told.header("Content-Security-Policy")
    if not set(policy.split("; ")) >= POLICY or re.search(r"unsafe|\*|https?:", policy):
        wrong.append("Content-Security-Policy")
    return wrong + [name for name in BANNER if told.header(name)]
