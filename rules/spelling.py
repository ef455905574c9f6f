"""One text in many spellings: the same words whatever their case, accents, abbreviations, spacing or line breaks."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

#: Parts of an address that are written short and long. "St" is a street and a saint: both are written so.
_SHORT = {
    "street": "st", "saint": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "lane": "ln",
    "close": "cl", "clo": "cl", "drive": "dr", "drv": "dr", "crescent": "cres", "cresc": "cres", "gardens": "gdns",
    "gdn": "gdns", "grove": "gr", "grv": "gr", "square": "sq", "terrace": "ter", "terr": "ter", "place": "pl",
    "court": "ct", "crt": "ct", "park": "pk", "parade": "pde", "green": "grn", "house": "hse", "cottage": "cott",
    "building": "bldg", "buildings": "bldg", "apartment": "flat", "apt": "flat", "apart": "flat", "number": "no",
    "mount": "mt",
}  # fmt: skip
#: What the name of a street ends in.
STREETS = frozenset([
    "st", "rd", "ave", "ln", "cl", "dr", "cres", "gdns", "gr", "sq", "ter", "pl", "ct", "pk", "pde", "grn", "row",
    "walk", "way", "mews", "hill", "rise", "view", "path", "yard", "wharf",
])  # fmt: skip
_UNITS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
]  # fmt: skip
_NUMBERS = {
    **{word: number for number, word in enumerate(_UNITS, start=1)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_APOSTROPHES = re.compile(r"(?<=\w)['’‘ʼ`´](?=\w)")
_BROKEN = re.compile(r"[-‐‑]\s*[\r\n]\s*")
_WORD = re.compile(r"[^\W\d_]+|\d+")
#: What stands between the digits of one telephone number.
_TELEPHONE = re.compile(r"\d(?:[\s().,/·–—‐‑-]{0,4}\d){8,}")
_POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?)[\s.-]*(\d[A-Z]{2})\b")


def words(text: str) -> list[str]:
    """The words and numbers of a text, in their one spelling; letters and digits never in one word."""
    found = [_SHORT.get(word, word) for word in _WORD.findall(_BROKEN.sub("", plain(text)))]
    return list(_numbered(found))


def long_form(word: str) -> set[str]:
    """A word of an address as `words` spells it, and every way in which it is written out."""
    return {word} | {long for long, short in _SHORT.items() if short == word}


def plain(text: str) -> str:
    """A text without case, accents, invisible characters and entities (NFKD, so that ﬁ is fi and １ is 1)."""
    seen = unicodedata.normalize("NFKD", html.unescape(text))
    if not seen.isascii():
        seen = "".join(_seen(letter) for letter in seen if unicodedata.category(letter) not in {"Mn", "Cf"})
    return _APOSTROPHES.sub("", seen.casefold())


def telephone_numbers(text: str) -> list[str]:
    """Every number that could be rung, from the area code on: +44 (0)1225, 0044 1225 and 01225 are all 1225."""
    runs = (re.sub(r"\D", "", run) for run in _TELEPHONE.findall(plain(text)))
    return [run.removeprefix("00").removeprefix("44").lstrip("0") for run in runs]


def postcodes(text: str) -> list[str]:
    """Every postcode in an address, without its space, in the look-alike letters of `look_alike`."""
    upper = unicodedata.normalize("NFKC", text).upper()
    return [look_alike((outward + inward).lower()) for outward, inward in _POSTCODE.findall(upper)]


def without_postcodes(text: str) -> str:
    """An address without its postcode."""
    return re.sub(_POSTCODE.pattern, ",", unicodedata.normalize("NFKC", text), flags=re.IGNORECASE)


def look_alike(text: str) -> str:
    """Letters that are taken for digits are those digits."""
    return text.translate(str.maketrans("oil", "011"))


def joined_from(found: Sequence[str], start: int, longest: int) -> Iterator[tuple[str, int]]:
    """The words from one on, written together: first one, then two …; each with the place after it."""
    joined = ""
    for place in range(start, len(found)):
        joined += found[place]
        if len(joined) > longest:
            return
        yield joined, place + 1


def places_of(found: Sequence[str], wanted: Collection[str], *, nearly_from: int = 0) -> Iterator[tuple[int, int, str]]:
    """Where one of the words wanted stands, however it is spaced: from, to, and what stands there.

    With `nearly_from`, one of at least so many letters may have one letter wrong, but not the first.
    """
    longest, firsts = max(map(len, wanted), default=0) + 1, {each[:1] for each in wanted}
    for start, word in enumerate(found):
        if word[0] not in firsts:
            continue
        for joined, after in joined_from(found, start, longest):
            if joined in wanted or (nearly_from and any(_is_nearly(joined, each, nearly_from) for each in wanted)):
                yield start, after, joined


def one_edit_apart(one: str, other: str) -> bool:
    """Whether one letter is wrong, missing or too many, or two that stand side by side are swapped."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return one == other
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, others = one[same:], other[same:]
    swapped = rest[:2] == others[1::-1] and rest[2:] == others[2:] and len(rest) > 1
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:] or swapped


def _is_nearly(joined: str, wanted: str, least: int) -> bool:
    return len(wanted) >= least and one_edit_apart(joined, wanted)


def _seen(letter: str) -> str:
    return str(unicodedata.decimal(letter)) if unicodedata.category(letter) == "Nd" else letter


def _numbered(found: Sequence[str]) -> Iterator[str]:
    """The same with numbers as digits: twenty one is 21."""
    tens = 0
    for word in found:
        number = _NUMBERS.get(word, 0)
        if tens and 0 < number < 10:
            yield str(tens + number)
            tens = 0
            continue
        if tens:
            yield str(tens)
        tens = number if number >= 20 else 0
        if not tens:
            yield str(number) if number else word
    if tens:
        yield str(tens)
