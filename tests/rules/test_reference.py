"""References: opaque, and safe to read out on the telephone."""

from __future__ import annotations

import random

import pytest

from rules.reference import ALPHABET, is_reference, new_reference, normalise

SOME = [new_reference(random.Random(seed).choice) for seed in range(20)]


def test_a_new_reference_is_one() -> None:
    """R51: nothing in it but random characters and their check."""
    assert all(is_reference(new_reference()) for _ in range(100))


def test_references_are_random() -> None:
    """R51"""
    assert len({new_reference() for _ in range(1000)}) == 1000


def test_the_same_choices_give_the_same_reference() -> None:
    """A test may choose the characters."""
    assert _complete("7KQ2XW9") == "7KQ2XW9S"


def test_its_characters_are_hard_to_mistake() -> None:
    """No vowels and no look-alikes, each once."""
    assert not set(ALPHABET) & set("AEIOU01L")
    assert len(set(ALPHABET)) == len(ALPHABET) == 28


@pytest.mark.parametrize(
    "typed", ["7KQ2-XW9S", "7kq2-xw9s", "7KQ2XW9S", " 7kq2 xw9s ", "7 K Q 2 - X W 9 S", "7KQ2--XW9S", "\t7KQ2XW9S\n"]
)
def test_a_reference_may_be_typed_as_people_type(typed: str) -> None:
    """Lower case, spaces and a missing dash are all the same reference."""
    assert normalise(typed) == "7KQ2-XW9S"


@pytest.mark.parametrize(
    "typed", ["", "7KQ2-XW9", "7KQ2-XW9SS", "7KQ2-XW9T", "7KQ2-XW9O", "OKQ2-XW9S", "7KQ2-XW9é", "٧KQ2-XW9S", "x" * 999]
)
def test_what_cannot_be_a_reference_is_refused_without_repeating_it(typed: str) -> None:
    """R51: the message is fit for a log."""
    with pytest.raises(ValueError, match=r"^not a reference: eight characters such as 7KQ2-XW9S"):
        normalise(typed)


@pytest.mark.parametrize("written", ["7kq2-xw9s", "7KQ2XW9S", " 7KQ2-XW9S"])
def test_only_the_hubs_own_spelling_is_a_reference(written: str) -> None:
    """What is stored and logged has one spelling."""
    assert is_reference("7KQ2-XW9S")
    assert not is_reference(written)


@pytest.mark.parametrize("reference", SOME)
def test_any_single_wrong_character_is_noticed(reference: str) -> None:
    """All 8 × 27 of them."""
    characters = reference.replace("-", "")
    wrong = [
        characters[:place] + other + characters[place + 1 :]
        for place in range(8)
        for other in ALPHABET
        if other != characters[place]
    ]
    assert not [text for text in wrong if _accepted(text)]


def test_nearly_every_swap_of_neighbours_is_noticed() -> None:
    """Of the 21,168 swaps of two different neighbours after any first character, 56 pass: 99.7 % are noticed."""
    swaps = [
        (_complete("55" + before + first + second + "44"), first, second)
        for before in ALPHABET
        for first in ALPHABET
        for second in ALPHABET
        if first != second
    ]
    missed = [text for text, first, second in swaps if _accepted(text[:3] + second + first + text[5:])]
    assert (len(swaps), len(missed)) == (21_168, 56)


def _complete(body: str) -> str:
    characters = iter(body)
    return new_reference(lambda _: next(characters)).replace("-", "")


def _accepted(text: str) -> bool:
    return is_reference(f"{text[:4]}-{text[4:]}")
