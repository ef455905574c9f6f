"""Whether two people on record may be one, or live together: what speaks for it and against it, weighed (R14).

After Fellegi and Sunter: each sign weighs about log2 of how much oftener it is seen in two records of one person than
in those of two, so that weights are added up. A person confirms or dismisses; nothing follows from a score by itself.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property, lru_cache

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from rules import given_names, spelling


class Level(StrEnum):
    """How near two records are: one person, as good as surely or perhaps; or another of the same household."""

    PROBABLE = "PROBABLE"
    POSSIBLE = "POSSIBLE"
    HOUSEHOLD = "HOUSEHOLD"


class Sign(StrEnum):
    """What can be seen of two records beside each other."""

    NHS_SAME = "NHS_SAME"
    NHS_DIFFERENT = "NHS_DIFFERENT"
    GIVEN_SAME = "GIVEN_SAME"
    GIVEN_SHORT = "GIVEN_SHORT"
    GIVEN_NEARLY = "GIVEN_NEARLY"
    GIVEN_AMONG = "GIVEN_AMONG"
    GIVEN_DIFFERENT = "GIVEN_DIFFERENT"
    FAMILY_SAME = "FAMILY_SAME"
    FAMILY_COMMON = "FAMILY_COMMON"
    FAMILY_AMONG = "FAMILY_AMONG"
    FAMILY_NEARLY = "FAMILY_NEARLY"
    FAMILY_DIFFERENT = "FAMILY_DIFFERENT"
    NAMES_SWAPPED = "NAMES_SWAPPED"
    BORN_SAME = "BORN_SAME"
    BORN_SWAPPED = "BORN_SWAPPED"
    BORN_ONE_DIGIT = "BORN_ONE_DIGIT"
    BORN_DIFFERENT = "BORN_DIFFERENT"
    HOME_SAME = "HOME_SAME"
    POSTCODE_SAME = "POSTCODE_SAME"
    HOME_DIFFERENT = "HOME_DIFFERENT"


#: What a sign weighs, and how it is said. A first name that differs outweighs all that brothers and sisters share.
SIGNS: Mapping[Sign, tuple[int, str]] = {
    Sign.NHS_SAME: (20, "the same NHS number"),
    Sign.NHS_DIFFERENT: (-14, "different NHS numbers"),
    Sign.GIVEN_SAME: (5, "the same first name"),
    Sign.GIVEN_SHORT: (4, "one first name is short for the other"),
    Sign.GIVEN_NEARLY: (3, "first names that differ as by a typing error"),
    Sign.GIVEN_AMONG: (3, "one’s first name is among the other’s names"),
    Sign.GIVEN_DIFFERENT: (-16, "different first names"),
    Sign.FAMILY_SAME: (8, "the same last name"),
    Sign.FAMILY_COMMON: (4, "the same last name, a common one"),
    Sign.FAMILY_AMONG: (5, "one’s last name is among the other’s"),
    Sign.FAMILY_NEARLY: (5, "last names that differ as by a typing error"),
    Sign.FAMILY_DIFFERENT: (-4, "different last names"),
    Sign.NAMES_SWAPPED: (11, "first and last name have changed places"),
    Sign.BORN_SAME: (12, "the same date of birth"),
    Sign.BORN_SWAPPED: (9, "dates of birth with day and month swapped"),
    Sign.BORN_ONE_DIGIT: (4, "dates of birth that differ in one digit"),
    Sign.BORN_DIFFERENT: (-12, "different dates of birth"),
    Sign.HOME_SAME: (8, "the same address"),
    Sign.POSTCODE_SAME: (5, "the same postcode"),
    Sign.HOME_DIFFERENT: (-1, "different addresses"),
}
#: From which weight on two records are shown as one person's.
PROBABLE_FROM, POSSIBLE_FROM = 20, 14
#: Last names that so many bear that sharing one says less.
_COMMON = frozenset([
    "smith", "jones", "taylor", "brown", "williams", "wilson", "johnson", "davies", "robinson", "wright", "thompson",
    "evans", "walker", "white", "roberts", "green", "hall", "wood", "jackson", "clarke", "clark", "patel", "khan",
    "ali", "ahmed", "hussain", "begum", "singh", "kaur", "lewis", "harris", "edwards", "hughes", "turner", "martin",
    "cooper", "hill", "ward", "moore", "king", "baker", "harrison", "morris", "allen", "morgan", "lee", "scott",
    "watson", "parker",
])  # fmt: skip
#: What stands before a last name and is not one.
_PARTICLES = frozenset([
    "al", "el", "de", "la", "le", "du", "da", "di", "van", "von", "der", "den", "bin", "ibn", "mac", "mc", "st", "o",
])  # fmt: skip
#: What is written where nobody knows a name, or there is none yet.
_NO_NAME = frozenset(["unknown", "unborn", "baby", "infant", "unnamed", "tbc", "nk"])
_LETTERS, _ENDEARMENT = re.compile(r"[^\W\d_]+"), re.compile(r"(y|ie|s)$")
_ALIKE = str.maketrans({"c": "k", "q": "k", "z": "s", "v": "f"})


@dataclass(frozen=True)
class Person:
    """Somebody as a referral describes them. A protected address is never compared: leave it out."""

    given_name: str
    family_name: str
    born_on: date | None = None
    nhs_number: str | None = None
    address: str | None = None

    @cached_property
    def given(self) -> list[str]:
        """The words of the first names; none where somebody wrote that it is not known, or of a child not yet named."""
        return [word for word in _words(self.given_name) if word not in _NO_NAME]

    @cached_property
    def family(self) -> list[str]:
        """The words of the last name; none where it is not known."""
        return [word for word in _words(self.family_name) if word not in _NO_NAME]

    @cached_property
    def nhs_digits(self) -> str:
        """The digits of the NHS number; empty when it is not known."""
        return re.sub(r"\D", "", self.nhs_number or "")

    @cached_property
    def postcode(self) -> str:
        """The postcode of the address, the first where there are several; empty without one."""
        return next(iter(spelling.postcodes(self.address or "")), "")

    @cached_property
    def rest(self) -> list[str]:
        """The words of the address without its postcode."""
        return spelling.words(spelling.without_postcodes(self.address or ""))

    @cached_property
    def home(self) -> str:
        """The address as a door: postcode and numbers, or the name of the house; without a postcode all its words."""
        if not self.postcode:
            return " ".join(self.rest) if len(self.rest) > 2 else ""
        door = _numbers(self.rest) or self.rest[:1]
        return f"{self.postcode}/{' '.join(door)}" if door else ""


@dataclass(frozen=True)
class Match:
    """How near two records are, what it weighs, and what was seen: weightiest first."""

    level: Level
    score: int
    signs: tuple[Sign, ...]

    @property
    def in_words(self) -> str:
        """The signs, as a sentence's end."""
        return in_words(self.signs)


def in_words(signs: Collection[Sign]) -> str:
    """What was seen, for a reader: what speaks for it, then what speaks against it."""
    speaks_for = ", ".join(SIGNS[sign][1] for sign in signs if SIGNS[sign][0] > 0)
    against = ", ".join(SIGNS[sign][1] for sign in signs if SIGNS[sign][0] < 0)
    return f"{speaks_for}; but {against}" if against else speaks_for


def compare(one: Person, other: Person) -> Match | None:
    """How near two records are; None when nobody need look at it. The same whichever is named first."""
    signs = sorted(_signs(one, other), key=lambda sign: -SIGNS[sign][0])
    score = sum(SIGNS[sign][0] for sign in signs)
    if score >= POSSIBLE_FROM or Sign.NHS_SAME in signs:
        # One NHS number for two people is a mistake that somebody should see.
        named = Sign.NHS_SAME in signs or (one.given and other.given)
        sure = score >= PROBABLE_FROM and named and Sign.NHS_DIFFERENT not in signs
        return Match(Level.PROBABLE if sure else Level.POSSIBLE, score, tuple(signs))
    if Sign.HOME_SAME in signs:
        shared = tuple(sign for sign in signs if sign is Sign.HOME_SAME or sign in _FAMILY)
        return Match(Level.HOUSEHOLD, sum(SIGNS[sign][0] for sign in shared), shared)
    return None


_FAMILY = {Sign.FAMILY_SAME, Sign.FAMILY_COMMON, Sign.FAMILY_AMONG, Sign.FAMILY_NEARLY}


def keys(person: Person) -> dict[str, str]:
    """By what a person is looked for among many, by kind: whoever is near enough shares one of these.

    Day and month are put in order and so are the names, since they change places; a name is what it sounds like, and
    short forms are one. They are texts about a person: to be kept as digests.
    """
    found = {}
    given = _sound(given_names.kin(next(iter(person.given), "")))
    # Of a last name in parts the longest, which is left out least.
    family = _sound(given_names.kin(max(person.family, key=len, default="")))
    if person.nhs_digits:
        found["nhs"] = person.nhs_digits
    if given and family:
        found["names"] = "/".join(sorted((given, family)))
    if born := person.born_on:
        low, high = sorted((born.day, born.month))
        found["born"] = f"{born.year}/{low}/{high}"
        # For a year that is wrong, and a name that is wrong too.
        for kind, name in (("given-day", given), ("family-day", family)):
            if name:
                found[kind] = f"{low}/{high}/{name}"
    if person.home:
        found["home"] = person.home
    return {kind: f"{_KIND_OF_TEXT.get(kind, kind)}/{text}" for kind, text in found.items()}


#: A first name may stand where another's last name stands: they are looked for in one place.
_KIND_OF_TEXT = {"given-day": "day", "family-day": "day"}


def _signs(one: Person, other: Person) -> Iterator[Sign]:
    if one.nhs_digits and other.nhs_digits:
        yield Sign.NHS_SAME if one.nhs_digits == other.nhs_digits else Sign.NHS_DIFFERENT
    given = _given(one.given, other.given)
    if given is Sign.GIVEN_DIFFERENT and _are_swapped(one, other):
        yield Sign.NAMES_SWAPPED
    else:
        # A name that is missing speaks neither for nor against.
        yield from (sign for sign in (given, _family(one.family, other.family)) if sign)
    if one.born_on and other.born_on:
        yield _born(one.born_on, other.born_on)
    if one.address and other.address and (sign := _homes(one, other)):
        yield sign


def _are_swapped(one: Person, other: Person) -> bool:
    differ = {None, Sign.GIVEN_DIFFERENT}
    return _given(one.given, other.family) not in differ and _given(one.family, other.given) not in differ


def _given(names: list[str], others: list[str]) -> Sign | None:
    if not names or not others:
        return None
    if names[0] == others[0] or "".join(names) == "".join(others):
        return Sign.GIVEN_SAME
    if others[0] in given_names.others(names[0]):
        return Sign.GIVEN_SHORT
    if _nearly(names[0], others[0], from_length=3) or _sound_alike(names[0], others[0]):
        return Sign.GIVEN_NEARLY
    if _is_cut_short(names[0], others[0]):
        return Sign.GIVEN_SHORT
    return Sign.GIVEN_AMONG if names[0] in others or others[0] in names else Sign.GIVEN_DIFFERENT


def _family(names: list[str], others: list[str]) -> Sign | None:
    if not names or not others:
        return None
    joined, joined_other = "".join(names), "".join(others)
    if joined == joined_other:
        return Sign.FAMILY_COMMON if joined in _COMMON else Sign.FAMILY_SAME
    if (set(names) & set(others)) - _PARTICLES:
        return Sign.FAMILY_AMONG
    nearly = _nearly(joined, joined_other) or _sound_alike(joined, joined_other)
    return Sign.FAMILY_NEARLY if nearly else Sign.FAMILY_DIFFERENT


def _born(one: date, other: date) -> Sign:
    if one == other:
        return Sign.BORN_SAME
    if (one.year, one.month, one.day) == (other.year, other.day, other.month):
        return Sign.BORN_SWAPPED
    differing = sum(map(str.__ne__, one.isoformat(), other.isoformat()))
    return Sign.BORN_ONE_DIGIT if differing == 1 else Sign.BORN_DIFFERENT


def _homes(one: Person, other: Person) -> Sign | None:
    both_coded = one.postcode and other.postcode
    if both_coded and one.postcode != other.postcode:
        # Said first: of most who are compared the rest of the address need not be read.
        return Sign.HOME_DIFFERENT
    if one.home and one.home == other.home:
        return Sign.HOME_SAME
    if both_coded:
        return Sign.POSTCODE_SAME
    # Without a postcode the rest must say it: the same numbers, and the same words but for a slip.
    same = len(one.rest) > 1 and len(other.rest) > 1 and _numbers(one.rest) == _numbers(other.rest)
    return Sign.HOME_SAME if same and fuzz.token_set_ratio(one.rest, other.rest) >= 92 else None


def _numbers(words: Sequence[str]) -> list[str]:
    """The numbers of an address, in order of size, each with the letter that stands behind it: 14 a."""
    found = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.isdigit():
            found.append(f"{word}{following if len(following) == 1 and following.isalpha() else ''}")
    return sorted(found)


def _nearly(one: str, other: str, *, from_length: int = 4) -> bool:
    """Whether a typing error parts two names: one slip, in long names two. The shortest differ by being others."""
    shorter = min(len(one), len(other))
    return shorter >= from_length and OSA.distance(one, other, score_cutoff=2) <= (2 if shorter >= 8 else 1)


def _sound_alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) >= 4 and _sound(one) == _sound(other)


def _is_cut_short(one: str, other: str) -> bool:
    """Whether one is the other's beginning, perhaps with an ending of endearment: Jayd, Jaydy and Jaydie for Jayden."""
    if one[0] != other[0]:
        return False
    shorter, longer = sorted((one, other), key=len)
    return len(stem := _ENDEARMENT.sub("", shorter)) >= 3 and longer.startswith(stem)


@lru_cache(maxsize=10_000)
def _sound(name: str) -> str:
    """What is left of a name when it is misheard or misspelt: its consonants, each once where it is doubled."""
    plain = name.replace("ph", "f").replace("ck", "k").replace("gh", "").translate(_ALIKE)
    consonants = re.sub(r"[aeiouyhw]", "", plain[1:])
    return re.sub(r"(.)\1+", r"\1", plain[:1] + consonants)


@lru_cache(maxsize=10_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(_LETTERS.findall(spelling.plain(name)))
