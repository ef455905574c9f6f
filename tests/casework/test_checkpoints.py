"""The ledger in the database: verified as it streams, and against what was signed outside it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlmodel import Session

from casework import checkpoints, ledger, outcome
from casework.checkpoints import Doubtful
from casework.ledger_check import Verdict, verify
from casework.pack import verify as stranger
from engine import anchoring
from models.settings import HOUSE
from rules.chain import commitment_of, digest_of, framed
from rules.stages import Stage
from tests.casework.factory import AFTERNOON, act, duty, walk
from tests.record import Record, forget_settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
UNGUARDED = (
    "ALTER TABLE ledger DISABLE TRIGGER USER; ALTER TABLE ledger DROP CONSTRAINT ledger_number_once CASCADE;"
    "ALTER TABLE ledger_content DROP CONSTRAINT IF EXISTS ledger_content_has_its_entry"
)


def _checkpoint(folder: Path) -> Path:
    return act(lambda session: checkpoints.write(folder, checkpoints.heads(session), KEY, at=AFTERNOON))


def _verdict(folder: Path | None = None, reference: str | None = None) -> Verdict:
    anchors = checkpoints.read(folder, PUBLIC) if folder else None
    return act(lambda session: verify(session, reference, anchors))


@pytest.fixture
def two(record: Record) -> list[str]:
    """Two referrals, in the order of their references."""
    return sorted([walk(Stage.AWAITING_ACK), walk(Stage.AWAITING_ACK, sender_id="two")])


#: In SQL, as the owner with the guards off: {one} and {two} are the referrals; and which of them is broken where.
SQL_FORGERIES: dict[str, tuple[str, int, int]] = {
    "an actor": ("UPDATE ledger SET actor = 'x' WHERE reference = {one} AND number = 3", 0, 3),
    "an act": ("UPDATE ledger SET act = 'CLOSED' WHERE reference = {two} AND number = 1", 1, 1),
    "back-dated": ("UPDATE ledger SET at = at - interval '1 us' WHERE reference = {one} AND number = 2", 0, 2),
    "the end of time": ("UPDATE ledger SET at = 'infinity' WHERE reference = {one} AND number = 2", 0, 2),
    "a detail": ("UPDATE ledger SET detail = detail || '{{\"x\":1}}' WHERE reference = {one} AND number = 4", 0, 4),
    "a detail's type": ("UPDATE ledger SET detail = '[1.50]' WHERE reference = {one} AND number = 4", 0, 4),
    "a huge number": (
        "UPDATE ledger SET detail = ('{{\"a\":' || repeat('9', 9999) || '}}')::jsonb"
        " WHERE reference = {one} AND number = 4", 0, 4),
    "a commitment": ("UPDATE ledger SET commitment = '' WHERE reference = {one} AND number = 1", 0, 1),
    "a digest": ("UPDATE ledger SET digest = repeat('a', 64) WHERE reference = {one} AND number = 5", 0, 5),
    "a predecessor": ("UPDATE ledger SET previous = repeat('a', 64) WHERE reference = {one} AND number = 5", 0, 5),
    "deleted": ("DELETE FROM ledger WHERE reference = {one} AND number = 4", 0, 4),
    "the first deleted": ("DELETE FROM ledger WHERE reference = {two} AND number = 1", 1, 1),
    "a whole chain deleted": ("DELETE FROM ledger WHERE reference = {two}", 1, 1),
    "renumbered": ("UPDATE ledger SET number = number + 900 WHERE reference = {one} AND number = 4", 0, 4),
    "to another case": ("UPDATE ledger SET reference = {two} WHERE reference = {one} AND number = 4", 0, 4),
    "swapped between cases": (
        "UPDATE ledger SET reference = CASE reference WHEN {one} THEN {two} ELSE {one} END WHERE number = 4", 0, 4),
    "swapped within": (
        "UPDATE ledger SET number = 7 - number WHERE reference = {one} AND number IN (3, 4)", 0, 3),
    "doubled": (
        "INSERT INTO ledger SELECT id + 9999, reference, number, at, actor, act, detail, previous, digest, commitment"
        " FROM ledger WHERE reference = {one} AND number = 4", 0, 5),
    "made up": (
        "INSERT INTO ledger SELECT id + 9999, reference, number + 1, at, actor, act, detail, digest, repeat('b', 64),"
        " commitment FROM ledger WHERE reference = {one} ORDER BY number DESC LIMIT 1", 0, -1),
}  # fmt: skip


def test_what_an_owner_does_in_sql_is_found_and_named(record: Record, two: list[str]):
    """S-22, INV11: with triggers off and constraints dropped; the first bad number is named"""
    columns = "id, reference, number, at, actor, act, detail, previous, digest, commitment"
    whole = _verdict()
    assert whole.fault is None
    found = {}
    for name, (statement, which, number) in SQL_FORGERIES.items():
        asked = statement.replace("INTO ledger SELECT", f"INTO ledger ({columns}) SELECT").format(
            one=f"'{two[0]}'", two=f"'{two[1]}'"
        )
        length = len(act(ledger.entries, two[0]))
        with _owner(record) as session:
            session.execute(sa.text(UNGUARDED))
            session.execute(sa.text(asked.replace(":", "\\:").replace("\\:\\:", "::")))
            fault = verify(session).fault
            seen = (fault.reference, fault.number) if fault else None
            found[name] = seen, (two[which], number if number > 0 else length + 1)
            session.rollback()
    assert {name: seen for name, (seen, wanted) in found.items() if seen != wanted} == {}
    assert _verdict() == whole


@contextmanager
def _owner(record: Record) -> Iterator[Session]:
    """A session of the owner's; what is done in it stays only when it is committed."""
    engine = sa.create_engine(record.server.url("mash_owner"), poolclass=sa.NullPool)
    with Session(engine) as session:
        yield session
    engine.dispose()


def _unguarded(record: Record, statement: str, **values: object) -> None:
    """Do something to the ledger for good, past the triggers; they are put back."""
    with _owner(record) as session:
        session.execute(sa.text("ALTER TABLE ledger DISABLE TRIGGER USER"))
        session.execute(sa.text("DELETE FROM ledger_content"))
        session.execute(sa.text(statement), values)
        session.execute(sa.text("ALTER TABLE ledger ENABLE TRIGGER USER"))
        session.commit()


def _anew(record: Record, reference: str, start: int) -> None:
    """Another actor from an entry on, and each digest right for it."""
    previous = None
    for entry in act(ledger.entries, reference):
        if entry.number >= start:
            forged = replace(entry.as_entry(), actor="somebody", previous=previous or entry.previous)
            previous = digest_of(forged)
            _unguarded(
                record,
                "UPDATE ledger SET actor = 'somebody', previous = :previous, digest = :digest WHERE id = :id",
                id=entry.id, previous=forged.previous, digest=previous,
            )  # fmt: skip


def test_a_tail_cut_off_is_found_by_the_checkpoint_alone(record: Record, two: list[str], tmp_path: Path):
    """S-23"""
    _checkpoint(tmp_path)
    length = len(act(ledger.entries, two[1]))
    _unguarded(record, "DELETE FROM ledger WHERE reference = :r AND number > :n", r=two[1], n=length - 2)
    assert _verdict().whole
    fault = _verdict(tmp_path).fault
    assert (fault.reference, fault.number) == (two[1], length - 1)
    assert _verdict(tmp_path, two[0]).whole


def test_a_chain_written_anew_with_right_digests_is_found_by_the_checkpoint_alone(
    record: Record, two: list[str], tmp_path: Path
):
    """S-23: the last number before it that was signed is named too"""
    _checkpoint(tmp_path)
    signed = len(act(ledger.entries, two[0]))
    act(outcome.read, two[0], by=duty(), at=AFTERNOON)
    act(outcome.read, two[0], by=duty(), at=AFTERNOON)
    _checkpoint(tmp_path)
    assert _verdict(tmp_path).whole
    _anew(record, two[0], signed + 1)
    assert _verdict().whole
    fault = _verdict(tmp_path).fault
    assert (fault.reference, fault.number) == (two[0], signed + 2)
    assert f"after entry {signed}" in fault.why


def test_an_old_copy_of_the_record_put_back_is_found_by_the_checkpoint_alone(
    record: Record, two: list[str], tmp_path: Path
):
    """S-23: what had happened since the copy is missing"""
    lengths = [len(act(ledger.entries, reference)) for reference in two]
    for reference in two:
        act(outcome.acknowledge, reference, by=duty(), at=AFTERNOON)
    _checkpoint(tmp_path)
    for reference, length in zip(two, lengths, strict=True):
        _unguarded(record, "DELETE FROM ledger WHERE reference = :r AND number > :n", r=reference, n=length)
    assert _verdict().whole
    fault = _verdict(tmp_path).fault
    assert (fault.reference, fault.number) == (two[0], lengths[0] + 1)


def test_what_happens_after_a_checkpoint_is_no_fault(two: list[str], tmp_path: Path):
    """S-23: no false alarm"""
    _checkpoint(tmp_path)
    act(outcome.acknowledge, two[0], by=duty(), at=AFTERNOON)
    _checkpoint(tmp_path)
    verdict = _verdict(tmp_path)
    assert verdict.whole
    assert (verdict.checkpoints, verdict.chains) == (2, 2)


@pytest.mark.parametrize("change", ["a digit", "left out", "another's", "cut short", "empty"])
def test_a_checkpoint_that_is_not_the_hubs_own_is_never_trusted(two: list[str], tmp_path: Path, change: str):
    """S-23, S-23e: malformed input is doubtful, and no crash"""
    first = _checkpoint(tmp_path)
    _checkpoint(tmp_path)
    text = first.read_bytes()
    match change:
        case "a digit":
            first.write_bytes(text.replace(b" 1 2026", b" 1 2025"))
        case "left out":
            first.unlink()
        case "another's":
            first.unlink()
            other = Ed25519PrivateKey.generate()
            checkpoints.write(tmp_path / "x", act(checkpoints.heads), other, at=AFTERNOON).rename(first)
        case "cut short":
            first.write_bytes(text[: len(text) // 2])
        case "empty":
            first.write_bytes(b"")
    with pytest.raises(Doubtful, match=r"checkpoint-00000001\.txt"):
        checkpoints.read(tmp_path, PUBLIC)


def test_the_strangers_verifier_knows_a_checkpoints_signature(two: list[str], tmp_path: Path):
    """S-23e: Ed25519 from the standard library alone agrees with `cryptography`"""
    body, _, last = _checkpoint(tmp_path).read_bytes().removesuffix(b"\n").rpartition(b"\n")
    signature = bytes.fromhex(last.decode().removeprefix("signature "))
    signed = framed(b"mash-checkpoint-1", body + b"\n")
    assert stranger.is_signed(PUBLIC, signed, signature)
    assert not stranger.is_signed(PUBLIC, signed + b"x", signature)
    for place in range(0, 64, 7):
        forged = bytearray(signature)
        forged[place] ^= 1
        assert not stranger.is_signed(PUBLIC, signed, bytes(forged))


def test_content_that_is_lawfully_erased_leaves_the_chain_whole(record: Record, two: list[str], tmp_path: Path):
    """R28, R51: its salt goes with it, so that nobody can try names against the commitment"""
    _checkpoint(tmp_path)
    contents = act(ledger.contents, two[0])
    entries = {entry.number: entry for entry in act(ledger.entries, two[0])}
    assert set(contents) == {number for number, entry in entries.items() if entry.commitment}
    for number, held in contents.items():
        assert commitment_of(bytes.fromhex(held.salt), held.content.encode()) == entries[number].commitment
    with record.as_owner() as owner:
        owner.execute("DELETE FROM ledger_content WHERE reference = %s", [two[0]])
    assert act(ledger.contents, two[0]) == {}
    assert _verdict(tmp_path).whole


@pytest.mark.parametrize("role", ["mash_app", "mash_owner"])
@pytest.mark.parametrize("statement", ["UPDATE ledger_content SET number = 1", "TRUNCATE ledger_content"])
def test_nobody_changes_what_an_entry_is_committed_to(record: Record, two: list[str], statement: str, role: str):
    """S-23c"""
    with record.server.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


def _mash(record: Record, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MASH_SIGNING_KEY": base64.b64encode(bytes(range(32))).decode()}
    command = [sys.executable, "-m", "engine.cli", "ledger", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=HOUSE)


def test_the_command_names_the_first_broken_entry_and_exits_with_one(record: Record, two: list[str], tmp_path: Path):
    """R28: `mash ledger verify`, with and without a reference, and `mash ledger checkpoint`"""
    os.environ["MASH_CHECKPOINTS"] = str(tmp_path)
    written = _mash(record, "checkpoint")
    assert written.stdout.strip() == str(tmp_path / "checkpoint-00000001.txt"), written.stderr
    whole = _mash(record, "verify")
    assert (whole.returncode, whole.stdout[:6]) == (0, "Whole:")
    _unguarded(record, "UPDATE ledger SET actor = 'x' WHERE reference = :r AND number = 3", r=two[0])
    broken = _mash(record, "verify", "--json")
    assert broken.returncode == 1
    fault = json.loads(broken.stdout)["fault"]
    assert (fault["reference"], fault["number"]) == (two[0], 3)
    assert _mash(record, "verify", two[1]).returncode == 0


def test_the_timekeeper_writes_a_checkpoint_once_a_day(two: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """R28: when the newest is a day old, and not before"""
    monkeypatch.setenv("MASH_CHECKPOINTS", str(tmp_path))
    monkeypatch.setenv("MASH_SIGNING_KEY", base64.b64encode(bytes(range(32))).decode())
    forget_settings()
    assert anchoring.write_when_due()
    assert not anchoring.write_when_due()
    assert len(list(tmp_path.iterdir())) == 1
    assert checkpoints.is_due(tmp_path, timedelta(0), at=AFTERNOON + timedelta(days=36500))
