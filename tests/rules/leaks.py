"""Releases as people write them, with a protected address, number or name in one of its spellings, and without any.

`python -m tests.rules.leaks` says how many of a thousand leave, and how many harmless ones are stopped.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable

from rules.outgoing import Find, Guard, Person, find, numbers_in

TRIALS, SEED = 1000, 20261126
_STREETS = (
    "Larkhall", "Mill", "Church", "Saint Saviour's", "Elm", "Victoria", "Wellsway", "Kingsmead North", "Beech", "High",
    "Old Orchard", "Brougham", "Bloomfield", "Cedar", "St James's",
)  # fmt: skip
_KINDS = (
    "Street", "Road", "Avenue", "Lane", "Close", "Drive", "Crescent", "Gardens", "Square", "Terrace", "Place", "Court",
)  # fmt: skip
_SHORT = {
    "Street": "St.", "Road": "Rd", "Avenue": "Ave", "Lane": "Ln", "Close": "Cl", "Drive": "Dr.", "Crescent": "Cres",
    "Gardens": "Gdns", "Square": "Sq", "Terrace": "Terr.", "Place": "Pl.", "Court": "Ct",
}  # fmt: skip
_NUMBERS = [
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_GIVEN = ("Robin", "Zoë", "Mary Jane", "Darren", "Aoife", "Mohammed", "Chloe", "Tomasz", "Grace", "Owen", "Elizabeth")
_CALLED = {"Mary Jane": "Molly", "Darren": "Daz", "Mohammed": "Mo", "Tomasz": "Tomek", "Elizabeth": "Beth"}
_FAMILY = ("Ashdown", "O'Brien", "Smith-Jones", "Kowalski", "Holt", "Müller", "MacDonald", "Patel", "Rees", "Young")
_AROUND = (
    ("The mother moved to {} last week.", "She can be seen there after school."),
    ("Police were called ({}) in January;", "no arrest was made."),
    ("Please write to: {}", "and mark it private."),
    ("School says that {} was mentioned,", "and that nobody should know."),
    ("{}", ""),
)
_HARMLESS = (
    "The child was seen at school on {day} and said that home was {adjective}.",
    "A call on {day} to {street}; nobody was hurt, {number} officers attended.",
    "Please ring the duty desk on {telephone} before {day}.",
    "The health visitor, {name}, weighed the baby at {number} weeks.",
    "Aged {number}. Lives with {name} near {street}, postcode {postcode}.",
    "Attendance was {number} per cent; {name} of the school was told on {day}.",
    "Hold the strategy discussion within the day, and tell {name}.",
    "The family used to live at {number} {street}, {postcode}, until {day}.",
    "Reference {telephone} is not a telephone number of anybody's; see page {number}.",
    "The GP at {street} Surgery has no concern, and wrote so on {day}.",
)  # fmt: skip


class Case:
    """One protected address, one number, and one person, made up from a seed."""

    def __init__(self, dice: random.Random) -> None:
        self.number, self.letter = dice.randint(1, 219), dice.choice(["", "", "", "a", "B"])
        self.street, self.kind = dice.choice(_STREETS), dice.choice(_KINDS)
        outward, inward = f"BA{dice.randint(1, 16)}", f"{dice.randint(1, 9)}{_two(dice)}"
        self.postcode = f"{outward} {inward}"
        self.telephone = f"0{dice.choice(['1225', '1761', '7700', '7912'])}{dice.randint(100000, 999999)}"
        self.given, self.family = dice.choice(_GIVEN), dice.choice(_FAMILY)
        flat = dice.choice(["", "", f"Flat {dice.randint(2, 40)}, "])
        self.address = f"{flat}{self.number}{self.letter} {self.street} {self.kind}, Bath {self.postcode}"

    def guard(self) -> Guard:
        """What the record would guard."""
        numbers = [("S1", number) for number in numbers_in(self.telephone)]
        return Guard([("S1", self.address)], numbers, [("S2", Person(self.given, self.family))])


def _two(dice: random.Random) -> str:
    return "".join(dice.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(2))


def _address(case: Case, dice: random.Random) -> str:
    number = f"{case.number}{case.letter}"
    if case.number < 20 and not case.letter and dice.random() < 0.2:
        number = dice.choice([str.title, str.lower])(_NUMBERS[case.number - 1])
    kind = dice.choice([case.kind, _SHORT[case.kind], case.kind.lower(), ""])
    street = dice.choice([case.street, case.street.replace("Saint", "St"), case.street.replace("'", "’")])
    street = dice.choice([street, street.replace(" ", "-"), street.replace(" ", "\n")])
    if dice.random() < 0.15 and len(street) > 8:
        street = _mistyped(street, dice)
    shapes = (
        "{n} {s} {k}", "{n}, {s} {k}", "no. {n} {s} {k}", "{s} {k}, {n}", "{s} {k} no {n}", "{n}\n{s}\n{k}",
        "Apt 3, {n} {s} {k}", "{n} the {s} {k}",
    )  # fmt: skip
    return dice.choice(shapes).format(n=number, s=street, k=kind)


def _mistyped(text: str, dice: random.Random) -> str:
    """One letter is missing, not the first of all."""
    place = dice.randint(2, len(text) - 2)
    return text[:place] + text[place + 1 :] if text[place].isalpha() and text[place - 1].isalpha() else text


def _postcode(case: Case, dice: random.Random) -> str:
    outward, inward = case.postcode.split()
    return dice.choice(["{} {}", "{}{}", "{}\n{}", "{}-{}", "{}  {}", "{}.{}"]).format(outward, inward)


def _telephone(case: Case, dice: random.Random) -> str:
    area, rest = case.telephone[1:5], case.telephone[5:]
    return dice.choice(
        ["0{a}{r}", "0{a} {r}", "+44{a}{r}", "+44 (0){a} {r}", "0044 {a} {r}", "(0{a}) {r}", "0{a}-{r}", "0{a}\n{r}"]
    ).format(a=area, r=dice.choice([rest, f"{rest[:3]} {rest[3:]}", f"{rest[:2]}.{rest[2:4]}.{rest[4:]}"]))


def _name(case: Case, dice: random.Random) -> str:
    initial = case.given[0]
    shapes = ["{g} {f}", "{f}, {g}", "{f} {g}", "{g}\n{f}", "Ms {f}", "Mr. {f}", "{g} Marie {f}", "{g}-{f}", "{g}{f}"]
    if case.given in _CALLED:
        shapes += [f"{_CALLED[case.given]} {{f}}", f"{{f}}, {_CALLED[case.given]}"]
    if initial != "A":
        shapes += ["{i} {f}", "{i}. {f}", "{i}.{f}", "{f}, {i}."]
    family = dice.choice([case.family, case.family.replace("-", " "), case.family.replace("'", "’")])
    return dice.choice(shapes).format(g=case.given, f=family, i=initial)


def _dressed(text: str, dice: random.Random) -> str:
    """In another case, with accents gone, wide letters, invisible ones, or other white space."""
    how: tuple[Callable[[str], str], ...] = (
        str, str.upper, str.lower, str.swapcase,
        lambda text: text.replace(" ", "\u00a0"), lambda text: text.replace(" ", " \n\t"),
        "\u200b".join, lambda text: text.replace("ë", "e").replace("ü", "u"),
        lambda text: text.translate({n: n + 0xFEE0 for n in range(0x21, 0x7F)}),
        lambda text: text.replace("'", "&#39;"),
    )  # fmt: skip
    return dice.choice(how)(text)


def leaking(dice: random.Random) -> tuple[Guard, str, str]:
    """A guard, a text that must be stopped by it, and what is in it."""
    case = Case(dice)
    what = dice.choice([_address, _address, _postcode, _telephone, _name])
    before, after = dice.choice(_AROUND)
    return case.guard(), before.format(_dressed(what(case, dice), dice)) + " " + after, what.__name__


def harmless(dice: random.Random) -> tuple[Guard, str]:
    """A guard, and a text in which nothing of it stands, though a street or a person may have half its name."""
    case, other = Case(dice), Case(dice)
    while (other.street, other.kind) == (case.street, case.kind) or other.family == case.family:
        other = Case(dice)
    if dice.random() < 0.3 and case.given != other.given:
        other.family = case.family
    called = dice.choice([other.given, _CALLED.get(other.given, other.given)])
    words = {
        "day": f"{dice.randint(1, 28)} January 2026", "adjective": dice.choice(["calm", "loud", "cold"]),
        "street": f"{other.street} {other.kind}", "number": dice.randint(2, 219), "telephone": other.telephone,
        "postcode": other.postcode, "name": f"{called} {other.family}",
    }  # fmt: skip
    return case.guard(), " ".join(dice.choice(_HARMLESS).format(**words) for _ in range(6))


def left(trials: int = TRIALS, seed: int = SEED) -> list[tuple[str, str]]:
    """The texts that left although they should not have, with what was in each."""
    dice = random.Random(seed)
    made = [leaking(dice) for _ in range(trials)]
    return [(what, text) for guard, text, what in made if not find(text, guard)]


def false_alarms(trials: int = TRIALS, seed: int = SEED) -> list[tuple[Find, str]]:
    """What was found in texts in which there was nothing."""
    dice = random.Random(seed)
    made = [harmless(dice) for _ in range(trials)]
    return [(found, re.sub(r"\s+", " ", text)) for guard, text in made for found in find(text, guard)]


if __name__ == "__main__":
    print(f"left: {len(left())} of {TRIALS}; by what was in them: {dict(Counter(what for what, _ in left()))}")
    stopped = false_alarms()
    print(f"false alarms: {len({text for _, text in stopped})} of {TRIALS} harmless texts", end="; ")
    print(f"by kind: {dict(Counter(str(found.kind) for found, _ in stopped))}; seed {SEED}")
