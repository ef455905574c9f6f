"""What the record guards when a text leaves for a reader, and what is said when a text holds some of it (R29)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from casework import items, past_details, referrals
from casework.documents import ReferralDocument, SubjectDecision, SubjectDocument
from casework.items import Standing
from casework.register import profile_of
from models.referral import Referral, Subject
from rules import release
from rules.errors import FieldError, NotAcceptable
from rules.outgoing import NEVER, Find, Guard, Person, find, numbers_in, people_in
from rules.people import Side
from rules.release import Reader

Key = tuple[str, int, int]


@dataclass(frozen=True)
class Alarm:
    """What was found at one place of a document; `advice` says how to mend it."""

    pointer: str
    finds: Sequence[Find]
    advice: str

    @property
    def is_final(self) -> bool:
        """Whether no reason lets it leave."""
        return any(found.kind in NEVER for found in self.finds)

    def as_error(self) -> FieldError:
        """For whoever may see neither the thing nor where it comes from."""
        return FieldError(self.pointer, f"holds {' and '.join(each.said() for each in self.finds)}: {self.advice}")


def for_duty_team(session: Session, referral: Referral, side: Side, kept: Collection[Key] = ()) -> Guard:
    """What the duty team of a side must not be told; `kept` are the items that a decision keeps from it.

    Whoever sent the referral knows everybody of whom it wrote; the other team knows the people of its own side (R08).
    """
    people, unread = _people(session, referral), _unreachable(session, referral, Reader.DUTY_TEAM, kept)
    sent_it = profile_of(session, referral).duty_team_of(side).code == referral.duty_team
    known = [person for subject, person in people if sent_it or subject.side == side]
    if sent_it:
        known += people_in(f"{referral.narrative}\n{referral.why_not_enough}")
    strangers = [(subject.code, person) for subject, person in people if person not in known]
    return _guard(session, referral, unread, strangers, known)


def for_agency(session: Session, referral: Referral, agency: str) -> Guard:
    """What an agency must not be told with a question or an answer; what it gave itself it knows."""
    unread = [item for item in _unreachable(session, referral, Reader.AGENCIES) if item.agency != agency]
    return _guard(session, referral, unread, [], [person for _, person in _people(session, referral)])


def for_referrer(session: Session, referral: Referral) -> Guard:
    """What whoever told the duty team must not be told: the text for them names nobody (R45)."""
    everybody = [(subject.code, person) for subject, person in _people(session, referral)]
    return _guard(session, referral, _unreachable(session, referral, Reader.REFERRER), everybody, [])


def for_partner(session: Session, referral: Referral, partner: str) -> Guard:
    """What a duty team or an agency must not be told with the whole record. Raises NotAcceptable for anybody else."""
    profile = profile_of(session, referral)
    sides = {team.code: team.side for team in profile.duty_teams}
    if partner in sides:
        return for_duty_team(session, referral, sides[partner])
    if partner not in {agency.code for agency in profile.agencies}:
        raise NotAcceptable(FieldError("/partner", "is neither an agency nor a duty team of this area"))
    return for_agency(session, referral, partner)


def for_addresses(session: Session, reference: str, more: Sequence[tuple[str, str]] = ()) -> Guard:
    """The protected addresses alone, and `more` of them, by whose they are, with the telephone numbers in them."""
    return _of_addresses([*_ever_protected(session, reference), *more])


def protected(session: Session, reference: str) -> list[str]:
    """The people, as S1, S2 …, whose address is protected and in the record."""
    return list(dict.fromkeys(code for code, _ in _ever_protected(session, reference)))


def alarms(
    session: Session, referral: Referral, decision: SubjectDecision, subject: Subject, pointer: str,
    *, chosen: dict[Key, Standing] | None = None,
) -> list[Alarm]:  # fmt: skip
    """What a decision would tell the duty team that must not leave: in its words, its actions and its items.

    `chosen` are the items as they were when it was signed; without them, as they stand.
    """
    kept = {(choice.agency, choice.version, choice.number) for choice in decision.items if not choice.release}
    guard = for_duty_team(session, referral, subject.side, kept)
    if chosen is None:
        chosen = {item.key: item for item in items.standing(session, referral.reference)}
    found = [(place, find(text, guard), advice) for place, text, advice in _leaving(decision, chosen)]
    return [Alarm(f"{pointer}/{place}", finds, advice) for place, finds, advice in found if finds]


def problems(found: Sequence[Alarm], because: str | None, pointer: str) -> Iterator[FieldError]:
    """What stops a release: everything found, unless all of it may be a false alarm and somebody says why it is."""
    final = any(alarm.is_final for alarm in found)
    if because and not final:
        return
    yield from (alarm.as_error() for alarm in found)
    if found and not final:
        yield FieldError(f"{pointer}/false_alarm_because", "mend what was found; or, if it is a false alarm, say why")


def in_a_question(text: str | None, guard: Guard, pointer: str) -> list[FieldError]:
    """What a question or an answer to an agency holds that must not leave."""
    finds = find(text or "", guard)
    return [Alarm(pointer, finds, "leave it out").as_error()] if finds else []


def in_a_record(contents: Mapping[int, str], guard: Guard) -> dict[Find, list[int]]:
    """What the contents of a ledger hold that must not leave, each with the numbers of the entries that hold it."""
    found: dict[Find, list[int]] = {}
    for number, content in sorted(contents.items()):
        for each in find("\n".join(_texts(json.loads(content))), guard):
            found.setdefault(each, []).append(number)
    return found


def in_a_referral(parsed: ReferralDocument) -> list[FieldError]:
    """What a duty team asks every agency must not hold the address that is kept from them."""
    numbered = [(f"S{number}", subject) for number, subject in enumerate(parsed.subjects, start=1)]
    question = parsed.eligibility.clarification_question
    return in_a_question(question, _of_addresses(_addresses(numbered)), "/eligibility/clarification_question")


def _leaving(decision: SubjectDecision, standing: dict[Key, Standing]) -> Iterator[tuple[str, str, str]]:
    """What leaves with a decision: its place, the text, and how to keep it back."""
    yield "words_for_duty_team", decision.words_for_duty_team, "change the words"
    for number, action in enumerate(decision.actions):
        yield f"actions/{number}/what", action.what, "change the words"
        yield f"actions/{number}/owner", action.owner, "change the words"
    for number, choice in enumerate(decision.items):
        item = standing.get((choice.agency, choice.version, choice.number))
        if choice.release and item:
            yield f"items/{number}", _text(item), f"withhold item {item.number} of {item.agency}"


def _guard(
    session: Session, referral: Referral, unread: Iterable[Standing], people: list[tuple[str, Person]],
    known: Collection[Person],
) -> Guard:  # fmt: skip
    addresses = _ever_protected(session, referral.reference)
    texts = [*addresses, *((item.agency, _text(item)) for item in unread)]
    if addresses:
        # The record has no field for a telephone number: theirs stands where the duty team told of them.
        texts += [(addresses[0][0], referral.narrative), (addresses[0][0], referral.why_not_enough)]
    return Guard(
        addresses,
        [(of, number) for of, text in texts for number in numbers_in(text)],
        [*people, *((item.agency, person) for item in unread for person in people_in(_text(item)))],
        known,
    )


def _of_addresses(addresses: Sequence[tuple[str, str]]) -> Guard:
    return Guard(addresses, [(of, number) for of, address in addresses for number in numbers_in(address)])


def _addresses(subjects: Sequence[tuple[str, Subject | SubjectDocument]]) -> list[tuple[str, str]]:
    protected = referrals.protected_households(subject for _, subject in subjects)
    return [(code, each.address) for code, each in subjects if each.household in protected and each.address]


def _ever_protected(session: Session, reference: str) -> list[tuple[str, str]]:
    """The addresses of protected households; those too that stood there before a correction."""
    everybody = referrals.subjects(session, reference)
    households = referrals.protected_households(everybody)
    codes = {each.code for each in everybody if each.household in households}
    before = [(code, address) for code, address in past_details.addresses(session, reference) if code in codes]
    return _addresses([(subject.code, subject) for subject in everybody]) + before


def _people(session: Session, referral: Referral) -> list[tuple[Subject, Person]]:
    everybody = referrals.subjects(session, referral.reference)
    return [(subject, Person(subject.given_name, subject.family_name)) for subject in everybody]


def _unreachable(session: Session, referral: Referral, reader: Reader, kept: Collection[Key] = ()) -> list[Standing]:
    """The items that a reader may not have: withheld, not for them, or kept from them by this decision."""
    return [
        item
        for item in items.held(session, referral.reference)
        if item.key in kept or not release.may_reach(item.content, reader)
    ]


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, as it was typed."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _text(item: Standing) -> str:
    return f"{item.content.get('text') or ''}\n{item.content.get('source') or ''}"
