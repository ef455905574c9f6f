"""The parts of an area profile, each with the rules that it can keep by itself."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import available_timezones

from holidays import country_holidays
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from rules import asking, legal_gate
from rules.authority import Grade
from rules.clock import Clock, ClockPolicy
from rules.people import Side
from rules.quorum import QuorumRule
from rules.retention import Kind
from rules.threshold import OutcomeRule

_EMAIL = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_VARIABLE = re.compile(r"env:[A-Z][A-Z0-9_]*")


def _address(text: str) -> str:
    # Strict, because a comma or "&cc=" in an address would add a recipient on its way through Apprise.
    if _VARIABLE.fullmatch(text) or (len(text) <= 254 and _EMAIL.fullmatch(text)):
        return text
    raise ValueError("is neither an e-mail address nor env:NAME, the variable that holds an Apprise URL")


def _email(text: str) -> str:
    if len(text) <= 254 and _EMAIL.fullmatch(text):
        return text
    raise ValueError("is not an e-mail address")


def _zone(text: str) -> str:
    if text not in available_timezones():
        raise ValueError("is not a time zone such as Europe/London")
    return text


def _wall_time(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("is a local time: leave out the zone")
    return value


Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_]{0,39}$")]
Version = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,29}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n\x00]{1,200}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Address = Annotated[str, AfterValidator(_address)]
Email = Annotated[str, AfterValidator(_email)]
WallTime = Annotated[time, AfterValidator(_wall_time)]
Amount = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]
Days = Annotated[int, Field(ge=1, le=40_000)]


class Part(BaseModel):
    """The manners of every part of a profile: nothing unknown, nothing changed later, nothing echoed in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, serialize_by_alias=True)


class Mode(StrEnum):
    """Whether the hub works behind the duty teams or is itself the first point of contact (R07)."""

    BACK_OFFICE = "BACK_OFFICE"
    FRONT_DOOR = "FRONT_DOOR"


class AgencyKind(StrEnum):
    """Core agencies are asked about each referral; secondary ones only when somebody asks for it (R15, R20)."""

    CORE = "core"
    SECONDARY = "secondary"


class Met(StrEnum):
    """Whether the threshold must be met for an outcome."""

    YES = "yes"
    NO = "no"
    EITHER = "either"


class Area(Part):
    """Which area this is, and how its hub works (R07)."""

    code: Code
    name: Line
    mode: Mode
    zone: Annotated[str, AfterValidator(_zone)]


class FrontDoor(Part):
    """Where an agency goes that tries to refer to the hub itself (R02)."""

    name: Line
    telephone: Line
    url: Annotated[str, StringConstraints(pattern=r"^https://[^\s]+$")]


class Emergency(Part):
    """Whom to call when nobody is watching (R26)."""

    name: Line
    telephone: Line
    advice: Text


class Channels(Part):
    """How a team is told: the second channel is for when the first fails, so it must be another one (R42)."""

    primary: Address
    second: Address

    @model_validator(mode="after")
    def _two_channels(self) -> Channels:
        if self.primary == self.second:
            raise ValueError("second must be another channel than primary")
        return self


class Contact(Channels):
    """A named place to which notices go."""

    name: Line


class SearchKey(StrEnum):
    """What an agency may search a person with, beside the name; as the record calls it."""

    DATE_OF_BIRTH = "date_of_birth"
    NHS_NUMBER = "nhs_number"
    ADDRESS = "address"


class DutyTeam(Part):
    """One of the two originators (R01), with the heads to whom its side escalates (R20a)."""

    code: Code
    name: Line
    side: Side
    notify: Channels
    heads: Channels


class AgencyName(Part):
    """What an agency is called from one day to another, both included; without `to` it still is (R16)."""

    name: Line
    first_day: date = Field(alias="from")
    last_day: date | None = Field(default=None, alias="to")


class Agency(Part):
    """An agency by a code that outlives its names (R15, R16)."""

    code: Code
    kind: AgencyKind
    scope: Annotated[tuple[Side, ...], Field(min_length=1)]
    default_checks: bool
    #: What it is told of a person to search with: no more than its systems can use.
    searches_with: tuple[SearchKey, ...] = tuple(SearchKey)
    names: Annotated[tuple[AgencyName, ...], Field(min_length=1)]
    notify: Channels

    @field_validator("names")
    @classmethod
    def _follow_each_other(cls, names: tuple[AgencyName, ...]) -> tuple[AgencyName, ...]:
        for name in names:
            if name.last_day is not None and name.last_day < name.first_day:
                raise ValueError(f"the name from {name.first_day} ends before it begins")
        for earlier, later in pairwise(names):
            if earlier.last_day is None or later.first_day != earlier.last_day + timedelta(days=1):
                raise ValueError(f"the name from {later.first_day} must begin on the day after the one before ends")
        if names[-1].last_day is not None:
            raise ValueError("the last name must go on: leave out its `to`")
        return names

    @model_validator(mode="after")
    def _core_is_asked(self) -> Agency:
        if self.default_checks and self.kind is AgencyKind.SECONDARY:
            raise ValueError("default_checks must be false: a secondary agency is asked one referral at a time")
        if len(set(self.scope)) < len(self.scope):
            raise ValueError("scope names a side twice")
        return self

    def name_on(self, day: date) -> str:
        """What the agency is called on a local date; before its first name, that first name."""
        return next((name.name for name in reversed(self.names) if name.first_day <= day), self.names[0].name)


class Asking(Part):
    """Whom the duty team's question can leave out: who holds what it is about, and who is asked all the same (R15)."""

    whatever_the_question: tuple[Code, ...] = ()
    question_about: dict[Code, tuple[Code, ...]] = Field(default_factory=dict)

    def narrowed(self, about: Collection[str]) -> asking.Narrowing | None:
        """Whom a question about these codes is for; None when it is about nothing in particular: everybody."""
        if not about:
            return None
        holds_it = frozenset(agency for code in about for agency in self.question_about[code])
        return asking.Narrowing(holds_it, frozenset(self.whatever_the_question))


class Opening(Part):
    """When the office opens and closes on one weekday, local times."""

    opens: WallTime
    closes: WallTime

    @model_validator(mode="after")
    def _in_order(self) -> Opening:
        if self.opens >= self.closes:
            raise ValueError("opens must come before closes")
        return self


class Week(Part):
    """Opening hours by weekday; a day left out is closed (R26)."""

    monday: Opening | None = None
    tuesday: Opening | None = None
    wednesday: Opening | None = None
    thursday: Opening | None = None
    friday: Opening | None = None
    saturday: Opening | None = None
    sunday: Opening | None = None

    @model_validator(mode="after")
    def _ever_open(self) -> Week:
        if not any(self.by_weekday):
            raise ValueError("no weekday is open")
        return self

    @property
    def by_weekday(self) -> tuple[Opening | None, ...]:
        """Monday first."""
        return (
            self.monday, self.tuesday, self.wednesday, self.thursday, self.friday, self.saturday, self.sunday,
        )  # fmt: skip


class BankHolidays(Part):
    """Whose bank holidays the office keeps, and for which years somebody has compared them with the published list."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
    subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,5}$")]
    first_year: Annotated[int, Field(ge=2000, le=2100)]
    last_year: Annotated[int, Field(ge=2000, le=2100)]

    @model_validator(mode="after")
    def _known(self) -> BankHolidays:
        if self.first_year > self.last_year:
            raise ValueError("first_year must not come after last_year")
        try:
            self.days()
        except NotImplementedError:
            raise ValueError("no bank holidays are known for this country and subdivision") from None
        return self

    def days(self) -> dict[date, str]:
        """Each bank holiday of the years, by name."""
        years = range(self.first_year, self.last_year + 1)
        return dict(country_holidays(self.country, subdiv=self.subdivision, years=years))


class ClosedDay(Part):
    """A day on which this office is closed for a reason of its own."""

    day: date = Field(alias="date")
    name: Line


class ShortDay(Opening):
    """A day on which this office keeps other hours than on that weekday."""

    day: date = Field(alias="date")


class OfficeHours(Part):
    """When the hub is at work (R21, R26)."""

    opening: Week
    bank_holidays: BankHolidays
    closed_days: tuple[ClosedDay, ...] = ()
    short_days: tuple[ShortDay, ...] = ()

    @property
    def known_until(self) -> date:
        """The last day for which bank holidays are known."""
        return date(self.bank_holidays.last_year, 12, 31)

    def all_closed_days(self) -> dict[date, str]:
        """Bank holidays and own closed days, by name."""
        return self.bank_holidays.days() | {closed.day: closed.name for closed in self.closed_days}


class Band(Part):
    """An urgency band and the clock that its checks run on (R10, R21)."""

    code: Code
    label: Line
    policy: ClockPolicy
    hours: Amount | None = None
    starts_at_opening: bool

    @model_validator(mode="after")
    def _fits(self) -> Band:
        self.clock()
        return self

    def clock(self) -> Clock:
        """This band's clock. Raises ValueError when its hours do not fit its policy."""
        return Clock(self.policy, self.hours, self.starts_at_opening)


class DissentStage(Part):
    """A stage of an unresolved disagreement: whom to tell, and after how many hours it goes one up (R37)."""

    code: Code
    tell: Line
    escalate_after_hours: Amount | None = None


class Clocks(Part):
    """The hub's clocks. All amounts are hours."""

    default_band: Code
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]
    warning_before_hours: Amount
    chase_acknowledgement_after_hours: Amount
    #: Versions of before there was a gate do not say it.
    chase_basis_after_hours: Amount = 24
    dissent_stages: Annotated[tuple[DissentStage, ...], Field(min_length=1)]


class ThresholdDocument(Part):
    """The threshold document in force, which each decision cites (R11)."""

    version: Version
    title: Line
    in_force_from: date = Field(alias="from")


class Quorum(Part):
    """Which agencies must take part in a decision about one side, and how many of them at least (R38)."""

    agencies: Annotated[tuple[Code, ...], Field(min_length=1)]
    least: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _enough(self) -> Quorum:
        if self.least > len(set(self.agencies)):
            raise ValueError("least is more than there are agencies")
        return self

    def rule(self) -> QuorumRule:
        """The same, as the rules take it."""
        return QuorumRule(self.agencies, self.least)


class Grounds(Part):
    """For one side, some levels of need and one reason: the bases that stand; of each list the first is proposed."""

    side: Side
    levels: Annotated[tuple[Code, ...], Field(min_length=1)]
    request_reason: Code
    article_6: Annotated[tuple[Code, ...], Field(min_length=1)]
    article_9: Annotated[tuple[Code, ...], Field(min_length=1)]
    dpa_condition: Annotated[tuple[Code, ...], Field(min_length=1)]
    gateway: Annotated[tuple[Code, ...], Field(min_length=1)]
    needs_consent: bool = False

    def rule(self) -> legal_gate.Grounds:
        """The same, as the rules take it."""
        allowed = {part: getattr(self, part) for part in legal_gate.PARTS}
        return legal_gate.Grounds(
            self.side, frozenset(self.levels), self.request_reason, allowed, needs_consent=self.needs_consent
        )


class ConsentStates(Part):
    """For one side at some levels of need: which consent states allow a request, and which only with a reason."""

    side: Side
    levels: Annotated[tuple[Code, ...], Field(min_length=1)]
    allows: tuple[Code, ...]
    with_reason: tuple[Code, ...] = ()
    with_coded_reason: tuple[Code, ...] = ()

    def rule(self) -> legal_gate.ConsentRule:
        """The same, as the rules take it."""
        states = (frozenset(each) for each in (self.allows, self.with_reason, self.with_coded_reason))
        return legal_gate.ConsentRule(self.side, frozenset(self.levels), *states)


class LegalGate(Part):
    """Which combinations of basis, consent and informing let agencies be asked (R54, R56)."""

    to_be_confirmed: bool
    informing: Annotated[tuple[Code, ...], Field(min_length=1)]
    grounds: Annotated[tuple[Grounds, ...], Field(min_length=1)]
    consent: Annotated[tuple[ConsentStates, ...], Field(min_length=1)]

    def rule(self) -> legal_gate.Gate:
        """The same, as the rules take it."""
        return legal_gate.Gate(
            tuple(row.rule() for row in self.grounds), tuple(row.rule() for row in self.consent),
            frozenset(self.informing),
        )  # fmt: skip


class Authority(Part):
    """Who may make which outcome, where it is not every decision maker; and who is told when one is wanted (R39)."""

    tell: Line = "mash:alarm"
    outcomes: dict[Code, Grade] = Field(default_factory=dict)


class Outcome(Part):
    """What an outcome code stands for; its label is in the code set `outcome` (R35, R40)."""

    code: Code
    sides: Annotated[tuple[Side, ...], Field(min_length=1)]
    threshold_met: Met
    needs_consent: bool = False
    safeguarding: bool = False
    needs_words: bool = False

    def rule(self) -> OutcomeRule:
        """The same, as the rules take it."""
        met = None if self.threshold_met is Met.EITHER else self.threshold_met is Met.YES
        return OutcomeRule(self.code, frozenset(self.sides), met, self.needs_consent)


class Wording(Part):
    """What the hub says about itself (R26, R72). No message about a referral is written here."""

    hub_name: Line
    out_of_hours: Text
    not_for_mash: Text
    will_do: Annotated[tuple[Text, ...], Field(min_length=1)]
    wont_do: Annotated[tuple[Text, ...], Field(min_length=1)]


class Delivery(Part):
    """How notices leave (R42)."""

    sender: Email
    subject_prefix: Line
    attempts_per_channel: Annotated[int, Field(ge=1, le=50)]
    retry_after_seconds: Annotated[tuple[Annotated[int, Field(ge=1, le=86_400)], ...], Field(min_length=1)]


class AccountCare(Part):
    """How often somebody's account is confirmed, and how long after that it still opens, in days (R47)."""

    confirm_every_days: Days = 183
    disable_after_days: Days = 28


class Trigger(StrEnum):
    """What a period of retention is counted from."""

    CLOSED = "closed"
    SENT = "sent"
    ANSWERED = "answered"


class Period(Part):
    """How long one kind of data is kept, from when, and why: what the period rests on, and who says so (R51)."""

    days: Days
    counted_from: Trigger
    basis: Line
    source: Line


_NOT_SAID = "Not said in this version of the profile"
#: The functions of migration 0035 keep these for so many days, whatever a profile says.
_LEAST_DAYS = {"closed_account": 30, "feedback": 365}


class Retention(Part):
    """The retention schedule: one period for each kind of data (R51).

    `engine_run` is for what the engine shows of a closed referral; the record outlives it. `returned_at_once` is for
    what went back without asking any agency. A referral about both sides is kept for the longer of their periods.
    `closed_account` is for what its owner signed in with, and for their drafts: the name stays with what they did.
    `feedback` that nobody answered is kept for so long after it was given.
    """

    child_referral: Period
    adult_referral: Period
    returned_at_once: Period
    sent_notice: Period
    engine_run: Period
    closed_account: Period = Period(days=90, counted_from=Trigger.CLOSED, basis=_NOT_SAID, source=_NOT_SAID)
    feedback: Period = Period(days=1096, counted_from=Trigger.ANSWERED, basis=_NOT_SAID, source=_NOT_SAID)

    @field_validator("closed_account", "feedback")
    @classmethod
    def _no_shorter_than_the_record_keeps_it(cls, period: Period, of: ValidationInfo) -> Period:
        if period.days < (least := _LEAST_DAYS[of.field_name or ""]):
            raise ValueError(f"should be for {least} days or more: the record keeps it so long")
        return period

    @model_validator(mode="before")
    @classmethod
    def _as_older_profiles_said_it(cls, given: Any) -> Any:
        """Profiles up to bnes-2026.3 gave bare days; referrals that began under one of them still live by it."""
        bare = {"child_referral_days", "adult_referral_days", "returned_at_once_days", "sent_notice_days"}
        if not isinstance(given, dict) or not bare <= given.keys():
            return given
        return {
            key.removesuffix("_days"): {
                "days": days, "counted_from": "sent" if key == "sent_notice_days" else "closed",
                "basis": _NOT_SAID, "source": _NOT_SAID,
            }
            for key, days in ({"engine_run_days": 30} | given).items()
        }  # fmt: skip

    def days(self) -> dict[Kind, int]:
        """For how many days each kind of referral is kept."""
        return {kind: getattr(self, kind).days for kind in Kind}
