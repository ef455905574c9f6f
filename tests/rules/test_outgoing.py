"""What must not leave is found in whatever spelling, and harmless texts are let go (R29, issue 5)."""

from __future__ import annotations

import pytest

from rules.outgoing import Guard, Kind, Person, find, numbers_in, people_in
from tests.rules import leaks

HOME = Guard(
    addresses=[("S1", "Flat 2, 14a Saint Saviour's Road, Larkhall, Bath BA1 6RT")],
    numbers=[("S1", number) for number in numbers_in("01225 123456")],
    people=[("S2", Person("Robin Marie", "Holt-O'Brien")), ("POLICE", Person("", "Kowalski"))],
    known=[Person("Wren", "Ashdown")],
)


def kinds(text: str, guard: Guard = HOME) -> set[str]:
    return {str(found.kind) for found in find(text, guard)}


def test_of_a_thousand_releases_with_something_protected_none_leaves():
    """R29: line breaks, case, abbreviations, spacing, initials, the order of names, a letter missing"""
    assert leaks.left() == []


def test_at_most_one_harmless_text_in_a_hundred_is_stopped():
    """R29: in texts with other streets, people and numbers, some of which share half their name"""
    assert len({text for _, text in leaks.false_alarms()}) <= leaks.TRIALS // 100


@pytest.mark.parametrize(
    "text",
    [
        "14a Saint Saviour's Road", "14 St. Saviours Rd", "14A ST SAVIOUR’S RD.", "no 14, st-saviour's road",
        "Saint\nSaviour's\nRoad, 14", "fourteen Saint Saviours Road", "14 St Saviors Road", "14a, Saint-\nSaviour's Rd",
        "14\u00a0\uff33\uff54 Saviours Road", "14 Saint Saviour&#39;s Road", "flat 2/14 St Saviour's Road",
    ],
)  # fmt: skip
def test_a_number_and_a_street_are_the_address_however_they_are_written(text: str):
    """R29"""
    assert "ADDRESS" in kinds(f"She moved to {text} in May.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ba1 6rt", {"POSTCODE"}), ("BA16RT", {"POSTCODE"}), ("BA1-\n6RT", {"POSTCODE"}), ("BAI 6RT", {"POSTCODE"}),
        ("Saint Saviours Rd", {"PLACE"}), ("Saint Saviours Lane", set()), ("15 Saint Saviours Rd", {"PLACE"}),
        ("01225123456", {"TELEPHONE"}), ("+44 (0)1225 123 456", {"TELEPHONE"}), ("0044-1225-12 34 56", {"TELEPHONE"}),
        ("01225 123457", set()), ("07700 900123 / 01225 123456", {"TELEPHONE"}),
        ("Robin Holt-O'Brien", {"NAME"}), ("HOLT O’BRIEN, ROBIN", {"NAME"}), ("R. M. Holt-OBrien", {"NAME"}),
        ("R Holt", {"NAME"}), ("O'Brien, R.", {"NAME"}), ("Mrs Holt", {"NAME"}), ("Robin Anne O'Brien", {"NAME"}),
        ("Róbin\nHolt", {"NAME"}), ("Robin was there, and Holt too", set()), ("the Holt Road", set()),
        ("Mr Kowalski", {"NAME"}), ("Jan Kowalski", set()), ("Wren Ashdown", set()), ("Mrs Ashdown", set()),
        ("Robin", set()), ("A discussion on 14 May 2026.", set()),
    ],
)  # fmt: skip
def test_what_is_found_is_told_by_its_kind(text: str, found: set[str]):
    """R29"""
    assert kinds(f"We heard of {text}.") == found


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("Rose Cottage, Mill Lane, Bath", "at Rose cott."), ("Rose Cottage\nMill Lane", "in mill ln"),
        ("14 Broadway Bath BA1 1AA", "14 BROADWAY"), ("The Women's Refuge, Bath", "the womens refuge"),
        ("14-16 Mill Lane", "16 Mill Lane"), ("7 Church Hill Road Bath", "7 Church Hill"),
    ],
)  # fmt: skip
def test_an_address_without_commas_or_number_is_found_too(address: str, text: str):
    """R29"""
    assert kinds(text, Guard([("S1", address)]))


@pytest.mark.parametrize(
    ("on_record", "text", "found"),
    [
        (Person("Robert", "Ashdown"), "Bob Ashdown rang.", True),
        (Person("Robert", "Ashdown"), "ASHDOWN,\nBobby", True),
        (Person("Bob", "Ashdown"), "Robert Ashdown rang.", True),
        (Person("Katherine Anne", "Holt-O'Brien"), "Kate O’Brien rang.", True),
        (Person("Robert", "Ashdown"), "Bob rang, and Ashdown too.", False),
        (Person("Robert", "Ashdown"), "Ted Ashdown rang.", False),
        # Whoever reads knows that Bob.
        (Person("Bobby", "Wren"), "Bob Wren rang.", False),
        (Person("William", "Young"), "How will young people travel?", False),
    ],
)
def test_a_short_form_with_the_family_name_is_the_name(on_record, text, found):
    """R29: in both directions, exactly, and not where it is somebody of whom the reader knows"""
    guard = Guard(people=[("S2", on_record)], known=[Person("Robert", "Wren")])
    assert kinds(text, guard) == ({"NAME"} if found else set())


def test_an_initial_that_a_known_relative_shares_is_no_alarm():
    """R29: the child's own name stays sayable"""
    guard = Guard(people=[("S2", Person("William", "Ashdown"))], known=[Person("Wren", "Ashdown")])
    assert kinds("W. Ashdown", guard) == kinds("Wren Ashdown", guard) == kinds("Mr Ashdown", guard) == set()
    assert kinds("William Ashdown", guard) == {"NAME"}


def test_a_find_says_nothing_of_the_thing():
    """R29: whoever is told may not be allowed to see it"""
    told = " ".join(found.said() for found in find("Mrs Holt of 14 St Saviour's Rd, BA1 6RT, 01225 123456", HOME))
    assert not {"Holt", "14", "Saviour", "BA1", "6RT", "01225"} & set(told.replace(",", " ").split())
    assert {kind for kind in Kind if kind is not Kind.PLACE} <= {found.kind for found in find(
        "Mrs Holt of 14 St Saviour's Rd, BA1 6RT, 01225 123456", HOME)}  # fmt: skip


def test_the_people_whom_a_text_names_are_those_with_two_names_or_a_title():
    """R29: what is withheld names people whom no row holds"""
    named = people_in("Neighbour Mrs King told the Bath Police that Darren Holt, of Bath Road, had come with Tomasz.")
    assert set(named) == {Person("", "King"), Person("Darren", "Holt")}
