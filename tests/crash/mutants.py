"""The ways to break a world, one at a time, and the invariant that each breaks (F31)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg

from tests.crash import chain, evidence
from tests.crash.world import World


def _sql(statement: str) -> Callable[[World], None]:
    def broken(world: World) -> None:
        assert world.sql(statement) >= 1

    return broken


def _letter(world: World, holds: str) -> Path:
    return next(file for file in sorted(world.mail.glob("*.eml")) if holds in _ours(world, file))


def _ours(world: World, file: Path) -> str:
    text = file.read_text()
    return text if any(reference in text for reference in world.references) else ""


def _a_letter_is_lost(world: World) -> None:
    _letter(world, "Subject").unlink()


def _a_letter_leaves_twice(world: World) -> None:
    file = _letter(world, "Subject")
    file.with_name(f"9{file.name}").write_bytes(file.read_bytes())


def _a_letter_goes_to_somebody_else(world: World) -> None:
    file = _letter(world, "mash@police.bnes.example")
    file.write_text(file.read_text().replace("mash@police.bnes.example", "desk@police.bnes.example"))


def _a_letter_has_another_blind_recipient(world: World) -> None:
    file = _letter(world, "Subject")
    file.write_text(file.read_text().replace("X-Mash-Envelope-To: ", "X-Mash-Envelope-To: eve@elsewhere.example, ", 1))


def _a_letter_nobody_wrote(world: World) -> None:
    file = _letter(world, "Subject")
    text = file.read_text()
    message_id = next(line for line in text.splitlines() if line.lower().startswith("message-id"))
    file.with_name(f"9{file.name}").write_text(text.replace(message_id, "Message-ID: <unknown@mash.invalid>"))


def _an_entry_is_forged_with_a_right_digest(world: World) -> None:
    """The last entry of a chain, so that the chain itself still verifies."""
    with psycopg.connect(world.scene.url(world.database), row_factory=psycopg.rows.dict_row) as record:
        entry = record.execute(
            "SELECT DISTINCT ON (reference) * FROM ledger WHERE reference = ANY(%s) ORDER BY reference, number DESC",
            [list(world.references)],
        ).fetchone()
    assert entry is not None
    entry["at"] += timedelta(seconds=1)
    world.sql("UPDATE ledger SET at = %s, digest = %s WHERE id = %s", entry["at"], chain.digest(entry), entry["id"])


def _one(table: str, where: str = "true") -> str:
    return f"(SELECT id FROM {table} WHERE {where} ORDER BY id LIMIT 1)"


_LATE = "status = 'RETURNED_LATE'"


def _fork(world: World) -> None:
    """Two entries with one number: the constraint that would refuse it is gone as well."""
    world.sql("ALTER TABLE ledger DROP CONSTRAINT ledger_number_once CASCADE")
    world.sql(
        "INSERT INTO ledger (id, reference, number, at, actor, act, detail, commitment, previous, digest) "
        "SELECT id + 1000000, reference, number, at, actor, act, detail, commitment, previous, digest "
        "FROM ledger WHERE number = 4"
    )


def _lose_a_referral(world: World) -> None:
    reference = min(world.references)
    for table in ("agency_return", "clarification"):
        world.sql(
            f"DELETE FROM {table} WHERE check_id IN (SELECT id FROM agency_check WHERE reference = %s)", reference
        )
    for table in evidence.TABLES:
        if table not in ("account", "agency_return", "clarification"):
            world.sql(f"DELETE FROM {table} WHERE reference = %s", reference)


def _copy_a_referral(world: World) -> None:
    reference = min(world.references)
    world.sql("ALTER TABLE referral DROP CONSTRAINT referral_sender_id_once")
    other = max(world.references)
    world.sql(
        "UPDATE referral SET (duty_team, sender_id) = (SELECT duty_team, sender_id FROM referral WHERE reference = %s) "
        "WHERE reference = %s", reference, other,
    )  # fmt: skip


def _decide_again(world: World) -> None:
    columns = (
        "reference, subject_id, threshold_met, level_of_need, outcome, rationale, words_for_duty_team, actions, "
        "consent, threshold_document, without_discussion_because, collated_template_id, decided_at, decided_by, grade"
    )
    world.sql(
        f"INSERT INTO threshold_decision (id, version, {columns}) "
        f"SELECT gen_random_uuid(), version + 1, {columns} FROM threshold_decision d WHERE version = "
        "(SELECT max(version) FROM threshold_decision o WHERE o.subject_id = d.subject_id)"
    )


def _move_a_breach(world: World) -> None:
    world.sql("ALTER TABLE agency_check DROP CONSTRAINT check_breached_when_due")
    assert world.sql("UPDATE agency_check SET breached_at = due_at + interval '1 minute' WHERE breached_at IS NOT NULL")


MUTANTS: dict[str, tuple[str, Callable[[World], None]]] = {
    "a letter is lost": ("INV7", _a_letter_is_lost),
    "a letter leaves twice": ("INV7", _a_letter_leaves_twice),
    "a letter goes to somebody else": ("INV8", _a_letter_goes_to_somebody_else),
    "a letter has another blind recipient": ("INV8", _a_letter_has_another_blind_recipient),
    "a letter nobody wrote": ("INV12", _a_letter_nobody_wrote),
    "a notice is never tried": ("INV7", _sql(
        f"UPDATE notice SET status = 'WAITING', sent_at = NULL WHERE id = {_one('notice')}")),
    "a sender died with a notice in hand": ("INV15", _sql(
        "UPDATE notice SET status = 'SENDING', lease_until = clock_timestamp() - interval '1 second' "
        f"WHERE id = {_one('notice')}")),
    "a notice is dropped from the outbox": ("INV7", _sql(
        "DELETE FROM notice WHERE message = 'check_overdue'")),
    "an entry is edited": ("INV11", _sql(
        "UPDATE ledger SET actor = 'somebody-else' WHERE act = 'DECIDED'")),
    "an entry is deleted in the middle": ("INV11", _sql("DELETE FROM ledger WHERE act = 'CHECK_RETURNED'")),
    "the last entry is deleted": ("INV12", _sql(
        "DELETE FROM ledger l WHERE act = 'ACKNOWLEDGED' AND NOT EXISTS "
        "(SELECT FROM ledger o WHERE o.reference = l.reference AND o.number > l.number + 1)")),
    "a chain is forked": ("INV11", _fork),
    "an entry is dated back": ("INV11", _sql(
        f"UPDATE ledger SET at = at - interval '1 hour' WHERE id = {_one('ledger', 'number = 3')}")),
    "an entry is forged with a right digest": ("INV12", _an_entry_is_forged_with_a_right_digest),
    "a referral is lost": ("INV1", _lose_a_referral),
    "a referral is there twice": ("INV2", _copy_a_referral),
    "a return is lost": ("INV6", _sql(f"DELETE FROM agency_return WHERE id = {_one('agency_return')}")),
    "a late return is lost with its entry's change": ("INV6", _sql(
        f"DELETE FROM agency_return WHERE check_id IN (SELECT id FROM agency_check WHERE {_LATE})")),
    "a late return is called on time": ("INV6", _sql(
        f"UPDATE agency_check SET settled_at = due_at + interval '5 seconds' WHERE {_LATE}")),
    "a decision is made twice": ("INV3", _decide_again),
    "a decision is signed by nobody who may": ("INV13", _sql(
        "UPDATE threshold_decision SET decided_by = 'mash-support'")),
    "a decision is another one": ("INV12", _sql(
        "UPDATE threshold_decision SET outcome = 'A_S42' WHERE outcome = 'NFA'")),
    "a decision is lost": ("INV12", _sql("DELETE FROM threshold_decision WHERE version = 2")),
    "a due time moves": ("INV4", _sql(
        "UPDATE agency_check SET due_at = due_at + interval '1 hour' "
        f"WHERE id = {_one('agency_check', 'breached_at IS NULL')}")),
    "a breach is written down at the wrong time": ("INV5", _move_a_breach),
    "a breach without a cause": ("INV5", _sql(
        "UPDATE agency_check SET breached_at = due_at, breach_noticed_at = due_at "
        f"WHERE id = {_one('agency_check', 'breached_at IS NULL')}")),
    "a breach is missing": ("INV5", _sql(
        "UPDATE agency_check SET breached_at = NULL, breach_noticed_at = NULL WHERE breached_at IS NOT NULL")),
    "an outcome is never handed back": ("INV12", _sql(f"DELETE FROM hand_back WHERE id = {_one('hand_back')}")),
    "an acknowledgement is lost": ("INV12", _sql(
        f"UPDATE hand_back SET acknowledged_at = NULL, acknowledged_by = NULL WHERE id = {_one('hand_back')}")),
    "a question after a decision is lost": ("INV12", _sql("DELETE FROM reconsideration")),
    "an agency's question is lost": ("INV12", _sql("DELETE FROM clarification")),
    "a referral stays open with no run": ("INV9", _sql(
        "UPDATE referral SET stage = 'AWAITING_ACK', closed_at = NULL WHERE stage = 'CLOSED'")),
    "a referral stays with the hub": ("INV9", _sql(
        "UPDATE referral SET stage = 'HANDING_BACK', closed_at = NULL WHERE stage = 'CLOSED'")),
    "a wake is overslept": ("INV9", _sql(
        "INSERT INTO wake (id, reference, kind, about, due_at, attempts) SELECT gen_random_uuid(), reference, "
        "'CHASE_ACK', 'CHILDREN_DUTY', received_at, 0 FROM referral")),
}  # fmt: skip
