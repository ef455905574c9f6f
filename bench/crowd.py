"""A made-up population for the radar, and how somebody is entered a second time: seeded, and nobody there is real.

It is of our own making, and so is its error model: names by rank as in England, households with brothers, sisters and
twins, and in a second entry what offices do to names, dates and addresses. One short form in five is none that the
rules know.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from rules.given_names import others
from rules.people import is_nhs_number
from rules.radar import Person

GIVEN = [
    "Oliver", "George", "Noah", "Arthur", "Harry", "Leo", "Muhammad", "Jack", "Charlie", "Oscar", "Jacob", "Henry",
    "Thomas", "Freddie", "Alfie", "Theo", "William", "Theodore", "Archie", "Joshua", "Alexander", "James", "Isaac",
    "Edward", "Lucas", "Tommy", "Finley", "Max", "Logan", "Ethan", "Mohammed", "Teddy", "Benjamin", "Arlo",
    "Joseph", "Sebastian", "Harrison", "Elijah", "Adam", "Daniel", "Samuel", "Louie", "Mason", "Reuben", "Albie",
    "Rory", "Jaxon", "Hugo", "Luca", "Zachary", "Reggie", "Hunter", "Louis", "Dylan", "Albert", "David", "Jude",
    "Frankie", "Roman", "Ezra", "Toby", "Riley", "Carter", "Ronnie", "Frederick", "Gabriel", "Stanley", "Bobby",
    "Jesse", "Michael", "Elliot", "Grayson", "Mohammad", "Liam", "Jenson", "Ellis", "Harley", "Harvey", "Jayden",
    "Jake", "Ralph", "Rowan", "Elliott", "Jasper", "Ollie", "Charles", "Finn", "Felix", "Caleb", "Chester",
    "Jackson", "Hudson", "Leon", "Ibrahim", "Ryan", "Blake", "Alfred", "Oakley", "Matthew", "Luke", "Olivia",
    "Amelia", "Isla", "Ava", "Mia", "Ivy", "Lily", "Isabella", "Rosie", "Sophia", "Grace", "Willow", "Freya",
    "Florence", "Emily", "Ella", "Poppy", "Evie", "Elsie", "Charlotte", "Evelyn", "Sienna", "Sofia", "Daisy",
    "Phoebe", "Sophie", "Alice", "Harper", "Matilda", "Ruby", "Emilia", "Maya", "Millie", "Isabelle", "Eva", "Luna",
    "Jessica", "Ada", "Aria", "Arabella", "Maisie", "Esme", "Eliza", "Penelope", "Bonnie", "Chloe", "Mila",
    "Violet", "Hallie", "Scarlett", "Layla", "Imogen", "Eleanor", "Molly", "Harriet", "Elizabeth", "Thea", "Erin",
    "Lottie", "Emma", "Rose", "Delilah", "Bella", "Aurora", "Lola", "Nancy", "Ellie", "Mabel", "Lucy", "Ayla",
    "Maria", "Orla", "Zara", "Robyn", "Hannah", "Gracie", "Iris", "Jasmine", "Darcie", "Margot", "Holly", "Amelie",
    "Amber", "Georgia", "Edith", "Maryam", "Abigail", "Myla", "Anna", "Clara", "Lilly", "Lyra", "Summer", "Maeve",
    "Heidi", "Elodie", "Lyla", "Eden", "Olive", "Aisha", "Susan", "Margaret", "Patricia", "Christine", "Jean",
    "Linda", "Karen", "Helen", "Jacqueline", "Deborah", "Julie", "Catherine", "Robert", "John", "Paul", "Andrew",
    "Peter", "Stephen", "Kevin", "Anthony", "Christopher", "Richard", "Kenneth", "Graham", "Wiktoria", "Zuzanna",
    "Kacper", "Fatima", "Priya", "Arjun",
]  # fmt: skip
COMMON = [
    "Smith", "Jones", "Taylor", "Brown", "Williams", "Wilson", "Johnson", "Davies", "Robinson", "Wright",
    "Thompson", "Evans", "Walker", "White", "Roberts", "Green", "Hall", "Wood", "Jackson", "Clarke", "Patel",
    "Khan", "Lewis", "James", "Phillips", "Mason", "Mitchell", "Rose", "Davis", "Rodgers", "Cox", "Alexander",
    "Begum", "Turner", "Hill", "Hughes", "Edwards", "Martin", "Cooper", "Ward", "Morris", "Moore", "Clark", "Lee",
    "King", "Baker", "Harrison", "Morgan", "Allen", "Scott", "Watson", "Parker", "Bennett", "Young", "Chapman",
    "Ali", "Ahmed", "Hussain", "Singh", "Kaur", "Kelly", "Murphy", "Bailey", "Richardson", "Shaw", "Carter",
]  # fmt: skip
_HEADS = [
    "Ash", "Bar", "Bram", "Burn", "Cald", "Car", "Chat", "Clay", "Cor", "Crom", "Dal", "Den", "Dun", "Ed", "Fair",
    "Farn", "Fen", "Gar", "Glen", "Had", "Hart", "Hawk", "Hel", "Hol", "Hux", "Kel", "Ken", "Lang", "Led", "Lin",
    "Lock", "Mar", "Mel", "Mor", "Nor", "Oak", "Pen", "Pick", "Rad", "Red", "Rod", "Row", "Sax", "Shel", "Sher",
    "Stan", "Strat", "Sut", "Thorn", "Tre", "Under", "Wad", "Wal", "War", "Wen", "Whit", "Win", "Wool", "Yar",
]  # fmt: skip
_MIDS = ["", "", "", "a", "er", "en", "ing", "les"]
_TAILS = [
    "bourne", "bridge", "bury", "by", "combe", "cote", "croft", "dale", "den", "don", "down", "field", "ford",
    "gate", "ham", "hurst", "land", "ley", "low", "man", "mere", "more", "nell", "ridge", "rick", "shaw", "side",
    "son", "stead", "stock", "ston", "ter", "thwaite", "ton", "tree", "wald", "ward", "well", "wick", "wood",
    "worth",
]  # fmt: skip
_STREETS = [
    "Harbour", "Quarry", "Mill", "Church", "Station", "Orchard", "Meadow", "Park", "Victoria", "Albert", "Kings",
    "Queens", "Manor", "Green", "Chapel", "Bridge", "Castle", "Spring", "Elm", "Oak", "Ash", "Willow", "Cedar",
    "Canal", "River", "Abbey", "Priory", "Market", "North", "South", "East", "West", "Upper", "Lower",
]  # fmt: skip
_KINDS = [
    "Street", "Road", "Lane", "Close", "Avenue", "Drive", "Crescent", "Gardens", "Grove", "Terrace", "Place",
    "Court",
]  # fmt: skip
_SHORT = {"Street": "St", "Road": "Rd", "Lane": "Ln", "Avenue": "Ave", "Drive": "Dr", "Gardens": "Gdns"}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_BESIDE = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wqqrtyuipoaasdfghjkkzzxcvbn", strict=False))


@dataclass(frozen=True)
class Error:
    """How often, of one entry, something is so; a pair is two entries. Only who moved, moved between the two."""

    nhs_unknown: float = 0.45
    short_form: float = 0.10
    given_slip: float = 0.05
    second_name: float = 0.05
    family_slip: float = 0.05
    family_changed: float = 0.02
    double_name: float = 0.03
    swapped: float = 0.02
    born_swapped: float = 0.03
    born_digit: float = 0.04
    born_unknown: float = 0.02
    moved: float = 0.30
    address_unknown: float = 0.08
    no_postcode: float = 0.10


class Crowd:
    """Households without an end; the same seed makes the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- the same again is what is wanted
        self._numbered = 0
        self._given_weights = list(accumulate(1 / (rank + 12) for rank in range(len(GIVEN))))
        self._common_weights = list(accumulate(1 / (rank + 6) for rank in range(len(COMMON))))

    def people(self, count: int) -> Iterator[Person]:
        """So many people, household after household, as they are: whole and right."""
        made = 0
        while made < count:
            for person in self.household():
                yield person
                made += 1
                if made == count:
                    return

    def household(self) -> list[Person]:
        """Who lives behind one door: mostly one name, sometimes twins."""
        family, address = self.family_name(), self.address()
        found: list[Person] = []
        for _ in range(self._random.choices([1, 2, 3, 4, 5], [3, 3, 2, 1, 1])[0]):
            found.append(self.member(found, family, address))
        return found

    def member(self, others: Sequence[Person], family: str, address: str) -> Person:
        """One more of a household, of another first name than the others'; one in thirty has a twin there."""
        taken = {each.given_name for each in others}
        given = next(name for name in iter(self._given_name, "") if name not in taken)
        twin = others and self._random.random() < 1 / 30
        born = others[-1].born_on if twin else self._birthday()
        own = self.family_name() if self._random.random() < 0.15 else family
        return Person(given, own, born, self.nhs_number(), address)

    def as_entered(self, person: Person, error: Error) -> Person:
        """The same person as an office enters them, a first time or again."""
        often = self._random.random
        if often() < error.moved:
            person = replace(person, address=self.address())
        person = replace(
            person,
            nhs_number=None if often() < error.nhs_unknown else person.nhs_number,
            given_name=self._entered_given(person.given_name, error),
            family_name=self._entered_family(person.family_name, error),
            born_on=self._entered_born(person.born_on, error),
            address=self._entered_address(person.address, error),
        )
        if often() < error.swapped:
            person = replace(person, given_name=person.family_name, family_name=person.given_name)
        return person

    def family_name(self) -> str:
        """A third bear one of the common names; the others one of many thousands."""
        if self._random.random() < 0.33:
            return self._random.choices(COMMON, cum_weights=self._common_weights)[0]
        return self._random.choice(_HEADS) + self._random.choice(_MIDS) + self._random.choice(_TAILS)

    def address(self) -> str:
        """A door in a street, sometimes a flat."""
        street = self._random.randrange(3_000)
        number = self._random.randint(1, 120)
        name = f"{_STREETS[street % len(_STREETS)]} {_KINDS[street // len(_STREETS) % len(_KINDS)]}"
        flat = f"Flat {self._random.randint(1, 9)}, " if self._random.random() < 0.1 else ""
        inward = f"{street % 9 + 1}{_LETTERS[number // 15 + 1].upper()}{_LETTERS[street // 9 % 20].upper()}"
        return f"{flat}{number} {name}, Exampleton, BA{street // 180 + 1} {inward}"

    def nhs_number(self) -> str:
        """A number that nobody else of this crowd has, with a right check digit; none of these has been issued."""
        while True:
            self._numbered += 1
            body = f"9{self._numbered * 7919 % 10**8:08d}"
            check = (11 - sum(int(digit) * (10 - place) for place, digit in enumerate(body)) % 11) % 11
            if check < 10 and is_nhs_number(f"{body}{check}"):
                return f"{body}{check}"

    def _given_name(self) -> str:
        return self._random.choices(GIVEN, cum_weights=self._given_weights)[0]

    def _birthday(self) -> date:
        """Two thirds are children."""
        years = 18 if self._random.random() < 0.67 else 90
        return date(2026, 3, 16) - timedelta(days=self._random.randrange(1, years * 365))

    def _entered_given(self, name: str, error: Error) -> str:
        chance = self._random.random()
        if chance < error.short_form:
            return self._short(name)
        if chance < error.short_form + error.given_slip:
            return self._slip(name)
        return f"{name} {self._given_name()}" if self._random.random() < error.second_name else name

    def _short(self, name: str) -> str:
        known = sorted(others(name.casefold()))
        if known and self._random.random() < 0.8:
            return self._random.choice(known).capitalize()
        return f"{name[:3]}{self._random.choice(['y', 'ie', 's'])}"

    def _entered_family(self, name: str, error: Error) -> str:
        chance = self._random.random()
        if chance < error.family_changed:
            return self.family_name()
        if chance < error.family_changed + error.double_name:
            return f"{name}-{self.family_name()}"
        return self._slip(name) if self._random.random() < error.family_slip else name

    def _slip(self, name: str) -> str:
        """One key missed, doubled, hit beside, or two hit in the wrong order; first letters too."""
        place = self._random.randrange(len(name) - 1)
        before, letter, after = name[:place], name[place], name[place + 1 :]
        return {
            0: before + after,
            1: before + letter + letter + after,
            2: before + _BESIDE.get(letter.lower(), "e") + after,
            3: before + after[0] + letter + after[1:],
            4: before + self._random.choice(_LETTERS) + after,
        }[self._random.randrange(5)].capitalize()

    def _entered_born(self, born: date | None, error: Error) -> date | None:
        chance = self._random.random()
        if born is None or chance < error.born_unknown:
            return None
        if chance < error.born_unknown + error.born_swapped and born.day <= 12:
            return born.replace(day=born.month, month=born.day)
        if chance < error.born_unknown + error.born_swapped + error.born_digit:
            return self._wrong_digit(born)
        return born

    def _wrong_digit(self, born: date) -> date:
        while True:
            text = born.isoformat()
            place = self._random.choice([2, 3, 5, 6, 8, 9])
            wrong = text[:place] + self._random.choice("0123456789") + text[place + 1 :]
            try:
                if wrong != text:
                    return date.fromisoformat(wrong)
            except ValueError:
                continue

    def _entered_address(self, address: str | None, error: Error) -> str | None:
        chance = self._random.random()
        if address is None or chance < error.address_unknown:
            return None
        if chance < error.address_unknown + error.no_postcode:
            address = address.rpartition(", ")[0]
        if self._random.random() < 0.3:
            for long, short in _SHORT.items():
                address = address.replace(long, short)
        return address
