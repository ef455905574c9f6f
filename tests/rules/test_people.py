"""NHS numbers and ages."""

from __future__ import annotations

from datetime import date

import pytest

from rules.people import Side, age_on, is_child, is_nhs_number, normalise_nhs_number


@pytest.mark.parametrize("typed", ["9434765919", "943 476 5919", "943-476-5919", " 943 476 5919 "])
def test_an_nhs_number_is_its_ten_digits(typed: str) -> None:
    """R08"""
    assert normalise_nhs_number(typed) == "9434765919"
    assert is_nhs_number(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "9434765918",  # wrong check digit
        "9434756919",  # two neighbours swapped
        "943476591",
        "94347659190",
        "943476591X",
        "٩٤٣٤٧٦٥٩١٩",  # digits, but not ours
        "0000000000",
        "1111111111",
    ],
)
def test_what_is_not_an_nhs_number_is_refused_without_repeating_it(typed: str) -> None:
    """R08, R51"""
    assert not is_nhs_number(typed)
    with pytest.raises(ValueError, match=r"^not an NHS number: ten digits, of which the last is a check digit$"):
        normalise_nhs_number(typed)


@pytest.mark.parametrize(
    ("born", "on", "age"),
    [
        (date(2010, 6, 15), date(2026, 6, 14), 15),
        (date(2010, 6, 15), date(2026, 6, 15), 16),
        (date(2010, 6, 15), date(2026, 6, 16), 16),
        (date(2026, 3, 1), date(2026, 3, 1), 0),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2008, 2, 29), date(2028, 2, 29), 20),
        (date(1930, 12, 31), date(2026, 1, 1), 95),
    ],
)
def test_age_counts_birthdays(born: date, on: date, age: int) -> None:
    """R08"""
    assert age_on(born, on) == age


def test_nobody_has_an_age_before_birth() -> None:
    """R08"""
    with pytest.raises(ValueError, match="not born yet"):
        age_on(date(2026, 5, 1), date(2026, 4, 30))


@pytest.mark.parametrize(
    ("born", "child"),
    [(date(2008, 3, 14), True), (date(2008, 3, 13), False), (date(2026, 9, 1), True), (date(1950, 1, 1), False)],
)
def test_a_child_is_under_eighteen_or_not_yet_born(born: date, child: bool) -> None:
    """R08"""
    assert is_child(born, date(2026, 3, 13)) is child


def test_there_are_two_sides() -> None:
    """R01"""
    assert [str(side) for side in Side] == ["child", "adult"]
