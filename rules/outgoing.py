"""Whether a text that is about to leave holds what must not leave with it: an address, a number, a name (R29).

ICO findings (requirements.md §3, row 11): a protected address that stood in one line of a document has cost lives. A
text is searched in its one spelling (rules.spelling), so that case, line breaks and abbreviations hide nothing. What it
does not find is listed in docs/decisions/0013.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from rules import given_names
from rules.spelling import (
    STREETS,
    long_form,
    look_alike,
    places_of,
    postcodes,
    telephone_numbers,
    without_postcodes,
    words,
)


class Kind(StrEnum):
    """What kind of thing was found; never the thing itself."""

    ADDRESS = "ADDRESS"
    POSTCODE = "POSTCODE"
    PLACE = "PLACE"
    TELEPHONE = "TELEPHONE"
    NAME = "NAME"


#: How a kind is said to somebody who may not see the thing.
SAID = {
    Kind.ADDRESS: "a protected address",
    Kind.POSTCODE: "the postcode of a protected address",
    Kind.PLACE: "the street or house name of a protected address",
    Kind.TELEPHONE: "a telephone number that must not go with it",
    Kind.NAME: "the name of somebody whom its reader may not learn of",
}
#: The number and the street together are the address: no reason lets them leave. Any other find may be a false alarm.
NEVER = frozenset({Kind.ADDRESS})
#: Words that may stand between the number and the street, or before a number.
_FILLERS = frozenset(["the", "at", "in", "on", "of", "no", "a", "an", "flat", "hse"])
_ORDINALS = frozenset(["nd", "rd", "th"])
_HOUSES = frozenset([
    "hse", "cott", "bldg", "hostel", "refuge", "hotel", "lodge", "farm", "barn", "villa", "villas", "manor",
    "rectory", "hall",
])  # fmt: skip
_NOT_A_MIDDLE_NAME = frozenset([
    "and", "or", "the", "to", "with", "of", "is", "was", "has", "for", "from", "at", "by", "as", "said", "who",
])  # fmt: skip
TITLES = frozenset(["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev", "sir", "lady"])
#: Capitalised words that stand side by side in no person's name.
_BODIES = frozenset([
    "a", "acts", "agency", "an", "and", "august", "authority", "avenue", "avon", "bath", "care", "centre", "child",
    "children", "childrens", "christmas", "close", "college", "community", "constabulary", "council", "county",
    "court", "december", "domestic", "early", "education", "family", "february", "foundation", "friday", "general",
    "gp", "guidance", "he", "help", "high", "hospital", "house", "in", "it", "january", "july", "lane", "local",
    "london", "march", "mash", "mental", "monday", "national", "nhs", "north", "november", "october", "officer",
    "on", "police", "primary", "probation", "public", "road", "royal", "saturday", "school", "secondary", "section",
    "september", "service", "services", "she", "social", "somerset", "south", "square", "st", "street", "sunday",
    "support", "surgery", "team", "the", "there", "they", "thursday", "trust", "tuesday", "unit", "university",
    "wednesday", "women", "womens",
])  # fmt: skip
_CAPITALISED = r"[A-Z][\w’'-]+"
_TITLED = re.compile(rf"\b(?i:{'|'.join(sorted(TITLES))})\b\.?\s+({_CAPITALISED})(?:\s+({_CAPITALISED}))?", re.UNICODE)
_PAIR = re.compile(rf"(?=\b({_CAPITALISED})\s+({_CAPITALISED})\b)", re.UNICODE)
#: From how many letters on one may be wrong: shorter names are too near to each other.
_NEARLY = 7


@dataclass(frozen=True)
class Person:
    """A name. Without a given name it is only known with a title before it."""

    given: str
    family: str


@dataclass(frozen=True)
class Guard:
    """What must not leave with a text for one reader.

    `addresses` by whose they are, such as S1; `numbers` and `people` by where the record has them from. `known` are
    people of whom the reader knows.
    """

    addresses: Sequence[tuple[str, str]] = ()
    numbers: Sequence[tuple[str, str]] = ()
    people: Sequence[tuple[str, Person]] = ()
    known: Collection[Person] = field(default=())


@dataclass(frozen=True, order=True)
class Find:
    """Something of a kind was found; `of` says whose it is, or whose information it comes from."""

    kind: Kind
    of: str

    def said(self) -> str:
        """In words that hold nothing of the thing."""
        return f"{SAID[self.kind]} ({self.of})"


def find(text: str, guard: Guard) -> list[Find]:
    """What a text holds that must not leave with it, each kind once for each person or source."""
    found, numbers = words(text), telephone_numbers(text)
    finds = {
        *(Find(kind, of) for of, address in guard.addresses for kind in _of_address(found, address)),
        *(Find(Kind.TELEPHONE, of) for of, number in guard.numbers if any(number in each for each in numbers)),
        *(Find(Kind.NAME, of) for of, person in guard.people if _is_named(found, person, guard.known)),
    }
    return sorted(finds)


def numbers_in(text: str) -> list[str]:
    """The telephone numbers in a text, as a guard holds them."""
    return [number for number in telephone_numbers(text) if 9 <= len(number) <= 12]


def people_in(text: str) -> list[Person]:
    """The people whom a text names in full, or with a title; what names a body or a place is left out."""
    titled = {Person(given if family else "", family or given) for given, family in _TITLED.findall(text)}
    pairs = {Person(given, family) for given, family in _PAIR.findall(text)}
    return [*titled, *(pair for pair in pairs - titled if not _is_body(pair))]


def _is_body(pair: Person) -> bool:
    return bool({pair.given.lower(), pair.family.lower()} & (_BODIES | TITLES))


def _of_address(found: Sequence[str], address: str) -> Iterator[Kind]:
    if any(places_of([look_alike(word) for word in found], postcodes(address))):
        yield Kind.POSTCODE
    for place, segment in enumerate(re.split(r"[,;\r\n]+", without_postcodes(address))):
        number, street = _numbered_street(words(segment))
        if number and _has_address(found, number, street):
            yield Kind.ADDRESS
        elif number or _is_place(street, first=place == 0):
            yield from _of_place(found, street)


def _numbered_street(segment: Sequence[str]) -> tuple[str, list[str]]:
    """The last number of a part of an address that a street follows, and that street; a flat's number is none."""
    for place in reversed(range(len(segment))):
        rest = list(segment[place + 1 :])
        # 14a, 14-16: what follows a number without being a name is part of it.
        while rest and (len(rest[0]) == 1 or rest[0].isdigit()):
            rest.pop(0)
        if segment[place].isdigit() and rest and rest[0] not in _ORDINALS and "floor" not in rest[:2]:
            return segment[place], _up_to_its_kind(rest)
    return "", [] if any(word.isdigit() for word in segment) else _up_to_its_kind(segment)


def _up_to_its_kind(street: Sequence[str]) -> list[str]:
    """A street or house without the town that follows it when nobody put a comma between."""
    for place, word in enumerate(street):
        if place and word in STREETS | _HOUSES:
            return list(street[: place + 1])
    return list(street[:1] if street and len(street[0]) >= 5 else street[:2])


def _is_place(street: Sequence[str], *, first: bool) -> bool:
    return len(street) > 1 and (street[-1] in STREETS or (first and street[-1] in _HOUSES))


def _spellings(street: Sequence[str], *, whole: bool) -> set[str]:
    """A street written together, each word of it short or long; unless `whole`, without its kind too."""
    found = {"".join(forms) for forms in product(*map(long_form, street))}
    if not whole and street[-1] in STREETS and len("".join(street[:-1])) >= 3:
        found |= {"".join(forms) for forms in product(*map(long_form, street[:-1]))}
    return found


def _has_address(found: Sequence[str], number: str, street: Sequence[str]) -> bool:
    return any(
        number in _numbers_before(found, start) or number == _number_after(found, after)
        for start, after in _streets(found, street, whole=False)
    )


def _streets(found: Sequence[str], street: Sequence[str], *, whole: bool) -> Iterator[tuple[int, int]]:
    """Where a street stands: from, to. A Mill Road is no Mill Lane, though it is one letter apart when shortened."""
    for start, after, _ in places_of(found, _spellings(street, whole=whole), nearly_from=_NEARLY):
        kinds = [word for word in found[after - 1 : after + 1] if word in STREETS]
        if street[-1] not in STREETS or not kinds or street[-1] in kinds:
            yield start, after


def _numbers_before(found: Sequence[str], start: int) -> set[str]:
    """Of 14, of 14a, of 14-16: whatever number stands there, perhaps with a filler after it."""
    numbers = set()
    for word in reversed(found[max(0, start - 4) : start]):
        if word.isdigit():
            numbers.add(word)
        elif word not in _FILLERS and len(word) > 1:
            break
    return numbers


def _number_after(found: Sequence[str], after: int) -> str:
    return next((word for word in found[after : after + 3] if word not in _FILLERS), "")


def _of_place(found: Sequence[str], street: Sequence[str]) -> Iterator[Kind]:
    if len(street) > 1 and any(_streets(found, street, whole=True)):
        yield Kind.PLACE


def _is_named(found: Sequence[str], person: Person, known: Iterable[Person]) -> bool:
    given, family = words(person.given), words(person.family)
    others = [(words(each.given), words(each.family)) for each in known]
    if not family or (given, family) in others:
        return False
    names = {each for other in others for each in _full(*other)}
    if given and any(
        joined not in names for _, _, joined in places_of(found, _full(given, family), nearly_from=_NEARLY)
    ):
        return True
    theirs = names | {each for other in others for each in _called(*other)}
    if any(joined not in theirs for _, _, joined in places_of(found, _called(given, family))):
        return True
    relatives = [other for other, name in others if name == family]
    return any(
        _goes_with(found, start, after, given, relatives)
        for start, after, _ in places_of(found, {"".join(family), family[0], family[-1]})
    )


def _full(given: Sequence[str], family: Sequence[str]) -> set[str]:
    """Both names in both orders, with one given name or all, and with either half of a double name."""
    firsts = {"".join(given), *given[:1]} - {""}
    lasts = {"".join(family), family[0], family[-1]}
    return {order for first in firsts for last in lasts for order in (first + last, last + first)}


def _called(given: Sequence[str], family: Sequence[str]) -> set[str]:
    """The same for what somebody is called besides: in short, or in whole."""
    return {name for first in given[:1] for other in given_names.others(first) for name in _full([other], family)}


def _goes_with(
    found: Sequence[str], start: int, after: int, given: Sequence[str], relatives: Sequence[Sequence[str]]
) -> bool:
    """Whether what stands around a family name makes it this person's: a middle name, initials, a title.

    `relatives` are the given names of those of that family whom the reader knows: then a title alone is not enough,
    nor is an initial that is theirs too.
    """
    before, beyond = list(found[max(0, start - 3) : start]), list(found[after : after + 2])
    if not relatives and before and before[-1] in TITLES:
        return True
    if not given:
        return False
    first = given[0]
    if first in before[:-1] and not _NOT_A_MIDDLE_NAME & set(before[before.index(first) + 1 :]):
        return True
    if len(beyond) > 1 and beyond[0] in TITLES and beyond[1] == first:
        return True
    if any(other[:1] and other[0][0] == first[0] for other in relatives):
        return False
    return _are_initials(before, first) or (beyond[:1] == [first[0]] and first[0] not in "ai")


def _are_initials(before: Sequence[str], first: str) -> bool:
    """W. Ashdown, W M Ashdown; not the last letter of something else, as in "to a Green"."""
    letters: list[str] = []
    for word in reversed(before):
        if len(word) > 1:
            break
        letters.insert(0, word)
    return bool(letters) and letters[0] == first[0] and letters != ["a"]
