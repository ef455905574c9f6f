"""From what somebody typed to a document of casework, and drafts of it meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from starlette.responses import Response

from casework import drafts
from casework.document_parts import Document
from portal import bodies, forms
from portal.credentials import Work
from portal.doors import DRAFT_OF, Door
from portal.forms import Form, Raw, compact
from rules.errors import NotFound

D = TypeVar("D", bound=Document)
ADD, REMOVE = "add:", "remove:"
#: As much as the record holds of a draft's purpose.
_LONGEST = 40


def meant(door: Door, kind: type[D], raw: Raw | None = None) -> D:
    """What the form means, as a document. Raises NotAcceptable with every bad field."""
    return bodies.read_value(forms.document(door.raw if raw is None else raw, door.zone), kind)


def drafted(work: Work, purpose: str, about: str) -> Form | None:
    """What this person typed earlier and did not send; not which version the page showed them then."""
    kept = drafts.find(work.session, purpose, about, work.by.id)
    if kept is None:
        return None
    return Form({name: value for name, value in kept.content.items() if not name.partition(":")[0].endswith("_seen")})


def as_text(document: Any, name: str = "") -> str:
    """What a form means as plain text, a line for each field, to be copied to wherever it can be sent."""
    if isinstance(document, dict):
        return "\n".join(as_text(value, field) for field, value in document.items())
    if isinstance(document, list) and any(isinstance(row, dict) for row in document):
        return "\n".join(f"\n{_spoken(name)} {n}\n{as_text(row)}" for n, row in enumerate(document, 1))
    value = ", ".join(map(str, document)) if isinstance(document, list) else str(document)
    return f"{_spoken(name)}: {value}"


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()


def typed(work: Work, page: str, about: str = "", *, begun: Raw | None = None) -> Form:
    """What this person typed on a page earlier and did not send; without that, what the page begins with."""
    return drafted(work, page, about) or Form(begun)


def sent(work: Work, page: str, about: str = "") -> None:
    """What was typed on a page is where it belongs: its draft is no longer kept."""
    drafts.discard(work.session, page, about, by=work.by, at=work.at)


def draft_of(door: Door, pages: Collection[str]) -> str:
    """Which of these pages a form belongs to whose text is kept. Raises NotFound for any other.

    What follows a colon tells apart what such a page is for: an agency, or an id.
    """
    page = door.field(DRAFT_OF)
    if page.partition(":")[0] not in pages or len(page) > _LONGEST:
        raise NotFound("there is no such draft")
    return page


def autosave(door: Door, purpose: str, about: str, work: Work) -> Response:
    """Keep what is typed while somebody is typing."""
    drafts.save(work.session, purpose, about, door.raw, by=work.by, at=work.at)
    return Response(status_code=204)


def sends_nothing(door: Door) -> bool:
    """Whether the button pressed keeps a draft, at most."""
    do = door.field("do")
    return do in {"save", "discard"} or do.startswith((ADD, REMOVE))


def save_or_add(door: Door, purpose: str, about: str, work: Work, back: str) -> Response | None:
    """Deal with the buttons that send nothing: save the draft, throw it away, a row more or less. None for others."""
    do = door.field("do")
    if not sends_nothing(door):
        return None
    if do == "discard":
        drafts.discard(work.session, purpose, about, by=work.by, at=work.at)
        return door.go(back, "discarded")
    for button, changed, done in ((ADD, with_row, "added"), (REMOVE, without_row, "removed")):
        if do.startswith(button):
            name = do.removeprefix(button)
            drafts.save(work.session, purpose, about, changed(door.raw, name), by=work.by, at=work.at)
            return door.go(back, done, name.partition("-")[0])
    drafts.save(work.session, purpose, about, door.raw, by=work.by, at=work.at)
    return door.go(back, "saved")


def with_row(raw: Raw, name: str) -> dict[str, Any]:
    """The draft with one more empty row in the list of that name."""
    rows = raw.get(name)
    there = rows if isinstance(rows, dict) else {}
    return {**raw, name: {**there, str(len(there)): {}}}


def without_row(raw: Raw, place: str) -> dict[str, Any]:
    """The draft without the row at a place such as `items-2`; the rows after it move up."""
    name, _, number = place.partition("-")
    rows = raw.get(name)
    if not isinstance(rows, dict):
        return raw
    return {**raw, name: compact({each: row for each, row in rows.items() if each != number})}
