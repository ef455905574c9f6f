"""How pages say what is wrong with a field."""

from __future__ import annotations

import pytest

from portal.words import day_words, error_sentence
from rules.errors import FieldError


@pytest.mark.parametrize(
    ("pointer", "named"),
    [
        ("/reason", "Reason"),
        ("/items/0/relevant", "Item 1, is it relevant"),
        ("/items/2/source", "Item 3, where it is written"),
        ("/concern/source", "Who told you"),
        ("/items/0/about/0", "Item 1, about whom"),
        ("/subjects/1/given_name", "Person 2, first name"),
        ("/systems_searched", "Systems searched"),
        ("/sending_officer/name", "Your name"),
        ("/a_field_of_tomorrow", "This"),
        ("", "This"),
    ],
)
def test_an_error_names_its_field_as_the_page_does_and_the_row_that_it_stands_in(pointer: str, named: str) -> None:
    """R01: plain errors"""
    assert error_sentence(FieldError(pointer, "is missing")) == f"{named}: please answer this"


def test_a_date_of_a_document_is_said_as_people_write_it() -> None:
    """R30"""
    assert day_words("2026-03-09") == "9 March 2026"
