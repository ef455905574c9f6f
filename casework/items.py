"""The items of a return: what may be in them, and what of them anybody but their own agency is shown (R29)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from casework import referrals
from casework.item_documents import GivenItem, WithheldItem
from casework.once import once
from casework.register import profile_of
from models.check import AgencyCheck, Return
from models.profile import Profile
from models.referral import Referral
from rules import release
from rules.errors import FieldError, NotAcceptable


@dataclass(frozen=True)
class Standing:
    """One item as it stands: of which agency, in which version of its return, and where in it, counted from 1."""

    agency: str
    return_id: UUID
    version: int
    number: int
    content: Mapping[str, Any]

    @property
    def key(self) -> tuple[str, int, int]:
        """What a decision maker's choice calls it by."""
        return self.agency, self.version, self.number


def check(session: Session, referral: Referral, items: Sequence[GivenItem | WithheldItem]) -> None:
    """Refuse items about strangers, or with codes that the profile does not have. Raises NotAcceptable with each."""
    codes = profile_of(session, referral).codes
    known = {subject.code for subject in referrals.subjects(session, referral.reference)}
    wrong = [problem for number, item in enumerate(items) for problem in _wrong(item, f"/items/{number}", known, codes)]
    if wrong:
        raise NotAcceptable(*wrong)


def given(items: Sequence[GivenItem | WithheldItem]) -> list[GivenItem]:
    """Those of the items that their agency does not withhold."""
    return [item for item in items if isinstance(item, GivenItem)]


def standing(session: Session, reference: str) -> list[Standing]:
    """Every item that an agency gave in the newest version of its return, none that it withholds.

    For what is released from them. By agency as asked, then as the agency numbered them.
    """
    return [item for item in held(session, reference) if not release.is_withheld(item.content)]


@once
def held(session: Session, reference: str) -> Sequence[Standing]:
    """Every item of the newest version of each return, those that their agency withholds too: to be shown to nobody."""
    query = (
        select(AgencyCheck.agency, Return)
        .where(col(Return.check_id) == col(AgencyCheck.id), AgencyCheck.reference == reference)
        .order_by(col(AgencyCheck.requested_at), col(AgencyCheck.agency), col(Return.version))
    )
    newest = dict(session.exec(query).all())
    return [
        Standing(agency, each.id, each.version, number, item)
        for agency, each in newest.items()
        for number, item in enumerate(each.items, start=1)
    ]


def shown(item: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """A given item as the collated template holds it: with its recipients in words."""
    code = item.get("recipients", release.Reader.MASH)
    return {**item, "recipients_label": profile.label("recipients", code)}


def reasons_withheld(items: Sequence[Mapping[str, Any]], profile: Profile) -> list[str]:
    """For each item that is withheld its reason in words, and nothing else of it."""
    return [profile.label("decline_reason", item["withheld_because"]) for item in items if release.is_withheld(item)]


def _wrong(
    item: GivenItem | WithheldItem, pointer: str, known: set[str], codes: Mapping[str, Mapping[str, str]]
) -> Iterator[FieldError]:
    if not set(item.about) <= known:
        yield FieldError(f"{pointer}/about", "not a subject of this referral")
    for field, code_set in (("recipients", "recipients"), ("withheld_because", "decline_reason")):
        value = getattr(item, field)
        if value is not None and value not in codes[code_set]:
            allowed = ", ".join(sorted(codes[code_set]))
            yield FieldError(f"{pointer}/{field}", f"not a code of the set {code_set}: use one of {allowed}")
