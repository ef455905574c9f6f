"""Looking at a page as those do whom it may shut out: axe-core, a small telephone, a strict browser's console."""

from __future__ import annotations

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

AXE = Axe()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}
#: Set MASH_SCREENSHOTS to a folder to look at every page at 320 and 1280 pixels, and printed.
PICTURES = os.environ.get("MASH_SCREENSHOTS")


#: The pixels between the margins of an A4 page.
PAPER = 718
#: What is of no use on paper.
TO_PRESS = "button:visible, nav:visible, .govuk-button:visible, .govuk-back-link:visible, .govuk-footer:visible"


def look(page: Page, name: str, heading: str = "") -> None:
    """No WCAG 2.2 AA violation, nothing cut off on a small telephone or on paper, and nothing to press there."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    page.wait_for_load_state("load")
    if page.evaluate("document.body.classList.contains('js-enabled')"):
        # axe-core is a script: where a browser runs none, the page is the same but for what scripts add.
        found = AXE.run(page, options=RULES)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    for width in (320, 1280):
        _fits(page, name, width)
    page.emulate_media(media="print")
    assert page.locator(TO_PRESS).count() == 0, f"{name} prints what can only be pressed"
    _fits(page, f"{name}-printed", PAPER)
    page.emulate_media(media="screen")


def _fits(page: Page, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, f"{name} scrolls sideways by {sideways} px at {width} px"
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}-{width}.png", full_page=True)


def complaints_of(page: Page) -> list[str]:
    """What the browser says about the page's policy from now on, in a list that grows."""
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text) if "Content Security" in message.text else None)
    return heard
