"""No typed text is lost on a time-out: every form with free text keeps it while it is typed (finding 14)."""

from __future__ import annotations

import re

import pytest

from models.settings import HOUSE
from portal.pages.drafting import PAGES
from portal.pages.one_referral import SHORT
from portal.pages.tasks import KEPT

TEMPLATES = {path.name: path.read_text(encoding="utf-8") for path in (HOUSE / "portal" / "templates").glob("*.html")}
_FORM = re.compile(r"<form\b(?P<tag>[^>]*)>(?P<fields>.*?)</form>", re.DOTALL)
_MACRO = re.compile(r"\{% macro (?P<name>\w+)\(.*?%\}(?P<body>.*?)\{% endmacro %\}", re.DOTALL)
#: Forms that keep nothing while typed, and why. Sent after a time-out, these are kept too (casework/kept_forms).
WITHOUT = {
    ("break_glass.html", "/break-glass"): "an emergency: one sentence, sent at once, and left behind nowhere else",
    ("break_glass_uses.html", "/break-glass-uses/{{ use.alert }}"): "a line beside a choice, one form for each use",
    ("basis.html", "{{ back }}/basis"): "a line beside choices, whose rows go by people: they may have left meanwhile",
}


def _with_free_text() -> set[str]:
    """The macros that hold a field for free text, or call one that does."""
    bodies = {found["name"]: found["body"] for text in TEMPLATES.values() for found in _MACRO.finditer(text)}
    known = {"govukTextarea"}
    while more := {name for name, body in bodies.items() if _calls(body, known)} - known:
        known |= more
    return known


def _calls(text: str, macros: set[str]) -> bool:
    return bool({*re.findall(r"\b(\w+)\(", text)} & macros) or "<textarea" in text


FREE_TEXT = _with_free_text()
FORMS = [
    (name, action[1] if (action := re.search(r'action="([^"]*)"', form["tag"])) else "", form["tag"], form["fields"])
    for name, text in TEMPLATES.items()
    for form in _FORM.finditer(text)
    if _calls(form["fields"], FREE_TEXT)
]


def test_every_form_with_free_text_keeps_it_or_says_why_not():
    """Finding 14"""
    without = {(name, action) for name, action, tag, _ in FORMS if "data-save=" not in tag}
    assert without == set(WITHOUT)
    assert len(FORMS) > 20


@pytest.mark.parametrize("form", [form for form in FORMS if "data-save=" in form[2]], ids=lambda form: form[0])
def test_a_form_that_keeps_its_text_says_so_and_names_a_page_whose_text_is_kept(form: tuple[str, str, str, str]):
    """Finding 14: a name that the hub does not know would be refused while somebody types"""
    _, _, tag, fields = form
    named = re.findall(r"kept_as\((.*?)\) \}\}", fields)
    assert len(named) == 1 or fields.count("data-saved") == 1
    pages = {'"/draft"': PAGES, "/checks/": KEPT, "/board/": SHORT}
    [known] = [pages[each] for each in pages if f"data-save={each}" in tag or f'data-save="{each}' in tag] or [None]
    for words in named:
        assert {name.partition(":")[0] for name in re.findall(r'"([\w:-]+)"', words)} <= (known or KEPT | SHORT)
