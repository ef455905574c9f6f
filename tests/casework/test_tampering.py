"""Tampering with exported chains is found, at the number where it begins, by both verifiers alike."""

from __future__ import annotations

import io
import random

import pytest

from casework.pack import verify
from rules.chain import Entry, check_file, first_fault
from tests.casework.tampering import KINDS, anew, chains

SEED = 20260316


def _lines(rows: list[Entry]) -> list[bytes]:
    return [f"{row.line()}\n".encode() for row in rows]


def _both(lines: list[bytes]) -> tuple[tuple[str, int] | None, tuple[str, int] | None]:
    _, fault = check_file(iter(lines))
    return ((fault.reference, fault.number) if fault else None), verify.check_ledger(lines)[1]


def test_a_thousand_single_forgeries_are_all_found_where_they_begin():
    """S-22, R28: 1,000 of 1,000, each kind as often as the other"""
    chance, missed = random.Random(SEED), []
    for trial in range(1000):
        kind = list(KINDS)[trial % len(KINDS)]
        rows, where = KINDS[kind](chance, chains(chance))
        fault = first_fault(rows)
        if fault is None or (fault.reference, fault.number) != where:
            missed.append((trial, kind, where, fault))
    assert missed == []


def test_a_hundred_thousand_clean_entries_raise_no_alarm():
    """S-22"""
    rows = chains(random.Random(SEED), count=1000, length=100)
    assert len(rows) == 100_000
    assert first_fault(rows) is None


def test_both_verifiers_agree_on_two_hundred_good_files():
    """S-23e, R28"""
    chance = random.Random(SEED)
    for _ in range(200):
        assert _both(_lines(chains(chance, chance.randrange(0, 4), chance.randrange(1, 15)))) == (None, None)


def test_both_verifiers_agree_on_a_thousand_bad_files_and_name_the_same_fault():
    """S-23e: tampered with as rows, or as bytes"""
    chance = random.Random(SEED)
    for trial in range(1000):
        rows = chains(chance)
        if trial % 2:
            rows, _ = KINDS[list(KINDS)[trial // 2 % len(KINDS)]](chance, rows)
            lines = _lines(rows)
        else:
            lines = _scratched(chance, b"".join(_lines(rows)))
        house, stranger = _both(lines)
        assert house is not None, trial
        assert house == stranger, trial


def _scratched(chance: random.Random, text: bytes) -> list[bytes]:
    place = chance.randrange(len(text))
    other = bytes([chance.choice([byte for byte in range(256) if byte != text[place]])])
    cut = chance.choice([text[:place] + other + text[place + 1 :], text[: place + 1] + other + text[place + 1 :]])
    return list(io.BytesIO(cut))


GOOD = chains(random.Random(1), count=1, length=1)[0].line()
MALFORMED = {
    "nothing": b"\n",
    "no object": b"[]\n",
    "not text": b"\xff\xfe\n",
    "not JSON": b"{\n",
    "no line feed": GOOD.encode(),
    "a space": GOOD.replace(":", ": ", 1).encode() + b"\n",
    "a mark of byte order": b"\xef\xbb\xbf" + GOOD.encode() + b"\n",
    "carriage return": GOOD.encode() + b"\r\n",
    "a field more": GOOD.replace("{", '{"a":1,', 1).encode() + b"\n",
    "a field twice": GOOD.replace("{", '{"act":"X",', 1).encode() + b"\n",
    "no number": GOOD.replace('"number":1', '"number":1.0').encode() + b"\n",
    "a truth for a number": GOOD.replace('"number":1', '"number":true').encode() + b"\n",
    "an endless number": GOOD.replace('"number":1', '"number":' + "9" * 5000).encode() + b"\n",
    "a number past what JSON keeps": GOOD.replace('"version":', '"version":9007199254740992').encode() + b"\n",
    "not a number": GOOD.replace('"number":1', '"number":NaN').encode() + b"\n",
    "half a pair": GOOD.replace('"POLICE"', '"\\ud800"').encode() + b"\n",
    "an abyss": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "too deep": GOOD.replace('"list":[', '"list":[' + "[" * 16 + "]" * 16 + ",").encode() + b"\n",
    "no such day": GOOD.replace('"at":"2026-03', '"at":"2026-13').encode() + b"\n",
    "a null digest": GOOD.replace(chains(random.Random(1), 1, 1)[0].digest, "").encode() + b"\n",
    "zeros": b"\0" * 5000 + b"\n",
}


@pytest.mark.parametrize("line", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_entry_is_invalid_and_never_a_crash(line):
    """S-23e"""
    assert _both([line]) == (("", 1), ("", 1))


def test_a_chain_written_anew_is_whole_in_itself():
    """S-23: this is why there are checkpoints"""
    rows = chains(random.Random(SEED))
    assert first_fault(anew(rows, 5)) is None
