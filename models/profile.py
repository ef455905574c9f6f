"""The area profile: everything that differs between one hub and the next, read from one file (R70).

A profile is data with a version. A referral begins and ends under the version it began with, so a loaded profile
never changes, and it can be written to JSON and read back whole.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from models.profile_parts import (
    AccountCare,
    Agency,
    Area,
    Asking,
    Authority,
    Band,
    Channels,
    Clocks,
    Code,
    Contact,
    Delivery,
    DutyTeam,
    Emergency,
    FrontDoor,
    LegalGate,
    Line,
    OfficeHours,
    Outcome,
    Part,
    Quorum,
    Retention,
    ThresholdDocument,
    Version,
    Wording,
)
from rules import asking, eligibility, legal_gate, release
from rules.asking import WhyAsked, WhyNotAsked
from rules.calendar import OfficeCalendar
from rules.clock import Clock
from rules.errors import Misconfigured
from rules.people import Side
from rules.quorum import QuorumRule
from rules.threshold import CONSENT_GIVEN, OutcomeRule
from rules.urgency import UrgencyRating

__all__ = ["CODES_IN_RULES", "CODE_SETS", "Agency", "Contact", "DutyTeam", "Outcome", "Profile", "load_profile"]

#: The code sets that the hub works with (requirements §4); their codes and labels are data.
CODE_SETS = (
    "referral_source", "primary_need", "abuse_category", "child_factors", "adult_abuse", "adult_location",
    "source_of_risk", "sac_conclusion", "sac_result", "capacity", "advocate", "asked_outcomes", "outcomes_achieved",
    "support_reason", "age_band", "need_level", "rating", "urgency_rating", "informed", "informed_how", "consent",
    "consent_not_sought_reason_child", "consent_not_sought_reason_adult", "article_6", "article_9", "dpa_condition",
    "gateway", "request_reason", "question_about", "asked_because", "not_asked_because",
    "outcome", "early_end", "check_status", "return_result", "decline_reason",
    "recipients", "breach_cause", "clock_reason", "dissent_stage", "withdrawal_reason", "discussion_mode", "view",
    "restriction_ground", "interest_ground", "glass_verdict",
)  # fmt: skip
#: Codes that rules name, so that no profile can be without them.
CODES_IN_RULES: Mapping[str, Collection[str]] = {
    "outcome": (eligibility.CLEAR_CONCERN, eligibility.NOT_ELIGIBLE, eligibility.OPEN_TO_WORKER),
    "early_end": (eligibility.WITHDRAWN,),
    "consent": sorted(CONSENT_GIVEN | eligibility.CONSENT_NEEDS_REASON),
    "return_result": ("NOT_SEARCHED",),
    "view": ("DISAGREE",),
    "recipients": sorted(release.REACHES),
    "asked_because": tuple(WhyAsked),
    "not_asked_because": tuple(WhyNotAsked),
    "urgency_rating": tuple(UrgencyRating),
}
#: How long before the last known bank holidays somebody is asked to look up more.
HOLIDAYS_AHEAD = timedelta(days=92)


class Profile(Part):
    """One area, whole. Made by `load_profile`, or from its own JSON; never changed."""

    file: str
    version: Version
    code_sets: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*\.toml$")]
    area: Area
    front_door: dict[Side, FrontDoor]
    emergency: Emergency
    duty_teams: tuple[DutyTeam, ...]
    agencies: tuple[Agency, ...]
    asking: Asking = Asking()
    hours: OfficeHours
    clocks: Clocks
    threshold: ThresholdDocument
    quorum: dict[Side, Quorum] = Field(default_factory=dict)
    #: None for a version of before there was a gate.
    legal_gate: LegalGate | None = None
    outcomes: tuple[Outcome, ...]
    authority: Authority = Authority()
    wording: Wording
    contacts: dict[Annotated[str, StringConstraints(pattern=r"^[a-z_]+$")], Contact]
    delivery: Delivery
    retention: Retention
    accounts: AccountCare = AccountCare()
    codes: dict[str, dict[Code, Line]]

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone in which this area's people read a clock."""
        return ZoneInfo(self.area.zone)

    def agency(self, code: str) -> Agency:
        """The agency with this code. Raises Misconfigured when the profile has none."""
        return _by_code(self.agencies, code, f"{self.file}: agencies")

    def duty_team(self, code: str) -> DutyTeam:
        """The duty team with this code. Raises Misconfigured when the profile has none."""
        return _by_code(self.duty_teams, code, f"{self.file}: duty_teams")

    def duty_team_of(self, side: Side) -> DutyTeam:
        """The one duty team of a side (R08)."""
        return next(team for team in self.duty_teams if team.side is side)

    def agencies_to_ask(self, sides: Collection[Side], also: Collection[str] = ()) -> list[Agency]:
        """The core agencies whose scope meets any of the sides, each once, in the profile's order (R15).

        `also` names others that are asked like them.
        """
        return [
            agency
            for agency in self.agencies
            if (agency.default_checks or agency.code in also) and not set(sides).isdisjoint(agency.scope)
        ]

    def calendar(self) -> OfficeCalendar:
        """The office calendar. Its version names the profile's version and a digest of every day in it."""
        return _calendar(self.hours, self.area.zone, self.version)

    def missing_holidays(self, on: date) -> str | None:
        """What to do when bank holidays run out within three months of a local date, None when they do not (R21)."""
        if self.hours.known_until - on >= HOLIDAYS_AHEAD:
            return None
        return (
            f"{self.file}: hours.bank_holidays.last_year: bank holidays are known until {self.hours.known_until} only; "
            f"compare those of {self.hours.known_until.year + 1} with the published list, add one-off days to "
            "hours.closed_days, set last_year, and give the profile a new version"
        )

    @property
    def bands(self) -> list[str]:
        """The codes of the urgency bands, the most urgent first."""
        return [band.code for band in self.clocks.bands]

    def check_clock(self, band: str) -> Clock:
        """The clock for agency checks of an urgency band. Raises Misconfigured for a band that is not there."""
        return _by_code(self.clocks.bands, band, f"{self.file}: clocks.bands").clock()

    def label(self, code_set: str, code: str) -> str:
        """A code in words. Raises Misconfigured for a code that the set does not have."""
        try:
            return self.codes[code_set][code]
        except KeyError:
            raise Misconfigured(f"{self.code_sets}: {code_set}: has no code {code}") from None

    def outcome_label(self, code: str) -> str:
        """How a subject's way ended, in words: an outcome, or a way to leave without a decision."""
        return self.label("early_end" if code in self.codes["early_end"] else "outcome", code)

    def quorum_rules(self) -> dict[Side, QuorumRule]:
        """The quorum of each side that has one (R38)."""
        return {side: quorum.rule() for side, quorum in self.quorum.items()}

    def outcome_rules(self) -> dict[str, OutcomeRule]:
        """The rule of each outcome, by code (R35, R40)."""
        return {outcome.code: outcome.rule() for outcome in self.outcomes}

    def contact(self, recipient: str, on: date) -> Contact:
        """The name and the channels of a recipient: `agency:CODE`, `duty:CODE`, `heads:CODE` or `mash:name`.

        `on` is the local date whose name of an agency counts. Raises Misconfigured for an unknown recipient.
        """
        kind, _, code = recipient.partition(":")
        match kind:
            case "agency":
                agency = self.agency(code)
                return _contact(agency.name_on(on), agency.notify)
            case "duty":
                return _contact(self.duty_team(code).name, self.duty_team(code).notify)
            case "heads":
                return _contact(f"Heads of service, {self.duty_team(code).name}", self.duty_team(code).heads)
            case "mash" if code in self.contacts:
                return self.contacts[code]
        raise Misconfigured(f"{self.file}: contacts: nobody is called {recipient}")


def load_profile(path: Path) -> Profile:
    """Read and check the profile in `path` and the code sets that it names, which lie beside it (R70).

    Raises Misconfigured with every problem found, one line each: file, key, sentence. What spans several keys is
    checked once each key is right by itself.
    """
    document = _read(path)
    problems = [f"{path.name}: {key}: is not for a profile to say" for key in ("file", "codes") if key in document]
    codes, unreadable = _read_code_sets(path, document.get("code_sets"))
    problems += unreadable
    try:
        profile = Profile.model_validate({**document, "file": path.name, "codes": codes})
    except ValidationError as error:
        problems += [_sentence(details, document, path.name) for details in error.errors(include_input=False)]
    else:
        problems = problems or [f"{file}: {key}: {sentence}" for file, key, sentence in _across_keys(profile)]
        if not problems:
            return profile
    raise Misconfigured("\n".join(problems)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Misconfigured(f"{path.name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Misconfigured(f"{path.name}: is not a text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Misconfigured(f"{path.name}: is not TOML: {error}") from None


def _read_code_sets(path: Path, name: object) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(name, str) or Path(name).name != name:
        return {}, []  # the profile's own check of this key says what is wrong
    try:
        return _read(path.with_name(name)), []
    except Misconfigured as error:
        return {}, [str(error)]


def _sentence(details: ErrorDetails, document: Mapping[str, Any], file: str) -> str:
    where = [part for part in details["loc"] if part != "[key]"]
    if where[0] == "codes" and len(where) > 1:
        file, where = str(document.get("code_sets")), where[1:]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).removeprefix(".")
    match details["type"]:
        case "missing":
            return f"{file}: {key}: is missing"
        case "extra_forbidden":
            return f"{file}: {key}: is not a key that a profile has"
        case _:
            words = details["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
            return f"{file}: {key}: {words}"


#: A file, a key in it, and what is wrong there.
Problem = tuple[str, str, str]


def _across_keys(profile: Profile) -> Iterator[Problem]:
    for key, sentence in (
        *_wrong_sides(profile),
        *_doubles(profile),
        *_wrong_asking(profile),
        *_wrong_days(profile.hours),
        *_wrong_clocks(profile),
        *_wrong_outcomes(profile),
        *_wrong_quorums(profile),
        *_wrong_gate(profile),
        *_wrong_authority(profile),
    ):
        yield profile.file, key, sentence
    for key, sentence in _wrong_code_sets(profile.codes):
        yield profile.code_sets, key, sentence


def _wrong_sides(profile: Profile) -> Iterator[tuple[str, str]]:
    for side in Side:
        teams = sum(team.side is side for team in profile.duty_teams)
        if teams != 1:
            yield "duty_teams", f"there must be exactly one for the side {side}, not {teams} (R01)"
        if not profile.agencies_to_ask({side}):
            yield "agencies", f"no core agency with default_checks has the side {side} in its scope"
        if side not in profile.front_door:
            yield f"front_door.{side}", "is missing"
    for name in ("team", "alarm", "information_governance"):
        if name not in profile.contacts:
            yield f"contacts.{name}", "is missing"


def _doubles(profile: Profile) -> Iterator[tuple[str, str]]:
    lists: Mapping[str, Iterable[str]] = {
        "duty_teams": [team.code for team in profile.duty_teams],
        "agencies": [agency.code for agency in profile.agencies],
        "clocks.bands": profile.bands,
        "clocks.dissent_stages": [stage.code for stage in profile.clocks.dissent_stages],
        "outcomes": [outcome.code for outcome in profile.outcomes],
        "hours.closed_days": [str(closed.day) for closed in profile.hours.closed_days],
        "hours.short_days": [str(short.day) for short in profile.hours.short_days],
    }
    for key, values in lists.items():
        for value, times in Counter(values).items():
            if times > 1:
                yield key, f"{value} stands here {times} times"


def _wrong_asking(profile: Profile) -> Iterator[tuple[str, str]]:
    as_a_rule = {agency.code for agency in profile.agencies if agency.default_checks}
    topics, labelled = profile.asking.question_about, profile.codes.get("question_about", {})
    named = {f"question_about.{topic}": agencies for topic, agencies in topics.items()}
    for key, agencies in {"whatever_the_question": profile.asking.whatever_the_question, **named}.items():
        for code in agencies:
            if code not in as_a_rule:
                yield f"asking.{key}", f"{code} is no agency with default_checks"
    for topic in topics:
        if topic not in labelled:
            yield f"asking.question_about.{topic}", "is not in the code set question_about"
        narrowed = profile.asking.narrowed([topic])
        for side in Side:
            if not any(asking.need_of(agency.code, narrowed) for agency in profile.agencies_to_ask({side})):
                yield f"asking.question_about.{topic}", f"leaves nobody of the side {side} to ask"
    for code in sorted(labelled.keys() - topics.keys()):
        yield "asking.question_about", f"{code} is in the code set question_about, but nothing here says who holds it"


def _wrong_days(hours: OfficeHours) -> Iterator[tuple[str, str]]:
    closed = hours.all_closed_days()
    for number, short in enumerate(hours.short_days):
        if short.day in closed:
            yield f"hours.short_days[{number}].date", f"{short.day} is closed: {closed[short.day]}"


def _wrong_clocks(profile: Profile) -> Iterator[tuple[str, str]]:
    clocks = profile.clocks
    if clocks.default_band not in {band.code for band in clocks.bands}:
        yield "clocks.default_band", f"no band has the code {clocks.default_band}"
    last = len(clocks.dissent_stages) - 1
    for number, stage in enumerate(clocks.dissent_stages):
        key = f"clocks.dissent_stages[{number}]"
        if stage.code not in profile.codes.get("dissent_stage", {}):
            yield f"{key}.code", f"{stage.code} is not in the code set dissent_stage"
        if (stage.escalate_after_hours is None) is not (number == last):
            yield f"{key}.escalate_after_hours", "every stage but the last needs it, and the last has nowhere to go"
        try:
            profile.contact(stage.tell, date.min)
        except Misconfigured:
            yield f"{key}.tell", f"nobody is called {stage.tell}"


def _wrong_outcomes(profile: Profile) -> Iterator[tuple[str, str]]:
    labelled = profile.codes.get("outcome", {})
    described = {outcome.code for outcome in profile.outcomes}
    for number, outcome in enumerate(profile.outcomes):
        if outcome.code not in labelled:
            yield f"outcomes[{number}].code", f"{outcome.code} is not in the code set outcome"
    for code in sorted(labelled.keys() - described):
        yield "outcomes", f"{code} is in the code set outcome, but nothing here says for whom and when it stands"


def _wrong_quorums(profile: Profile) -> Iterator[tuple[str, str]]:
    scopes = {agency.code: agency.scope for agency in profile.agencies}
    for side, quorum in profile.quorum.items():
        for code in quorum.agencies:
            if side not in scopes.get(code, ()):
                yield f"quorum.{side}.agencies", f"no agency {code} has the side {side} in its scope"


def _wrong_gate(profile: Profile) -> Iterator[tuple[str, str]]:
    gate = profile.legal_gate
    if gate is None:
        yield "legal_gate", "is missing"
        return
    yield from _not_codes(profile, "legal_gate.informing", "informed", gate.informing)
    for number, row in enumerate(gate.grounds):
        key = f"legal_gate.grounds[{number}]"
        yield from _not_codes(profile, f"{key}.request_reason", "request_reason", [row.request_reason])
        for part in legal_gate.PARTS:
            yield from _not_codes(profile, f"{key}.{part}", part, getattr(row, part))
    for number, states in enumerate(gate.consent):
        named = (*states.allows, *states.with_reason, *states.with_coded_reason)
        yield from _not_codes(profile, f"legal_gate.consent[{number}]", "consent", named)
    rule = gate.rule()
    for side in Side:
        for level in profile.codes.get("need_level", {}):
            if not rule.grounds_of(side, level):
                yield "legal_gate.grounds", f"none stands for the side {side} at {level}: nobody could be asked"
            if rule.consent_rule(side, level) is None:
                yield "legal_gate.consent", f"says nothing of the side {side} at {level}"


def _not_codes(profile: Profile, key: str, code_set: str, named: Iterable[str]) -> Iterator[tuple[str, str]]:
    for code in named:
        if code not in profile.codes.get(code_set, {}):
            yield key, f"{code} is not in the code set {code_set}"


def _wrong_authority(profile: Profile) -> Iterator[tuple[str, str]]:
    described = {outcome.code for outcome in profile.outcomes}
    for code in profile.authority.outcomes:
        if code not in described:
            yield f"authority.outcomes.{code}", "is no outcome of this profile"
    try:
        profile.contact(profile.authority.tell, date.min)
    except Misconfigured:
        yield "authority.tell", f"nobody is called {profile.authority.tell}"


def _wrong_code_sets(codes: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    for name in CODE_SETS:
        if not codes.get(name):
            yield name, "is missing, or has no codes"
        for code in CODES_IN_RULES.get(name, ()):
            if code not in codes.get(name, {}):
                yield f"{name}.{code}", "is missing, and a rule of the hub names it"
    for name in sorted(codes.keys() - set(CODE_SETS)):
        yield name, "is not a code set that the hub knows"


@lru_cache(maxsize=16)
def _calendar(hours: OfficeHours, zone: str, version: str) -> OfficeCalendar:
    opening = {
        weekday: (day.opens, day.closes) if day else None for weekday, day in enumerate(hours.opening.by_weekday)
    }
    closed, short = hours.all_closed_days(), {day.day: (day.opens, day.closes) for day in hours.short_days}
    every_day = repr((zone, opening, sorted(closed.items()), sorted(short.items()), hours.known_until))
    return OfficeCalendar(
        zone=zone,
        opening=opening,
        closed_days=closed,
        short_days=short,
        # Bank holidays come from a library: should a newer one know another day, the version says so.
        version=f"{version}+{hashlib.sha256(every_day.encode()).hexdigest()[:8]}",
        known_until=hours.known_until,
    )


def _contact(name: str, channels: Channels) -> Contact:
    return Contact(name=name, primary=channels.primary, second=channels.second)


_Coded = TypeVar("_Coded", Agency, DutyTeam, Band)


def _by_code(parts: Sequence[_Coded], code: str, where: str) -> _Coded:
    for part in parts:
        if part.code == code:
            return part
    raise Misconfigured(f"{where}: none has the code {code}")
