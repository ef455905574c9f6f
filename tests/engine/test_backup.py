"""The record as one encrypted file; an empty machine takes it up, and every open referral goes on to its end (F29)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from json import dumps
from pathlib import Path

import pytest
from typer.testing import CliRunner

from casework import post
from casework.checks import agencies_to_ask
from casework.db import real_time
from casework.ledger_check import verify
from engine.backup import vault
from engine.backup.vault import PIECE, Damaged
from engine.cli import app
from engine.credentials import FILE, load_or_create, write_private
from engine.ports import ANY_FREE
from engine.stack import PARTS, Stack
from rules.errors import Refused
from rules.stages import Stage
from tests.casework.factory import OPERATOR, act, open_hub, referral, walk
from tests.casework.test_deploy import NEXT
from tests.record import Record, forget_settings

KEY = bytes(range(32))
SIGNING = base64.b64encode(KEY).decode()


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_what_was_written_is_read_again(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    vault.write(tmp_path / "file", [content[: size // 2], content[size // 2 : size]], KEY)
    assert b"".join(vault.read(tmp_path / "file", KEY)) == content[:size]
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def _swapped(whole: bytes) -> bytes:
    head, piece = len(vault.TITLE) + 36, PIECE + 16
    pieces = [whole[head + n * piece : head + (n + 1) * piece] for n in range(3)]
    return whole[:head] + pieces[1] + pieces[0] + pieces[2]


@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: -PIECE // 2],
        lambda whole: whole[: len(vault.TITLE) + 36 + 2 * (PIECE + 16)],
        lambda whole: whole[: len(vault.TITLE) + 36],
        lambda whole: whole[: len(vault.TITLE) + 8],
        lambda whole: whole + b"x",
        lambda whole: whole[:60] + bytes([whole[60] ^ 1]) + whole[61:],
        lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
        lambda whole: whole[:20] + bytes([whole[20] ^ 1]) + whole[21:],
        lambda whole: b"PGDMP" + whole[5:],
        _swapped,
    ],
)
def test_no_change_goes_unnoticed(tmp_path: Path, change: object) -> None:
    """Cut off at the end of a piece too, and pieces in another order"""
    vault.write(tmp_path / "file", [bytes(2 * PIECE + PIECE // 2)], KEY)
    whole = (tmp_path / "file").read_bytes()
    (tmp_path / "other").write_bytes(change(whole))  # type: ignore[operator]
    with pytest.raises(Damaged):
        list(vault.read(tmp_path / "other", KEY))


def test_a_file_that_could_not_be_written_whole_is_not_there(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"one"
        raise Refused("the record went away")

    with pytest.raises(Refused):
        vault.write(tmp_path / "file", broken(), KEY)
    assert list(tmp_path.iterdir()) == []


def _mash(*arguments: str | Path) -> tuple[int, str]:
    """The command in this process: its exit code, or the sentence that it ends with."""
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, Refused):
        return 2, str(done.exception)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def _new_machine(home: Path, key: str) -> None:
    """An empty home folder to which the keys were brought back."""
    home.chmod(0o711)
    write_private(home / FILE, dumps(vars(replace(load_or_create(home), key=key))))


@contextmanager
def _started(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The restored record, as `mash up` starts it."""
    with Stack(home, ANY_FREE, without=[part for part in PARTS if part != "postgres"]) as stack:
        for name, value in stack.environment().items():
            if name.startswith("MASH_"):
                monkeypatch.setenv(name, value)
        forget_settings()
        yield
        forget_settings()


def test_an_empty_machine_takes_the_record_up_and_every_open_referral_is_finished(
    record: Record, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F29, issue 7 item 4: no letter leaves before the operator says so, and the ledger is whole to its head"""
    monkeypatch.setenv("MASH_SIGNING_KEY", SIGNING)
    forget_settings()
    open_hub()
    at = {stage: walk(stage, sender_id=stage) for stage in Stage}
    before = record.ask("SELECT reference, number, digest FROM ledger ORDER BY 1, 2")
    file, key = tmp_path / "record.backup", os.environ["MASH_KEY"]
    code, said = _mash("backup", file)
    assert (code, f"{len(at)} referrals" in said) == (0, True), said
    assert file.stat().st_mode & 0o777 == 0o600
    told = file.read_bytes()
    assert [word for word in (b"PGDMP", b"mash_owner", at[Stage.CHECKING].encode()) if word in told] == []
    assert _mash("backup", file) == (2, f"{file} is there already: nothing is overwritten")
    assert _mash("backup", tmp_path / "nowhere" / "x")[1] == f"{tmp_path / 'nowhere'} is no folder"
    code, said = _mash("restore", file)
    assert (code, "not empty" in said) == (2, True), said
    assert {each.name for each in tmp_path.iterdir()} == {"record.backup"}

    for name in [name for name in os.environ if name.startswith("MASH_")]:
        monkeypatch.delenv(name)
    code, said = _mash("restore", file, "--home", home, "--database-port", "0")
    assert (code, "put the keys back first" in said) == (2, True), said
    _new_machine(home, SIGNING)
    code, said = _mash("restore", file, "--home", home, "--database-port", "0")
    assert (code, "which is not here" in said) == (2, True), said
    assert not (home / "postgres").exists()
    _new_machine(home, key)
    (tmp_path / "damaged").write_bytes(file.read_bytes()[:-1])
    code, said = _mash("restore", tmp_path / "damaged", "--home", home, "--database-port", "0")
    assert (code, "damaged or cut off" in said) == (2, True), said
    code, said = _mash("restore", file, "--home", home, "--database-port", "0")
    assert (code, f"{len(at)} referrals" in said, "mash post release" in said) == (0, True, True), said

    with _started(home, monkeypatch):
        assert act(verify).whole
        assert {stage: referral(reference).stage for stage, reference in at.items()} == {s: s for s in Stage}
        assert act(post.held_since) is not None
        for stage, reference in at.items():
            while (found := referral(reference).stage) is not Stage.CLOSED:
                NEXT[found](reference)
            assert act(agencies_to_ask, reference) == [], stage
        act(post.let_go, send=False, by=OPERATOR, at=act(real_time))
        assert act(post.held_since) is None
        assert act(verify).whole
    assert before == record.ask("SELECT reference, number, digest FROM ledger ORDER BY 1, 2")
