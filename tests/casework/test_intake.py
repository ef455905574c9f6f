"""A referral comes in whole, once, and is sent on or straight back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from casework import intake, outcome, register
from models.settings import HOUSE
from rules.errors import Conflict, Misconfigured, NotAcceptable, NotPermitted
from rules.stages import Stage
from tests.casework.factory import (
    ASIST,
    ASKED,
    DECIDER,
    FOR_A_CHILD,
    a_child,
    a_family,
    act,
    acts_of,
    an_adult,
    ask,
    asked_agencies,
    document,
    duty,
    london,
    notices_of,
    refer,
    referral,
    rep,
)
from tests.record import Record, forget_settings


def _receive(sent: Any, at=ASKED, by=None) -> intake.Received:
    return act(intake.receive, sent, by=by or duty(), at=at)


def _refused_fields(sent: Any, at=ASKED) -> set[str]:
    with pytest.raises(NotAcceptable) as refusal:
        _receive(sent, at)
    return {field.pointer for field in refusal.value.fields}


def _nothing_is_stored(record: Record) -> bool:
    tables = ("referral", "subject", "ledger", "wake", "notice")
    return all(record.ask(f"SELECT count(*) FROM {table}") == [(0,)] for table in tables)


# --- the form ---

WRONG = [
    ("/sender_id", lambda d: d.pop("sender_id")),
    ("/duty_team", lambda d: d.update(duty_team="SCHOOL")),
    ("/surprise", lambda d: d.update(surprise=1)),
    ("/sending_officer/reply_to", lambda d: d["sending_officer"].update(reply_to="not an address")),
    ("/decision_to_refer/at", lambda d: d["decision_to_refer"].update(at="2026-03-16T09:00:00")),
    ("/eligibility/clarification_question", lambda d: d["eligibility"].update(clarification_question="  ")),
    ("/concern/source", lambda d: d["concern"].update(source="A neighbour")),
    ("/concern/level_of_need", lambda d: d["concern"].update(level_of_need="L9")),
    ("/concern/urgency", lambda d: d["concern"].update(urgency="PURPLE")),
    ("/concern/narrative", lambda d: d["concern"].update(narrative="x" * 20_001)),
    ("/subjects/0/side", lambda d: d["subjects"][0].update(side="elderly")),
    ("/subjects/0/voice", lambda d: d["subjects"][0].pop("voice")),
    ("/subjects/0/nhs_number", lambda d: d["subjects"][0].update(nhs_number="9990000108")),
    ("/subjects/0/consent_reason", lambda d: d["subjects"][0].update(consent="NOT_SOUGHT")),
    ("/subjects/0/informed", lambda d: d["subjects"][0].update(informed="PERHAPS")),
    ("/subjects/0/protected_address", lambda d: d["subjects"][0].pop("protected_address")),
    ("/subjects/0/date_of_birth", lambda d: d["subjects"][0].update(date_of_birth="1889-12-31")),
]


@pytest.mark.parametrize(("pointer", "spoil"), WRONG, ids=[pointer for pointer, _ in WRONG])
def test_a_wrong_field_is_named_and_nothing_is_stored(record, pointer, spoil):
    """R01, R04, R05, R09, R56, R69"""
    sent = document()
    spoil(sent)
    assert pointer in _refused_fields(sent)
    assert _nothing_is_stored(record)


def test_every_wrong_field_is_named_at_once(record):
    """Issue 1: every bad field reported at once, nothing half-stored"""
    sent = document()
    for _, spoil in WRONG:
        spoil(sent)
    assert _refused_fields(sent) == {pointer for pointer, _ in WRONG}
    assert _nothing_is_stored(record)


def test_what_was_sent_is_not_repeated_in_a_refusal():
    """R51: refusals reach logs"""
    sent = document([{**a_child(), "nhs_number": "Canary", "consent": "Canary", "side": "Canary"}])
    with pytest.raises(NotAcceptable) as refusal:
        _receive(sent)
    assert "Canary" not in str(refusal.value) + repr(refusal.value.fields)


def test_what_names_no_urgency_runs_on_the_default_band_of_its_area(monkeypatch):
    """R10, R70"""
    monkeypatch.setenv("MASH_PROFILE", str(HOUSE / "profiles" / "front-door.toml"))
    forget_settings()
    sent = {**document(), "duty_team": "CHILDREN_DESK"}
    assert referral(_receive(sent, by=duty("CHILDREN_DESK")).reference).urgency == "AMBER"


@pytest.mark.parametrize("sent", [None, [], "text", 7, {}, {"subjects": {}}, {"subjects": [1]}, {"eligibility": []}])
def test_a_document_of_any_shape_is_refused_politely(record, sent):
    """F27"""
    assert _refused_fields(sent)
    assert _nothing_is_stored(record)


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"])
def test_characters_that_cannot_be_stored_are_refused(record, text):
    """F27"""
    sent = document()
    sent["concern"]["narrative"] = text
    assert _refused_fields(sent)
    assert _nothing_is_stored(record)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE referral; --", "=cmd()", "Zoë \u202e 李 e\u0301 \u00e9"],
)
def test_every_other_text_is_kept_to_the_letter(text):
    """F27"""
    sent = document()
    sent["concern"]["narrative"] = text
    assert referral(_receive(sent).reference).narrative == text


@pytest.mark.parametrize(
    ("minutes", "refused"), [(-20, False), (0, False), (5, False), (6, True), (60 * 24 * 365, True)]
)
def test_nobody_decided_in_the_future_but_clocks_may_differ_by_five_minutes(minutes, refused):
    """F24"""
    sent = document()
    sent["decision_to_refer"]["at"] = (ASKED + timedelta(minutes=minutes)).isoformat()
    if refused:
        assert _refused_fields(sent) == {"/decision_to_refer/at"}
    else:
        assert _receive(sent).created


@pytest.mark.parametrize(("born", "refused"), [("2026-03-16", False), ("2026-03-17", True), ("1890-01-01", False)])
def test_nobody_is_born_in_the_future(born, refused):
    sent = document([{**a_child(), "date_of_birth": born}])
    if refused:
        assert _refused_fields(sent) == {"/subjects/0/date_of_birth"}
    else:
        assert _receive(sent).created


# --- who ---


@pytest.mark.parametrize("by", [duty(ASIST), rep("POLICE"), DECIDER], ids=lambda actor: actor.id)
def test_a_duty_team_refers_under_its_own_name_and_nobody_else_does(record, by):
    """R01, R02"""
    with pytest.raises(NotPermitted):
        _receive(document(), by=by)
    assert _nothing_is_stored(record)


def test_an_agency_that_tries_to_refer_is_counted_and_nothing_of_it_is_kept(record):
    """R02"""
    act(intake.count_misdirected, rep("POLICE"), ASKED)
    assert record.ask("SELECT agency, at FROM misdirected_contact") == [("POLICE", ASKED)]
    assert _nothing_is_stored(record)


# --- once ---


def test_the_same_referral_sent_again_is_the_same_referral(record):
    """INV2, F17"""
    first = _receive(document())
    again = _receive(document(), at=ASKED + timedelta(hours=3))
    assert (again.reference, again.created) == (first.reference, False)
    assert record.ask("SELECT count(*) FROM referral") == [(1,)]
    assert acts_of(record, first.reference) == ["RECEIVED"]


def test_the_same_id_with_other_content_is_a_conflict(record):
    """F17: same key, different body"""
    reference = refer()
    with pytest.raises(Conflict, match=reference):
        _receive(document(upstream_reference="Another"))
    assert record.ask("SELECT upstream_reference FROM referral") == [("CASE one",)]


def test_another_team_may_use_the_same_id():
    assert refer() != refer(team=ASIST, subjects=[an_adult()])


def test_eight_deliveries_at_once_make_one_referral(record):
    """F17: threads × 8"""
    together = Barrier(8)

    def deliver(_: int) -> intake.Received:
        together.wait()
        return _receive(document())

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(deliver, range(8)))
    assert len({answer.reference for answer in answers}) == 1
    assert sum(answer.created for answer in answers) == 1
    assert record.ask("SELECT count(*) FROM referral") == [(1,)]
    assert record.ask("SELECT act FROM ledger") == [("RECEIVED",)]


# --- when ---


@pytest.mark.parametrize(
    ("sent_at", "opens"),
    [
        ("Mon 16 Mar 2026 08:30", None),
        ("Mon 16 Mar 2026 16:59:59", None),
        ("Mon 16 Mar 2026 08:29:59", "Mon 16 Mar 2026 08:30"),
        ("Mon 16 Mar 2026 17:00", "Tue 17 Mar 2026 08:30"),
        ("Fri 13 Mar 2026 17:00", "Mon 16 Mar 2026 08:30"),
        ("Sat 14 Mar 2026 20:00", "Mon 16 Mar 2026 08:30"),
        ("Sun 29 Mar 2026 12:00", "Mon 30 Mar 2026 08:30"),  # clocks went forward in the night
        ("Thu 02 Apr 2026 17:30", "Tue 07 Apr 2026 08:30"),  # over Easter
        ("Mon 04 May 2026 11:00", "Tue 05 May 2026 08:30"),  # early May bank holiday
        ("Fri 25 Dec 2026 11:00", "Tue 29 Dec 2026 08:30"),  # Christmas and its substitute day
    ],
)
def test_out_of_hours_a_referral_queues_until_the_hub_opens(record, sent_at, opens):
    """R26"""
    at = london(sent_at)
    received = _receive(document(at=at), at=at)
    wakes = {due for (due,) in record.ask("SELECT due_at FROM wake WHERE kind = 'RUN'")}
    if opens is None:
        assert (received.stage, received.advice, wakes) == (Stage.RECEIVED, (), {at})
    else:
        assert received.stage is Stage.QUEUED_OUT_OF_HOURS
        assert "999" in " ".join(received.advice)
        assert wakes == {at, london(opens)}
        assert acts_of(record, received.reference) == ["RECEIVED", "QUEUED"]


def test_what_goes_straight_back_does_not_wait_for_the_opening():
    """R06, R26"""
    at = london("Sat 14 Mar 2026 20:00")
    clear = {"safeguarding_concern": True, "extent_unclear": False}
    assert _receive(document(at=at, eligibility=clear), at=at).stage is Stage.RECEIVED


# --- straight back, or on ---


@pytest.mark.parametrize(
    ("concern", "unclear", "code"),
    [
        (True, False, "CLEAR_CONCERN_RETURN"),
        (False, True, "NOT_ELIGIBLE_RETURN"),
        (False, False, "NOT_ELIGIBLE_RETURN"),
    ],
)
def test_what_is_not_for_the_mash_goes_straight_back_and_no_agency_is_asked(record, concern, unclear, code):
    """R05, R06"""
    sent = document(a_family(), eligibility={"safeguarding_concern": concern, "extent_unclear": unclear})
    received = _receive(sent)
    assert received.advice
    ask(received.reference)
    assert referral(received.reference).stage is Stage.HANDING_BACK
    assert asked_agencies(received.reference) == []
    assert record.ask("SELECT DISTINCT exit_code FROM subject") == [(code,)]
    assert [name for name, _ in notices_of(record, received.reference)] == []
    act(outcome.hand_back, received.reference, at=ASKED)
    told = act(outcome.read, received.reference, by=duty(), at=ASKED)
    assert {each["outcome"] for each in told["outcomes"]} == {code}
    assert not any(each["decided"] for each in told["outcomes"])


def test_screening_twice_is_screening_once(record):
    reference = refer()
    act(intake.screen, reference, at=ASKED)
    act(intake.screen, reference, at=ASKED + timedelta(hours=1))
    assert acts_of(record, reference) == ["RECEIVED", "ASKING_PLANNED", "ACCEPTED"]
    assert referral(reference).accepted_at == ASKED


def test_all_open_to_a_worker_go_back_to_the_worker(record):
    """R12"""
    reference = refer(subjects=[{**a_child(), "open_to_worker": "Team West"}])
    ask(reference)
    assert referral(reference).stage is Stage.HANDING_BACK
    assert asked_agencies(reference) == []
    assert record.ask("SELECT exit_code FROM subject") == [("OPEN_WORKER",)]


def test_those_not_open_to_a_worker_go_on_and_only_their_agencies_are_asked(record):
    """R12, R15"""
    mother, son, daughter = a_family()
    reference = refer(subjects=[{**mother, "open_to_worker": "Team West"}, son, daughter])
    ask(reference)
    assert referral(reference).stage is Stage.CHECKING
    assert asked_agencies(reference) == list(FOR_A_CHILD)
    exits = record.ask("SELECT number, exit_code FROM subject ORDER BY number")
    assert exits == [(1, "OPEN_WORKER"), (2, None), (3, None)]


# --- under which profile ---


@pytest.fixture
def profile_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Change the area profile as an operator would: text in its file. Gives a function (old, new)."""
    folder = HOUSE / "profiles"
    (tmp_path / "codes.toml").write_text((folder / "codes.toml").read_text())
    mine = tmp_path / "bnes.toml"
    mine.write_text((folder / "bnes.toml").read_text())

    def change(*pairs: tuple[str, str]) -> None:
        text = mine.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        mine.write_text(text)
        monkeypatch.setenv("MASH_PROFILE", str(mine))
        forget_settings()

    return change


NEW_VERSION = ('version = "bnes-2026.9"', 'version = "bnes-2026.10"')
WITHOUT_POLICE = (
    (
        'scope = ["child", "adult"]\ndefault_checks = true\nsearches_with = ["date_of_birth", "address"]\n',
        'scope = ["child", "adult"]\ndefault_checks = false\nsearches_with = ["date_of_birth", "address"]\n',
    ),
    ('question = ["POLICE", ', "question = ["),
    ('CONTACT = ["POLICE"]', 'CONTACT = ["MENTAL_HEALTH"]'),
)


def test_a_referral_lives_and_dies_under_the_profile_it_began_with(profile_file):
    """R32, R70"""
    before = refer()
    profile_file(NEW_VERSION, *WITHOUT_POLICE)
    after = refer(sender_id="two")
    ask(before)
    ask(after)
    assert referral(before).profile_version == "bnes-2026.9"
    assert referral(after).profile_version == "bnes-2026.10"
    assert "POLICE" in asked_agencies(before)
    assert "POLICE" not in asked_agencies(after)


def test_a_changed_profile_needs_a_new_version(profile_file):
    """R70"""
    refer()
    profile_file(*WITHOUT_POLICE)
    with pytest.raises(Misconfigured, match="new version"):
        _receive(document(sender_id="two"))


def test_an_agency_goes_by_the_name_that_it_had_when_the_referral_came(profile_file):
    """R16"""
    old = 'names = [{ name = "Avon and Somerset Constabulary", from = 2016-09-01 }]'
    new = (
        'names = [{ name = "Avon and Somerset Constabulary", from = 2016-09-01, to = 2026-03-31 },'
        ' { name = "Severn Police", from = 2026-04-01 }]'
    )
    profile_file(NEW_VERSION, (old, new))
    for sent_at, name in [
        ("Tue 31 Mar 2026 10:00", "Avon and Somerset Constabulary"),
        ("Wed 01 Apr 2026 10:00", "Severn Police"),
    ]:
        at = london(sent_at)
        reference = refer(at, sender_id=sent_at)
        assert act(_names, reference, at)["POLICE"] == name


def _names(session, reference, at) -> dict[str, str]:
    from casework import collation, referrals

    content = collation.current_content(session, referrals.find(session, reference), at)
    return {section["agency"]: section["name"] for section in content["agencies"]}


def test_asking_again_about_a_queued_referral_gives_the_same_advice():
    """R26, INV2"""
    at = london("Sat 14 Mar 2026 20:00")
    first, again = _receive(document(at=at), at=at), _receive(document(at=at), at=at)
    assert first.advice == again.advice != ()
    assert register.current_profile().emergency.advice in again.advice
