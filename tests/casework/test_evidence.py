"""The evidence pack: what a stranger finds in it, and what the shipped verifier says of a forged one."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import typst
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from casework import discussion, evidence, ledger, outcome
from casework.checkpoints import public_hex
from models.settings import HOUSE
from portal.examples import CHILD
from rules.errors import NotAcceptable, NotPermitted
from tests.casework.factory import (
    AFTERNOON,
    DECIDER,
    SUPPORT,
    a_child,
    act,
    acts_of,
    all_give_back,
    an_item,
    answer,
    ask,
    decide,
    duty,
    give_back,
    join,
    refer,
    rep,
    talk,
)
from tests.record import Record

COMPILE = typst.compile
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _whole_case() -> str:
    reference = refer()
    ask(reference)
    all_give_back(reference)
    join(reference, AFTERNOON)
    act(discussion.record_discussion, reference, talk(), by=SUPPORT, at=AFTERNOON)
    decide(reference, at=AFTERNOON)
    act(outcome.hand_back, reference, at=AFTERNOON)
    act(outcome.acknowledge, reference, by=duty(), at=AFTERNOON)
    return reference


@pytest.fixture
def packed(record: Record) -> tuple[str, bytes]:
    """A referral that was decided and acknowledged, and its pack."""
    reference = _whole_case()
    return reference, act(evidence.make, reference, KEY, by=DECIDER, at=AFTERNOON)


def _unpacked(packed: bytes, folder: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(packed)).extractall(folder)
    return folder


def _verify(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # Isolated, and without site-packages: the standard library is all there is.
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_stranger_checks_a_pack_by_the_page_alone(packed: tuple[str, bytes], tmp_path: Path):
    """R28, issue 5: the commands of docs/evidence.md, as they stand there"""
    (tmp_path / "pack.zip").write_bytes(packed[1])
    page = (HOUSE / "docs" / "evidence.md").read_text()
    commands = [shlex.split(line) for line in re.findall(r"^ {4}(\S.*)$", page, re.M)]
    assert [command[0] for command in commands] == ["unzip", "python3", "python3"]
    for command in commands:
        words = [public_hex(KEY) if word == "KEY" else word for word in command]
        if words[0] == "unzip":
            # What `unzip -q FILE -d FOLDER` does, where that is not installed.
            _unpacked((tmp_path / words[2]).read_bytes(), tmp_path / words[4])
            continue
        done = subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert done.stdout.endswith("Everything is as it was written.\n")


def test_a_pack_tells_what_was_asked_answered_decided_told_and_acknowledged(record: Record, packed: tuple[str, bytes]):
    """R28, S-24: and that it was made is the last entry of the ledger in it"""
    reference, pack = packed
    told = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("record.json"))
    assert {e["detail"]["agency"] for e in told["asked"]} >= {"POLICE"}
    assert all(e["content"]["question"] for e in told["asked"])
    assert any(e["act"] == "CHECK_RETURNED" and e["content"]["systems_searched"] for e in told["came_back"])
    [decision, *_] = [e for e in told["decided"] if e["act"] == "DECIDED"]
    assert decision["content"]["rationale"]
    assert decision["by"] == DECIDER.id
    seen = told["known_at_decisions"][0]["seen_in_entry"]
    assert told["ledger"][seen - 1]["act"] == "COLLATED"
    assert told["ledger"][seen - 1]["content"]
    assert [e["act"] for e in told["told"]][:2] == ["HANDED_BACK", "ACKNOWLEDGED"]
    assert {letter["message"] for letter in told["letters"]} >= {"check_requested", "outcome_ready"}
    assert acts_of(record, reference)[-1] == told["ledger"][-1]["act"] == "EVIDENCE_PACKED"


def test_no_entry_is_left_out_of_the_chapters():
    """A new act must be told in one of them, or be the engine's own or the post's."""
    elsewhere = {
        "COLLATED", "DECISION_REQUESTED", "CHECK_WARNED", "NOTICE_UNDELIVERED", "NOTICE_PERHAPS_TWICE",
        "ENGINE_CANCELLED", "ENGINE_RESUMED", "POST_RELEASED",
    }  # fmt: skip
    told = {name for acts in evidence.CHAPTERS.values() for name in acts}
    assert {each.value for each in ledger.Act} - {each.value for each in told} == elsewhere


def test_what_people_wrote_is_no_program_to_the_typesetter(record: Record):
    """S-18: were it read as Typst, it would stop the pack with an error"""
    typed = '#panic("read as a program") $ #read("/etc/passwd") ] } ``` */'
    reference = refer(concern=CHILD["concern"] | {"narrative": typed})
    pack = act(evidence.make, reference, KEY, by=DECIDER, at=AFTERNOON)
    assert zipfile.ZipFile(io.BytesIO(pack)).read("record.pdf").startswith(b"%PDF-")
    with pytest.raises(Exception, match="read as a program"):
        typst.compile(typed.partition(" $")[0].encode(), format="pdf")


def test_the_record_for_people_is_a_tagged_document(packed: tuple[str, bytes]):
    """R28: PDF/UA-1, so that a screen reader can read it"""
    pdf = zipfile.ZipFile(io.BytesIO(packed[1])).read("record.pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf or b"/MarkInfo" in pdf
    assert b"pdfuaid" in pdf


def test_no_address_and_nobody_who_sent_it_is_in_the_record_to_print(record: Record, monkeypatch: pytest.MonkeyPatch):
    """S-26: off by default; whoever must have them finds them in the pack's files for machines"""
    handed: list[str] = []

    def typeset(*given: Any, sys_inputs: dict[str, str], **more: Any) -> bytes:
        handed.append(sys_inputs["data"])
        return bytes(COMPILE(*given, sys_inputs=sys_inputs, **more))

    monkeypatch.setattr(typst, "compile", typeset)
    reference = refer(subjects=[{**a_child(), "address": "14 Larkhall Row, Bath"}])
    pack = zipfile.ZipFile(io.BytesIO(act(evidence.make, reference, KEY, by=DECIDER, at=AFTERNOON)))
    told, [on_paper] = pack.read("record.json").decode(), handed
    officer = json.loads(told)["referred"][0]["content"]["sending_officer"]
    for sensitive in ("14 Larkhall Row", officer["name"], officer["reply_to"]):
        assert (sensitive in told, sensitive in on_paper) == (True, False)
    # The person and the officer, in the chapter and among all entries.
    assert on_paper.count("not printed") == 4


FORGERIES = {
    "ledger.jsonl": (b'"act":"DECIDED"', b'"act":"DECLINE"'),
    "contents.jsonl": (b'"content"', b'"contenu"'),
    "record.json": (b"DECIDED", b"DECLINE"),
    "record.pdf": (b"%PDF", b"%PDX"),
    "manifest.json": (b'"made"', b'"mode"'),
}


@pytest.mark.parametrize(("name", "change"), FORGERIES.items(), ids=FORGERIES)
def test_a_changed_file_is_named(packed: tuple[str, bytes], tmp_path: Path, name: str, change: tuple[bytes, bytes]):
    """R28, S-22"""
    folder = _unpacked(packed[1], tmp_path)
    (folder / name).write_bytes((folder / name).read_bytes().replace(*change))
    done = _verify(folder)
    assert done.returncode == 1
    assert name in done.stdout
    assert done.stderr == ""


def test_a_pack_signed_by_somebody_else_is_not_this_hubs(packed: tuple[str, bytes], tmp_path: Path):
    """R28"""
    done = _verify(_unpacked(packed[1], tmp_path), "--key", public_hex(Ed25519PrivateKey.generate()))
    assert (done.returncode, "another key" in done.stdout) == (1, True)


@pytest.mark.parametrize("words", [("--key",), ("--key", ""), ("--key", "12ab"), ("--kye", "0" * 64), ("more",)])
def test_what_the_verifier_does_not_understand_it_does_not_pass_over(packed: tuple[str, bytes], tmp_path: Path, words):
    """S-23e: a key that was left out or misspelt must not look as if it had been compared"""
    done = _verify(_unpacked(packed[1], tmp_path), *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage" in done.stderr


def test_what_lies_beside_the_pack_is_named(packed: tuple[str, bytes], tmp_path: Path):
    """S-23e"""
    folder = _unpacked(packed[1], tmp_path)
    assert "Not of the pack" not in _verify(folder).stdout
    (folder / "note.pdf").write_text("Put there by somebody.")
    done = _verify(folder)
    assert (done.returncode, "Not of the pack, and so not checked: note.pdf." in done.stdout) == (0, True)


def test_what_was_erased_is_left_out_and_the_pack_says_so(record: Record, tmp_path: Path):
    """R28, R51: and the chain in it is whole"""
    reference = _whole_case()
    with record.as_owner() as owner:
        owner.execute("DELETE FROM ledger_content WHERE reference = %s", [reference])
    folder = _unpacked(act(evidence.make, reference, KEY, by=DECIDER, at=AFTERNOON), tmp_path)
    assert "0 of" in _verify(folder).stdout
    told = json.loads((folder / "record.json").read_text())
    assert all(entry["erased"] for entry in told["asked"])
    assert "Ashdown" not in (folder / "record.json").read_text()


HIDDEN = {**a_child(), "address": "14 Larkhall Row, Bath BA1 6RT, telephone 01225 123456", "protected_address": True}
#: What an agency gave for the MASH team alone.
FOR_THE_MASH = an_item(text="Her uncle Quentin Marlowe rang from 01632 960444.", recipients="MASH")


def _with_guarded() -> str:
    reference = refer(subjects=[HIDDEN])
    ask(reference)
    give_back(reference, "POLICE", answer("KNOWN_OPEN", **{"items": [FOR_THE_MASH]}))
    return reference


@pytest.mark.parametrize(
    ("partner", "found"),
    [
        ("MENTAL_HEALTH", {"a protected address (S1)", "learn of (POLICE)", "must not go with it (S1)"}),
        ("POLICE", {"a protected address (S1)", "must not go with it (S1)"}),
        ("CHILDREN_DUTY", {"a protected address (S1)", "learn of (POLICE)"}),
    ],
)
def test_a_pack_for_a_partner_is_searched_for_what_they_must_not_learn(record: Record, partner: str, found: set[str]):
    """R28, R29: what an agency gave itself it knows; with a reason it leaves, and the ledger keeps for whom and why"""
    reference = _with_guarded()
    with pytest.raises(NotAcceptable) as stopped:
        act(evidence.make, reference, KEY, partner=partner, by=DECIDER, at=AFTERNOON)
    [problem] = stopped.value.fields
    assert problem.pointer == "/because"
    assert {words for words in found if words in problem.detail} == found
    assert ("POLICE)" in problem.detail) == (partner != "POLICE")
    assert not {"Larkhall", "Marlowe", "960444"} & set(re.findall(r"\w+", problem.detail))
    assert "EVIDENCE_PACKED" not in acts_of(record, reference)
    pack = act(evidence.make, reference, KEY, "The court ordered it.", partner=partner, by=DECIDER, at=AFTERNOON)
    last = json.loads(zipfile.ZipFile(io.BytesIO(pack)).read("record.json"))["ledger"][-1]
    assert (last["detail"], last["content"]) == ({"partner": partner}, {"because": "The court ordered it."})


def test_a_pack_that_holds_nothing_guarded_leaves_for_a_partner_without_a_reason(record: Record):
    """R29: 0 false alarms on a case as it is; nobody but an agency or a duty team is a partner"""
    reference = _whole_case()
    for partner in ("POLICE", "CHILDREN_DUTY"):
        assert act(evidence.make, reference, KEY, partner=partner, by=DECIDER, at=AFTERNOON)
    with pytest.raises(NotAcceptable, match="/partner"):
        act(evidence.make, reference, KEY, partner="THE_PRESS", by=DECIDER, at=AFTERNOON)


@pytest.mark.parametrize("by", [SUPPORT, rep("POLICE"), duty()], ids=["support", "agency", "duty team"])
def test_a_pack_is_for_a_decision_maker_alone(record: Record, by):
    """R48: all of the assessment is in it"""
    reference = refer()
    with pytest.raises(NotPermitted):
        act(evidence.make, reference, KEY, by=by, at=AFTERNOON)
    assert "EVIDENCE_PACKED" not in acts_of(record, reference)
