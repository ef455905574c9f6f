"""A failure as whoever asked wants to see it: a program as a document, a person as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

from portal.rendering import page

#: What helps a person, where a program is told something else.
_FOR_A_PERSON: Mapping[str, str] = {
    "urn:mash:problem:outcome-unknown": "It is not known whether this was saved. Look at the page it was about before "
    "you send it again; a referral that is sent again from the same page is taken once.",
    "urn:mash:problem:unavailable": "Nothing was saved. Wait a moment, then load this page again: your browser asks "
    "whether to send the same once more.",
}


def wants_page(scope: Mapping[str, Any]) -> bool:
    """Whether a person's browser asked: it says that it takes HTML, and the path is none of the API's."""
    return "text/html" in Headers(scope=dict(scope)).get("accept", "") and not is_api(scope)


def is_api(scope: Mapping[str, Any]) -> bool:
    """Whether a path is the API's."""
    return str(scope.get("path", "")).startswith("/api/")


def fit(scope: Mapping[str, Any], problem: Response) -> Response:
    """The problem as it is, or as a page."""
    if not wants_page(scope):
        return problem
    told = json.loads(bytes(problem.body))
    kept = {name: problem.headers[name] for name in ("Retry-After", "Allow") if name in problem.headers}
    detail = _FOR_A_PERSON.get(told["type"], told["detail"])
    return page("problem.html", problem.status_code, kept, title=told["title"], detail=detail)
