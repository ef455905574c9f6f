"""Two records of one person are told from records of two (R14)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rules.given_names import kin
from rules.given_names import others as called_besides
from rules.radar import SIGNS, Level, Person, Sign, compare, in_words, keys

NHS, ANOTHER_NHS = "9990000018", "9990000026"
HOME, AWAY = "Flat 2, 14 Harbour Lane, Exampleton, BA1 1AA", "3 Quarry Road, Exampleton, BA2 9ZZ"
WREN = Person("Elizabeth", "Ashdown", date(2016, 5, 4), None, HOME)


def but(**more: Any) -> Person:
    """The same child, entered otherwise."""
    known = {name: getattr(WREN, name) for name in ("given_name", "family_name", "born_on", "nhs_number", "address")}
    return Person(**{**known, **more})


SAME_PERSON = [
    ("a short form", {"given_name": "Lizzie"}, Sign.GIVEN_SHORT),
    ("names in each other's places", {"given_name": "Ashdown", "family_name": "Elizabeth"}, Sign.NAMES_SWAPPED),
    ("two letters swapped", {"family_name": "Ashdonw"}, Sign.FAMILY_NEARLY),
    ("a letter too few", {"given_name": "Elizbeth"}, Sign.GIVEN_NEARLY),
    ("a second name", {"given_name": "Elizabeth Rose"}, Sign.GIVEN_SAME),
    ("called by the second name", {"given_name": "Rose Elizabeth"}, Sign.GIVEN_AMONG),
    ("a name in two parts", {"family_name": "Ashdown-Hill"}, Sign.FAMILY_AMONG),
    ("another spelling", {"family_name": "Ashdowne"}, Sign.FAMILY_NEARLY),
    ("accents and case", {"given_name": "ELÍZABETH"}, Sign.GIVEN_SAME),
    ("day and month swapped", {"born_on": date(2016, 4, 5)}, Sign.BORN_SWAPPED),
    ("one digit wrong", {"born_on": date(2018, 5, 4)}, Sign.BORN_ONE_DIGIT),
    ("moved house", {"address": AWAY}, Sign.HOME_DIFFERENT),
    ("the street written short", {"address": "14 Harbour Ln, flat 2, BA11AA"}, Sign.HOME_SAME),
    ("no postcode", {"address": "Flat 2, 14 Harbour Lane, Exampleton"}, Sign.HOME_SAME),
]


@pytest.mark.parametrize(("entered", "sign"), [case[1:] for case in SAME_PERSON], ids=[case[0] for case in SAME_PERSON])
def test_one_person_entered_otherwise_is_found_and_known(entered: dict[str, Any], sign: Sign) -> None:
    """R14: nicknames, swapped names, typing errors, moved house, NHS number missing"""
    other = but(**entered)
    match = compare(WREN, other)
    assert match is not None
    assert match.level in {Level.PROBABLE, Level.POSSIBLE}
    assert sign in match.signs
    assert SIGNS[sign][1] in match.in_words
    assert set(keys(WREN).values()) & set(keys(other).values())


def test_the_same_nhs_number_finds_somebody_of_whom_all_else_has_changed() -> None:
    """R14: one of the two records is wrong, and somebody should see that"""
    match = compare(but(nhs_number=NHS), Person("Rowan", "Fairfield", date(1971, 1, 1), "999 000 0018", AWAY))
    assert match is not None
    assert (match.level, match.signs[0]) == (Level.POSSIBLE, Sign.NHS_SAME)
    assert "; but " in match.in_words


NOT_HERS = [
    ("a sister", {"given_name": "Rowan", "born_on": date(2013, 1, 30)}),
    ("a twin", {"given_name": "Rowan"}),
    ("a twin of another number", {"given_name": "Rowan", "nhs_number": ANOTHER_NHS}),
]


@pytest.mark.parametrize("entered", [case[1] for case in NOT_HERS], ids=[case[0] for case in NOT_HERS])
def test_who_lives_with_her_is_of_the_household_and_not_she(entered: dict[str, Any]) -> None:
    """R14: household"""
    match = compare(but(nhs_number=NHS), but(**entered))
    assert match is not None
    assert match.level is Level.HOUSEHOLD
    assert set(match.signs) == {Sign.HOME_SAME, Sign.FAMILY_SAME}


STRANGERS = [
    ("of one name", {"born_on": date(1988, 11, 30), "address": AWAY}),
    ("of one birthday", {"given_name": "Rowan", "family_name": "Fairfield", "address": AWAY}),
    ("of one first name and birthday", {"family_name": "Fairfield", "address": AWAY}),
    ("of the house next door", {"given_name": "Rowan", "address": HOME.replace("14", "16")}),
    ("of no birthday and no address", {"born_on": None, "address": None}),
]


@pytest.mark.parametrize("entered", [case[1] for case in STRANGERS], ids=[case[0] for case in STRANGERS])
def test_strangers_are_not_shown(entered: dict[str, Any]) -> None:
    """R14: precision"""
    assert compare(WREN, but(**entered)) is None


@pytest.mark.parametrize("unnamed", ["", "Unborn", "Baby", "unknown"])
def test_a_first_name_that_nobody_knows_speaks_neither_for_nor_against(unnamed: str) -> None:
    """R14: a child who was referred before it had a name is found, and never taken for another child as a sure thing"""
    match = compare(WREN, but(given_name=unnamed))
    assert match is not None
    assert match.level is Level.POSSIBLE
    assert not {Sign.GIVEN_DIFFERENT, Sign.GIVEN_SAME, Sign.NAMES_SWAPPED} & set(match.signs)
    assert compare(WREN, but(given_name=unnamed, nhs_number=NHS, address=AWAY, born_on=None)) is None
    again = compare(but(nhs_number=NHS), but(given_name=unnamed, nhs_number=NHS))
    assert again is not None
    assert again.level is Level.PROBABLE


def test_a_common_name_says_less() -> None:
    one, other = (
        but(family_name="Smith", address=None),
        but(family_name="Smith", address=AWAY, born_on=date(2018, 5, 4)),
    )
    assert compare(one, other) is None
    assert compare(but(address=None), but(address=AWAY, born_on=date(2018, 5, 4))) is not None


def test_different_nhs_numbers_are_never_called_probable() -> None:
    match = compare(but(nhs_number=NHS), but(nhs_number=ANOTHER_NHS))
    assert match is not None
    assert match.level is Level.POSSIBLE


@pytest.mark.parametrize(
    ("one", "other", "short"),
    [
        ("liz", "elizabeth", True), ("bob", "rob", True), ("alex", "alexandra", True), ("peggy", "margaret", True),
        ("alexander", "alexandra", False), ("elizabeth", "elizabeth", False), ("wren", "rowan", False),
    ],
)  # fmt: skip
def test_short_forms(one: str, other: str, short: bool) -> None:
    assert (other in called_besides(one)) is (one in called_besides(other)) is short
    if short:
        assert kin(one) == kin(other)


def test_what_is_looked_for_names_nobody_without_a_name_date_number_or_home() -> None:
    assert keys(Person("?", "-")) == {}
    assert set(keys(but(nhs_number=NHS))) == {"nhs", "names", "born", "given-day", "family-day", "home"}


NAMES = st.sampled_from(
    ["Elizabeth", "Liz", "Rowan", "Wren", "Ana Maria", "O’Brien", "Smith", "Ashdown-Hill", "李", ""]
)
PEOPLE = st.builds(
    Person,
    NAMES,
    NAMES,
    st.none() | st.dates(date(2010, 1, 1), date(2011, 12, 31)),
    st.sampled_from([None, NHS, ANOTHER_NHS]),
    st.sampled_from([None, HOME, AWAY, "Harbour Lane", "14", "\x00"]),
)


@given(PEOPLE, PEOPLE)
def test_it_does_not_matter_who_is_named_first(one: Person, other: Person) -> None:
    """Property: symmetric, and the score is the sum of what is said"""
    match, back = compare(one, other), compare(other, one)
    assert match == back
    if match:
        assert match.score == sum(SIGNS[sign][0] for sign in match.signs)
        assert in_words(match.signs)


@given(PEOPLE)
def test_everybody_of_a_name_and_a_birthday_is_like_themselves(person: Person) -> None:
    """Property: found by every key, and probably the same"""
    assume(person.given and person.family and person.born_on)
    match = compare(person, person)
    assert match is not None
    assert match.level is Level.PROBABLE


@given(st.data())
def test_one_slip_in_a_last_name_loses_nobody(data: st.DataObject) -> None:
    """Property: whatever letter is missed, doubled or swapped"""
    name = data.draw(st.text("abcdefghijklmnoprstuvw", min_size=6, max_size=12))
    place = data.draw(st.integers(0, len(name) - 2))
    slips = [
        name[:place] + name[place + 1 :],
        name[: place + 1] + name[place:],
        name[:place] + name[place + 1] + name[place] + name[place + 2 :],
    ]
    slipped = data.draw(st.sampled_from(slips))
    one, other = but(family_name=name), but(family_name=slipped)
    match = compare(one, other)
    assert match is not None
    assert match.level is Level.PROBABLE
    assert set(keys(one).values()) & set(keys(other).values())
