"""What personal data the record holds, column by column: for what, on what basis, and for how long (Art. 30, S-29).

docs/data-protection/register.md is generated from this: `python -m models.processing`. A test fails when a column is
added that could hold something about a person and does not stand here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from models.profile import Profile, load_profile
from models.settings import HOUSE
from models.tables import METADATA

FILE = HOUSE / "docs" / "data-protection" / "register.md"


class Ground(NamedTuple):
    """Whose data it is, on what it rests, and which period of the profile's schedule it is kept for."""

    whose: str
    basis: str
    kept: str


_TASK = (
    "UK GDPR 6(1)(e) public task and 9(2)(g) substantial public interest with DPA 2018 Sch. 1 para. 18 (safeguarding); "
    "the gateway recorded for each person"
)
_REFERRAL = "child_referral, adult_referral or returned_at_once"
SUBJECT = Ground("Child or adult referred, and people around them", _TASK, _REFERRAL)
WORKER = Ground("Professional, in what they do for a referral", "UK GDPR 6(1)(e) public task", _REFERRAL)
RIGHTS = Ground("Child or adult referred", "UK GDPR 6(1)(c) legal obligation (Art. 15, 17, 5(2))", _REFERRAL)
ACCOUNT = Ground("Person with an account", "UK GDPR 6(1)(e) public task, 32 security", "with the account")
SIGN_IN = Ground(ACCOUNT.whose, ACCOUNT.basis, "closed_account")
OPINION = Ground(ACCOUNT.whose, ACCOUNT.basis, "feedback")
FLEETING = Ground("Person with an account", "UK GDPR 6(1)(e) public task, 32 security", "hours or days: migration 0017")
GOVERNED = Ground("Person with an account", "UK GDPR 6(1)(e) public task, 5(2) accountability", "for good: no content")

#: By table: the ground, and for each column its purpose. What differs from its table stands in DIFFERING.
PURPOSES: Mapping[str, tuple[Ground, Mapping[str, str]]] = {
    "referral": (SUBJECT, {
        "narrative": "What worries the duty team, so that agencies and deciders can judge it",
        "clarification_question": "What agencies are asked", "question_about": "Which agencies that is",
        "why_not_enough": "Why it was necessary to ask them",
        "rated_because": "Why it is as urgent as it is", "sending_officer": "Whom to ask back",
        "reply_to": "Where to ask back", "decided_to_refer_by": "Who answers for the referral",
        "sender_id": "Sent twice, it is one referral", "upstream_reference": "The case in the duty team's system",
        "body_digest": "Sent twice with other content, it is refused", "source": "From whom the concern came, by kind",
        "level_of_need": "How needy it looked, for the decision", "urgency": "By when agencies answer",
    }),
    "subject": (SUBJECT, {
        **dict.fromkeys(
            ("given_name", "family_name", "born_on_sealed", "nhs_number"), "So that agencies find the right person"
        ),
        "address": "So that agencies find the right person, and know who lives together",
        "person_digest": "To count who is referred again; a keyed digest of the NHS number, erased with it",
        "household_role": "Who is who at home", "voice": "The child's or adult's own words come first",
        "voice_missing_because": "Why they do not", "informed": "Whether they know of the referral",
        "informed_how": "How they were told", "informed_on": "When they were told",
        "consent": "Whether they agree, where that is asked", "consent_on": "When they agreed",
        "consent_given_by": "Who agreed for them", "consent_reason": "Why they were not asked",
        "consent_reason_code": "Why they were not asked, by kind", "request_reason": "Why agencies are asked",
        "article_6": "The basis of asking", "article_9": "The basis of asking", "dpa_condition": "The basis of asking",
        "gateway": "The statute that lets agencies answer", "basis_confirmed_by": "Who answers for the basis",
        "open_to_worker": "So that nobody is asked about what is known already",
        "exit_code": "How they left before a decision", "exit_reason": "Why they left before a decision",
    }),
    "radar_key": (SUBJECT, {"key": "To find who was referred before: a keyed digest, erased with the rest"}),
    "earlier_contact": (SUBJECT, {"signs": "Why an earlier referral may be about the same people, in codes"}),
    "agency_check": (SUBJECT, {
        "question": "What this agency is asked", "decline_note": "Why it does not share",
        "known": "Whether the agency knows them", "decline_reason": "Why it does not share, by kind",
        "breach_cause": "Why it was answered late, by kind",
        "asked_because": "Why this agency", "basis": "The basis of asking, as it stood when it was asked",
    }),
    "agency_not_asked": (SUBJECT, {
        "reason": "Why an agency was not asked", "override_reason": "Why it was asked without an agreement",
    }),
    "agency_return": (SUBJECT, {
        "summary": "What the agency knows", "items": "What the agency knows, item by item, with how far each may go",
        "systems_searched": "Whether the search was full", "not_searched_because": "Why it was not",
        "consultations": "What another professional said", "result": "Whether the agency knows them",
    }),
    "clarification": (SUBJECT, {"question": "So that the agency looks for the right thing", "answer": "The same"}),
    "follow_up": (SUBJECT, {"question": "What the agency's return leaves open", "answer": "The same"}),
    "manager_request": (SUBJECT, {
        "reason": "Why a manager is to decide", "answer": "Why they sent it back", "conclusion": "How it ended",
        "outcome": "What was meant to be decided",
    }),
    "urgent_call": (SUBJECT, {"reason": "Why it cannot wait"}),
    "collated_template": (SUBJECT, {"content": "What was known at the decision"}),
    "discussion": (SUBJECT, {"note": "What the team talked about", "present": "Who took part"}),
    "threshold_view": (SUBJECT, {
        "reason": "Why an agency disagrees", "view": "What the agency thinks",
        "level_of_need": "What the agency thinks",
    }),
    "dissent": (SUBJECT, {"resolution": "How a disagreement ended"}),
    "threshold_decision": (SUBJECT, {
        "rationale": "Why it was decided so", "words_for_duty_team": "What the duty team is told",
        "actions": "What is to be done, by whom", "without_discussion_because": "Why nobody talked about it first",
        "below_quorum_because": "Why an agency took no part", "level_of_need": "What was decided",
        "outcome": "What was decided", "consent": "Whether they agree to what follows",
    }),
    "second_look": (SUBJECT, {
        "first_level": "What was decided first", "first_outcome": "What was decided first",
        "level_of_need": "What a colleague would have decided", "outcome": "What a colleague would have decided",
        "reason": "What a colleague would have decided, and why",
    }),
    "dip_sample": (GOVERNED, {}),
    "board_pack": (GOVERNED, {"content": "What a board is given of a quarter: counts that lead to nobody"}),
    "reconsideration": (SUBJECT, {"reason": "Why a late return changes nothing", "conclusion": "What was decided"}),
    "hand_back": (SUBJECT, {"outcomes": "What the duty team was told"}),
    "item_release": (SUBJECT, {"withheld_because": "Why an item was not passed on"}),
    "draft": (SUBJECT, {"content": "What was typed and not sent, for whoever typed it"}),
    "ledger_content": (SUBJECT, {"content": "What the formal record is committed to", "salt": "To prove it"}),
    "legal_hold": (RIGHTS, {"because": "Why it is not erased", "lifted_because": "Why it is again"}),
    "subject_access": (RIGHTS, {"held_because": "Why giving it would do serious harm"}),
    "restriction": (SUBJECT, {
        "ground": "Why only named people know of it", "reason": "The same, in words",
        "lifted_because": "Why it is seen as any other again",
    }),
    "interest_conflict": (WORKER, {"ground": "Why somebody stepped back"}),
    "glass_break": (GOVERNED, {
        "reason": "Why a restricted referral was opened in an emergency", "verdict": "Whether that was right",
        "note": "The same, in words",
    }),
    "account": (ACCOUNT, {
        "id": "Who acted, in the ledger", "email": "Where codes and invitations go",
        "display_name": "What they are called",
        "totp_secret": "Second factor", "password_hash": "First factor", "email_digest": "Finds the account at sign-in",
        "provider_subject": "Finds the account at the council's sign-in", "duty_team": "For which team they work",
    }),
    "account_event": (ACCOUNT, {"actor": "Who changed an account", "detail": "What was changed, in codes"}),
    "feedback": (OPINION, {
        "went_well": "To make the process better", "should_change": "To make the process better",
        "answer": "To make the process better", "what_changed": "To make the process better",
    }),
    "notice": (FLEETING, {"secret": "A code or link, until it is sent", "recipient": "To whom it goes"}),
    "ledger": (GOVERNED, {"actor": "Who acted", "detail": "What was done, in codes, numbers and times"}),
    "agreement_event": (GOVERNED, {"actor": "Who changed an agreement"}),
    "sharing_agreement": (GOVERNED, {"added_by": "Who entered an agreement"}),
}  # fmt: skip
DIFFERING: Mapping[str, Ground] = {
    "referral.sending_officer": WORKER, "referral.reply_to": WORKER, "referral.decided_to_refer_by": WORKER,
    "discussion.present": WORKER, "subject.basis_confirmed_by": WORKER,
    "account.email": SIGN_IN, "account.email_digest": SIGN_IN, "account.password_hash": SIGN_IN,
    "account.totp_secret": SIGN_IN, "account.provider_subject": SIGN_IN,
}  # fmt: skip
#: Text that says nothing about a person: names of things, codes of the profile, digests of random tokens.
NOT_PERSONAL = frozenset({
    "agency.code", "agency.kind", "area_profile.version", "area_profile.digest", "area_profile.content", "post.place",
    "radar_key.kind", "opening.reference", "glass_break.alert", "glass_break.reference",
    "provider_visit.state_digest", "provider_visit.browser_digest", "provider_visit.back", "sharing_agreement.title",
    "sharing_agreement.version", "sharing_agreement.parties", "sharing_agreement.scope", "sharing_agreement.signed_on",
    "sharing_agreement.in_force_from", "sharing_agreement.in_force_to", "sharing_agreement.review_on",
    "sharing_agreement.ended_on", "stage_move.of_table", "stage_move.from_status", "stage_move.to_status",
    "throttle.bucket", "turn.name", "raised_alarm.code", "agreement_event.act", "agreement_event.detail",
    "referral.reference", "referral.duty_team", "account_event.act", "agency_check.sides", "agency_check.clock_policy",
    "agency_check.calendar_version", "agency_check.due_in_words", "agency_check.pause_reason", "api_token.digest",
    "follow_up.clock_policy", "follow_up.calendar_version", "follow_up.due_in_words", "follow_up.pause_reason",
    "collated_template.template_version", "collated_template.taken_for", "collated_template.digest", "discussion.mode",
    "dip_sample.first_on", "dip_sample.last_on", "board_pack.first_on", "board_pack.last_on",
    "dissent.stage", "draft.purpose", "draft.about", "erasure_list.profile_version", "hand_back.duty_team",
    "invitation.digest", "ledger.act", "ledger.commitment", "ledger.previous", "ledger.digest", "notice.key",
    "notice.message", "notice.channel", "portal_session.digest", "sign_in.browser_digest", "sign_in.code_salt",
    "sign_in.code_digest", "wake.about", "erasure.passed_over", "threshold_decision.threshold_document",
    "threshold_decision.quorum_missing",
})  # fmt: skip


class Row(NamedTuple):
    """One line of the register."""

    column: str
    purpose: str
    ground: Ground


def register(tables: Iterable[sa.Table]) -> tuple[list[Row], list[str]]:
    """The register of these tables, and the columns about which nobody has said what they are for."""
    rows, unknown = [], []
    for column in _that_may_be_personal(tables):
        name = f"{column.table.name}.{column.name}"
        ground, purposes = PURPOSES.get(column.table.name, (ACCOUNT, {}))
        if purpose := purposes.get(column.name):
            rows.append(Row(name, purpose, DIFFERING.get(name, ground)))
        elif _names_an_account(column):
            rows.append(Row(name, "Who acted, or whose it is", WORKER if ground is SUBJECT else ground))
        elif name not in NOT_PERSONAL:
            unknown.append(name)
    return rows, unknown


def page(profile: Profile) -> str:
    """docs/data-protection/register.md, in Markdown."""
    rows, _ = register(table for _, table in sorted(METADATA.tables.items()))
    periods = "\n".join(
        f"| `{kind}` | {period.days} days after it was {period.counted_from} | {period.basis} | {period.source} |"
        for kind, period in profile.retention
    )
    lines = "\n".join(f"| `{row.column}` | {row.purpose} | {' | '.join(row.ground)} |" for row in rows)
    return _PAGE.format(area=profile.area.name, periods=periods, lines=lines)


def _that_may_be_personal(tables: Iterable[sa.Table]) -> Iterator[sa.Column[object]]:
    """Whatever could hold words or name somebody; times, numbers, ids and codes of the hub's own say nothing alone."""
    for table in tables:
        for column in table.columns:
            plain = isinstance(column.type, sa.DateTime | sa.Enum | sa.Integer | sa.Boolean | sa.Uuid)
            if _names_an_account(column) or not (plain or column.foreign_keys):
                yield column


def _names_an_account(column: sa.Column[object]) -> bool:
    return any(key.column.table.name == "account" for key in column.foreign_keys)


_PAGE = """\
# Register of processing activities

Generated from `models/processing.py` and the profile of {area} by `python -m models.processing`; a test fails when it
is stale, or when a column is not in it. It is the hub's part of the record that UK GDPR Article 30 asks for. The bases
are proposals: **the information-governance lead of each controller confirms them**, and adds who the controllers,
processors and recipients are. Every column of free text is sealed with a key outside the database (decision 7).

## How long

| kind | period | why | source |
|---|---|---|---|
{periods}

A referral about both sides is kept for the longer period. A legal hold wins. What is over is listed each month, and
erased once two people agreed; codes, times and the ledger stay (`casework/retention.py`). What is left over in the
database's own files goes when they are vacuumed, and in backups with their period; neither is readable without the key.

## What

| column | purpose | whose | basis | kept |
|---|---|---|---|---|
{lines}
"""


def main() -> None:
    """Write the page."""
    FILE.write_text(page(load_profile(HOUSE / "profiles" / "bnes.toml")), encoding="utf-8")


if __name__ == "__main__":
    main()
