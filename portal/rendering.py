"""Pages: Jinja templates, the GOV.UK Design System's macros, and the words for times and codes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.responses import HTMLResponse

from casework.register import current_profile
from portal import words

FOLDER = Path(__file__).resolve().parent
STATIC = FOLDER / "static"


class Missing(jinja2.ChainableUndefined):
    """A name that a page was not given is an error; an option that a component was not given is none.

    The Design System's macros take one dictionary and ask it for options that are mostly left out.
    """

    def _is_option(self) -> bool:
        return isinstance(self._undefined_obj, dict) or self._undefined_name == "caller"

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self if self._is_option() else self._fail_with_undefined_error()

    def __getitem__(self, key: Any) -> Any:
        return self if self._is_option() else self._fail_with_undefined_error()

    def __bool__(self) -> bool:
        return False if self._is_option() else self._fail_with_undefined_error()

    def __str__(self) -> str:
        return "" if self._is_option() else str(self._fail_with_undefined_error())

    def __iter__(self) -> Any:
        return iter(()) if self._is_option() else self._fail_with_undefined_error()

    def __len__(self) -> int:
        return 0 if self._is_option() else int(self._fail_with_undefined_error())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, jinja2.Undefined) or other is None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return id(type(self))


def page(template: str, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any) -> HTMLResponse:
    """A page as a response. Raises jinja2's UndefinedError for what the template needs and was not given."""
    return HTMLResponse(environment().get_template(template).render(context), status, dict(headers or {}))


@cache
def environment() -> jinja2.Environment:
    """Where pages are made; a name that a template was not given is an error, and all that is put in is escaped."""
    loader = jinja2.ChoiceLoader(
        [
            jinja2.FileSystemLoader(FOLDER / "templates"),
            jinja2.PrefixLoader({"govuk_frontend_jinja": jinja2.PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    made = jinja2.Environment(
        loader=loader, undefined=Missing, autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    # The macros' own words for nothing, as in the Nunjucks that they were ported from.
    made.globals |= {"undefined": None, "null": None}
    made.globals |= {"static": static_url, "hub_name": lambda: current_profile().wording.hub_name}
    made.globals |= {"role_words": words.ROLES, "stage_words": words.STAGES, "check_words": words.CHECKS}
    made.globals |= {"kind_words": words.KINDS, "local": words.local, "Clock": words.Clock, "options": words.options}
    made.filters["counted"] = "{:,}".format
    made.globals |= {
        "tag": tag,
        "span": words.span,
        "clock_of": words.clock_of,
        "reading_words": words.READINGS,
        "day_words": words.day_words,
        "on_day": words.on_day,
    }
    return made


@lru_cache(maxsize=256)
def tag(text: str, classes: str) -> str:
    """The Design System's tag. A list shows few different ones, each in a hundred rows, and the macro is slow."""
    macros: Any = environment().get_template("govuk_frontend_jinja/components/tag/macro.html").module
    made: str = macros.govukTag({"text": text, "classes": classes})
    return made


@cache
def static_files() -> Mapping[str, bytes]:
    """The styles and scripts that pages use, by name."""
    return {file.name: file.read_bytes() for file in STATIC.iterdir() if file.suffix in {".css", ".js"}}


@cache
def static_url(name: str) -> str:
    """Where a page finds a style or script: another address once its content is another, so that it can be kept."""
    return f"/static/{name}?v={hashlib.sha256(static_files()[name]).hexdigest()[:12]}"
