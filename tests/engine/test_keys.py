"""Free text is sealed anew with a fresh key while the hub works, and whoever stops on the way goes on (R51)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typer.testing import CliRunner

from casework.ledger import contents, entries
from engine.cli import app
from engine.keys import sealed_columns, uses
from models import keyring
from models.base import unseal
from models.keyed import keyed_digest
from rules.chain import commitment_of
from rules.stages import Stage
from tests.casework.factory import act, open_hub, referral, walk
from tests.record import Record, forget_settings


@pytest.fixture
def key_file(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The sealing key in a file, as a site or `mash up` keeps it."""
    file = tmp_path / "keys"
    file.write_text(os.environ["MASH_KEY"] + "\n")
    monkeypatch.setenv("MASH_KEY_FILE", str(file))
    forget_settings()
    open_hub()
    yield file
    monkeypatch.undo()
    forget_settings()


def counted(record: Record) -> dict[str, int]:
    """How many values each key has sealed."""
    with sa.create_engine(record.server.url("mash_owner"), poolclass=sa.NullPool).begin() as connection:
        return {use.key_id: use.values for use in uses(connection)}


def rotate() -> str:
    """The command, in this process."""
    done = CliRunner().invoke(app, ["keys", "rotate", "--batch", "50"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def rotate_and_be_killed() -> None:
    """The command as an operator starts it, killed after its second batch."""
    command = [sys.executable, "-m", "engine.cli", "keys", "rotate", "--batch", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("6 rows"):
                process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_killed_on_the_way_it_goes_on_and_then_the_old_key_may_go(record: Record, key_file: Path) -> None:
    """R51: the hub works meanwhile; nothing is lost; ledger commitments hold; digests still find their rows"""
    reference, digest = walk(Stage.CLOSED), keyed_digest("email", "somebody@mash.invalid")
    [old] = counted(record)
    rotate_and_be_killed()
    fresh, *_ = counted(record)
    assert fresh != old
    half = counted(record)
    assert half[fresh] > 0
    assert half[old] > 0
    meanwhile = walk(Stage.CHECKING, sender_id="meanwhile")
    assert counted(record)[old] == half[old]
    assert f"key {old}: seals nothing any more and may be taken away" in rotate()
    assert set(counted(record)) == {fresh, old}
    first, *_, digests = key_file.read_text().split("\n", 2)
    key_file.write_text(f"{first}\n{digests.strip()}\n")
    forget_settings()
    assert list(counted(record)) == [fresh]
    assert referral(reference).narrative == referral(meanwhile).narrative != ""
    assert keyed_digest("email", "somebody@mash.invalid") == digest
    kept = act(contents, reference)
    bound = {entry.number: entry.commitment for entry in act(entries, reference) if entry.commitment}
    assert bound == {n: commitment_of(bytes.fromhex(row.salt), row.content.encode()) for n, row in kept.items()}
    unread = [
        column
        for column in sealed_columns()
        for (value,) in record.ask(f"SELECT {column.name} FROM {column.table.name} WHERE {column.name} IS NOT NULL")
        if not unseal(bytes(value))
    ]
    assert unread == []


def test_a_value_from_before_keys_had_ids_is_read_and_sealed_anew(record: Record, key_file: Path) -> None:
    """F28: what an earlier release sealed"""
    reference = walk(Stage.CHECKING)
    cipher = AESGCM(keyring._decoded(key_file.read_text()))
    earlier = b"\x01" + b"n" * 12 + cipher.encrypt(b"n" * 12, b"As it was.", b"\x01")
    with record.as_app() as connection:
        connection.execute("UPDATE referral SET narrative = %s WHERE reference = %s", [earlier, reference])
    assert referral(reference).narrative == "As it was."
    assert counted(record)["no id"] == 1
    resumed = rotate()
    assert "1 rows sealed anew" in resumed
    assert "is new" not in resumed
    assert referral(reference).narrative == "As it was."
    assert "no id" not in counted(record)


def test_without_the_old_key_nothing_it_sealed_can_be_read(record: Record, key_file: Path) -> None:
    reference = walk(Stage.CHECKING)
    key_file.write_text("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n")
    os.utime(key_file, (1, 1))
    with pytest.raises(InvalidTag):
        referral(reference)


def test_keys_from_the_environment_are_put_first_by_hand(record: Record) -> None:
    """The command never writes a variable; it says what to do"""
    open_hub()
    walk(Stage.RECEIVED)
    refused = CliRunner().invoke(app, ["keys", "rotate"])
    assert "put a new one before it" in str(refused.exception)
    listed = CliRunner().invoke(app, ["keys", "list"], catch_exceptions=False).output
    assert "seals;" in listed
    assert os.environ["MASH_KEY"] not in listed
