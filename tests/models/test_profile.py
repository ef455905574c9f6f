"""The area profile: the shipped one is right, and each kind of mistake is told with its file and key."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest
from workalendar.europe import UnitedKingdom

from models.profile import CODE_SETS, CODES_IN_RULES, Profile, load_profile
from models.profile_parts import Mode
from rules.clock import Clock, ClockPolicy, due_at
from rules.errors import Misconfigured
from rules.people import Side
from tests.rules.london import london

SHIPPED = Path(__file__).resolve().parents[2] / "profiles"
CORE_CHILD = ["POLICE", "COUNCIL_CHILDREN", "COMMUNITY_HEALTH_CHILDREN", "MENTAL_HEALTH"]
CORE_ADULT = ["POLICE", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_ADULTS", "MENTAL_HEALTH"]

Changed = Callable[..., Path]


@pytest.fixture(scope="module")
def bnes() -> Profile:
    """The profile that the hub ships with."""
    return load_profile(SHIPPED / "bnes.toml")


@pytest.fixture(scope="module")
def front_door() -> Profile:
    """The second profile that the hub ships with."""
    return load_profile(SHIPPED / "front-door.toml")


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """Writes the shipped profile with one text replaced, once, in the file that is named; gives its path."""

    def write(old: str, new: str, file: str = "bnes.toml") -> Path:
        for name in ("bnes.toml", "codes.toml"):
            content = (SHIPPED / name).read_text(encoding="utf-8")
            if name == file:
                assert old in content, f"{old!r} is not in {name}"
                content = content.replace(old, new, 1)
            (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path / "bnes.toml"

    return write


def problems(path: Path) -> list[str]:
    """What is wrong with a profile, line by line."""
    with pytest.raises(Misconfigured) as refusal:
        load_profile(path)
    return str(refusal.value).splitlines()


def test_the_shipped_profile_is_that_of_bath_and_north_east_somerset(bnes: Profile) -> None:
    """R01, R07, R70"""
    assert bnes.area.name == "Bath and North East Somerset"
    assert bnes.area.mode is Mode.BACK_OFFICE
    assert {team.code: team.side for team in bnes.duty_teams} == {
        "CHILDREN_DUTY": Side.CHILD,
        "ADULT_ASIST": Side.ADULT,
    }
    assert bnes.duty_team_of(Side.ADULT).code == "ADULT_ASIST"


def test_the_documents_partners_are_its_agencies(bnes: Profile) -> None:
    """R15: seed L20 and L255-L262."""
    by_kind = {agency.code: agency.kind.value for agency in bnes.agencies}
    assert by_kind == dict.fromkeys(
        ["POLICE", "COUNCIL_CHILDREN", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_CHILDREN", "COMMUNITY_HEALTH_ADULTS",
         "MENTAL_HEALTH"], "core",
    ) | dict.fromkeys(["PROBATION", "CAMHS", "CCG", "RUH"], "secondary")  # fmt: skip


@pytest.mark.parametrize(
    ("sides", "asked"),
    [
        ({Side.CHILD}, CORE_CHILD),
        ({Side.ADULT}, CORE_ADULT),
        (
            {Side.CHILD, Side.ADULT},
            ["POLICE", "COUNCIL_CHILDREN", "COUNCIL_ADULTS", "COMMUNITY_HEALTH_CHILDREN", "COMMUNITY_HEALTH_ADULTS",
             "MENTAL_HEALTH"],
        ),
        (set(), []),
    ],
)  # fmt: skip
def test_core_agencies_are_asked_whose_scope_fits(bnes: Profile, sides: set[Side], asked: list[str]) -> None:
    """R15: child, adult, and joint: the union, once each, in the profile's order."""
    assert [agency.code for agency in bnes.agencies_to_ask(sides)] == asked


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2014, 5, 1), "Sirona care and health, adult services"),  # before any name: the first
        (date(2016, 9, 1), "Sirona care and health, adult services"),
        (date(2017, 3, 31), "Sirona care and health, adult services"),
        (date(2017, 4, 1), "Virgin Care, adult services"),
        (date(2026, 3, 13), "Virgin Care, adult services"),
    ],
)
def test_an_agency_keeps_its_code_and_changes_its_name(bnes: Profile, day: date, name: str) -> None:
    """R16: seed L24."""
    assert bnes.agency("COMMUNITY_HEALTH_ADULTS").name_on(day) == name
    assert bnes.contact("agency:COMMUNITY_HEALTH_ADULTS", day).name == name


def test_each_check_has_until_the_same_time_on_the_next_working_day(bnes: Profile) -> None:
    """R21: seed L79 and L272."""
    clock = bnes.check_clock(bnes.clocks.default_band)
    assert clock == Clock(ClockPolicy.NEXT_WORKING_DAY_SAME_TIME, starts_at_opening=True)
    assert due_at(london("Thu 02 Apr 2026 16:30"), clock, bnes.calendar()) == london("Tue 07 Apr 2026 16:30")


@pytest.mark.parametrize(
    ("band", "asked", "due"),
    [
        ("RED", "Mon 16 Mar 2026 10:00", "Mon 16 Mar 2026 14:00"),
        ("RED", "Fri 13 Mar 2026 16:30", "Mon 16 Mar 2026 10:30"),
        ("AMBER", "Fri 13 Mar 2026 16:30", "Mon 16 Mar 2026 16:30"),
        ("GREEN", "Mon 16 Mar 2026 10:00", "Thu 19 Mar 2026 10:00"),
        ("GREEN", "Fri 13 Mar 2026 16:30", "Wed 18 Mar 2026 16:30"),
    ],
)
def test_the_second_area_has_bands_of_4_24_and_72_hours(front_door: Profile, band: str, asked: str, due: str) -> None:
    """R10, R21, R70: each closed day skipped"""
    hours = {band.code: band.hours for band in front_door.clocks.bands}
    assert hours == {"RED": 4, "AMBER": 24, "GREEN": 72}
    assert due_at(london(asked), front_door.check_clock(band), front_door.calendar()) == london(due)


def test_the_second_area_shares_nothing_with_the_first_but_the_law(bnes: Profile, front_door: Profile) -> None:
    """R07, R70, R72: other teams, other agencies, other words"""
    assert front_door.area.mode is Mode.FRONT_DOOR
    assert {team.code for team in bnes.duty_teams}.isdisjoint(team.code for team in front_door.duty_teams)
    assert {agency.code for agency in bnes.agencies}.isdisjoint(agency.code for agency in front_door.agencies)
    assert set(bnes.wording.model_dump().values()).isdisjoint(front_door.wording.model_dump().values())
    assert front_door.missing_holidays(datetime.now(UTC).date()) is None
    domains = re.findall(r"@([a-z.-]+)|https://([a-z.-]+)", (SHIPPED / "front-door.toml").read_text(encoding="utf-8"))
    assert all("".join(domain).endswith(".exampleshire.example") for domain in domains)


@pytest.mark.parametrize("year", range(2024, 2031))
def test_a_second_opinion_agrees_on_englands_working_days(bnes: Profile, year: int) -> None:
    """R21: workalendar computes them independently."""
    calendar, other = bnes.calendar(), UnitedKingdom()
    days = [
        date.fromordinal(number) for number in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
    ]
    assert [day for day in days if calendar.is_working_day(day)] == [day for day in days if other.is_working_day(day)]


def test_one_off_bank_holidays_of_the_past_are_known(changed: Changed) -> None:
    """R21: the state funeral of 2022 and the coronation of 2023, which no rule gives."""
    calendar = load_profile(changed("first_year = 2024", "first_year = 2022")).calendar()
    assert not calendar.is_working_day(date(2022, 9, 19))
    assert not calendar.is_working_day(date(2023, 5, 8))


def test_bank_holidays_are_known_for_the_months_ahead(bnes: Profile) -> None:
    """R21: should this fail one day, do what the sentence says."""
    assert bnes.missing_holidays(datetime.now(UTC).date()) is None


@pytest.mark.parametrize(
    ("on", "missing"),
    [
        (date(2026, 1, 1), False),
        (date(2030, 9, 30), False),
        (date(2030, 10, 1), True),
        (date(2031, 2, 1), True),
    ],
)
def test_missing_bank_holidays_are_told_a_quarter_ahead(bnes: Profile, on: date, missing: bool) -> None:
    """R21: with a sentence that says what to do."""
    sentence = bnes.missing_holidays(on)
    assert (sentence is not None) is missing
    if sentence:
        assert sentence.startswith("bnes.toml: hours.bank_holidays.last_year: ")
        assert "compare those of 2031 with the published list" in sentence


def test_own_closed_and_short_days_are_in_the_calendar_and_in_its_version(bnes: Profile, changed: Changed) -> None:
    """R21: a deadline names the calendar it was made with."""
    own = """
[[hours.closed_days]]
date = 2026-03-16
name = "Move to Keynsham"

[[hours.short_days]]
date = 2026-12-24
opens = "08:30"
closes = "12:30"

# All amounts are hours."""
    calendar = load_profile(changed("# All amounts are hours.", own)).calendar()
    assert calendar.next_working_day(date(2026, 3, 13)) == date(2026, 3, 17)
    assert calendar.closed_days[date(2026, 3, 16)] == "Move to Keynsham"
    assert calendar.hours_on(date(2026, 12, 24)) == (time(8, 30), time(12, 30))
    assert calendar.version != bnes.calendar().version


def test_a_profile_is_the_same_when_it_comes_back_from_the_record(bnes: Profile) -> None:
    """R32, R70: an old referral reads its profile from JSON."""
    again = Profile.model_validate_json(bnes.model_dump_json())
    assert again == bnes
    assert again.calendar() == bnes.calendar()


def test_every_code_set_has_its_codes(bnes: Profile) -> None:
    """R32"""
    assert set(bnes.codes) == set(CODE_SETS)
    assert bnes.label("referral_source", "3A") == "Health services: GP"
    assert "MUL" not in bnes.codes["abuse_category"]
    assert not {"18A", "19A"} & bnes.codes["child_factors"].keys()
    counts = {name: len(bnes.codes[name]) for name in ("referral_source", "primary_need", "child_factors", "outcome")}
    assert counts == {"referral_source": 22, "primary_need": 10, "child_factors": 42, "outcome": 16}


def test_outcomes_are_for_the_sides_that_the_table_gives_them(bnes: Profile) -> None:
    """R35, R40: a child's way may end in early help, which needs consent."""
    rules = bnes.outcome_rules()
    assert set(rules) == set(bnes.codes["outcome"])
    assert {code for code, rule in rules.items() if rule.sides == {Side.CHILD}} == {
        "C_STRATEGY",
        "C_ASSESS",
        "C_EARLY_HELP",
    }
    assert {code for code, rule in rules.items() if rule.sides == {Side.ADULT}} == {
        "A_S42",
        "A_OTHER_ENQUIRY",
        "A_NEEDS_ASSESS",
    }
    assert [code for code, rule in rules.items() if rule.needs_consent] == ["C_EARLY_HELP"]
    assert (rules["C_STRATEGY"].threshold_met, rules["NFA"].threshold_met, rules["POLICE"].threshold_met) == (
        True,
        False,
        None,
    )


def test_a_way_to_leave_without_a_decision_has_its_words_too(bnes: Profile) -> None:
    """R06"""
    assert bnes.outcome_label("NFA") == "No further action"
    assert bnes.outcome_label("WITHDRAWN") == "Withdrawn by the duty team"


@pytest.mark.parametrize(
    ("recipient", "name", "primary"),
    [
        ("agency:POLICE", "Avon and Somerset Constabulary", "mash@police.bnes.example"),
        ("duty:CHILDREN_DUTY", "Children's duty team", "duty@children.bnes.example"),
        ("heads:ADULT_ASIST", "Heads of service, ASIST, the adults' duty team", "head-of-service@adults.bnes.example"),
        ("mash:team", "MASH team", "team@mash.bnes.example"),
        ("mash:alarm", "MASH manager", "manager@mash.bnes.example"),
    ],
)
def test_every_recipient_has_a_name_and_two_channels(bnes: Profile, recipient: str, name: str, primary: str) -> None:
    """R20a, R42"""
    contact = bnes.contact(recipient, date(2026, 3, 13))
    assert (contact.name, contact.primary) == (name, primary)
    assert contact.second not in ("", primary)


@pytest.mark.parametrize(
    "ask",
    [
        lambda profile: profile.contact("mash:nobody", date(2026, 3, 13)),
        lambda profile: profile.contact("agency:NOBODY", date(2026, 3, 13)),
        lambda profile: profile.contact("", date(2026, 3, 13)),
        lambda profile: profile.duty_team("NOBODY"),
        lambda profile: profile.check_clock("NEVER"),
        lambda profile: profile.label("consent", "PERHAPS"),
        lambda profile: profile.outcome_label(""),
    ],
)
def test_what_a_profile_does_not_have_is_told_with_file_and_key(
    bnes: Profile, ask: Callable[[Profile], object]
) -> None:
    """R70"""
    with pytest.raises(Misconfigured, match=r"^(bnes|codes)\.toml: [a-z._]+: "):
        ask(bnes)


def test_all_that_the_hub_sends_goes_to_addresses_reserved_for_examples() -> None:
    """The shipped profile can reach nobody."""
    domains = re.findall(r"@([a-z.]+)|https://([a-z.]+)", (SHIPPED / "bnes.toml").read_text(encoding="utf-8"))
    assert domains
    assert all("".join(domain).endswith(".bnes.example") for domain in domains)


FIRST_TEAM = 'notify = { primary = "duty@children.bnes.example", second = "duty-manager@children.bnes.example" }'
HOLIDAY = '[[hours.short_days]]\ndate = 2026-12-25\nopens = "08:30"\ncloses = "12:00"\n\n[clocks]'


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('mode = "BACK_OFFICE"', 'mode = "SIDE_DOOR"', "area.mode: should be 'BACK_OFFICE' or 'FRONT_DOOR'"),
        ('mode = "BACK_OFFICE"', 'moode = "BACK_OFFICE"', "area.mode: is missing"),
        ('mode = "BACK_OFFICE"', 'mode = "BACK_OFFICE"\nsize = 3', "area.size: is not a key that a profile has"),
        ('version = "bnes-2026.9"', 'version = ""', "version: String should match pattern"),
        ('zone = "Europe/London"', 'zone = "Europe/Bath"', "area.zone: is not a time zone such as Europe/London"),
        ('zone = "Europe/London"', 'zone = "../London"', "area.zone: is not a time zone such as Europe/London"),
        ("[front_door.adult]", "[front_door.elder]", "front_door.elder: should be 'child' or 'adult'"),
        ('url = "https://duty', 'url = "http://duty', "front_door.child.url: String should match pattern"),
        ('side = "adult"', 'side = "child"', "duty_teams: there must be exactly one for the side child, not 2 (R01)"),
        ('side = "adult"', 'side = "child"', "duty_teams: there must be exactly one for the side adult, not 0 (R01)"),
        ('code = "ADULT_ASIST"', 'code = "CHILDREN_DUTY"', "duty_teams: CHILDREN_DUTY stands here 2 times"),
        ("duty@children.bnes.example", "duty", "duty_teams[0].notify.primary: is neither an e-mail address nor env:"),
        ("duty@children.bnes.example", "a@b.example,c@d.example", "duty_teams[0].notify.primary: is neither"),
        ("duty@children.bnes.example", "a@b.example&cc=c@d.example", "duty_teams[0].notify.primary: is neither"),
        ("duty@children.bnes.example", "mailto://a@b.example", "duty_teams[0].notify.primary: is neither"),
        ("duty@children.bnes.example", "env:lower", "duty_teams[0].notify.primary: is neither"),
        ("duty@children.bnes.example", "a@b.example\\n", "duty_teams[0].notify.primary: is neither"),
        ("duty-manager@", "duty@", "duty_teams[0].notify: second must be another channel than primary"),
        (FIRST_TEAM, "", "duty_teams[0].notify: is missing"),
        ('OTHER_LA = "MANAGER"', 'OTHER_LA = "BOARD"', "authority.outcomes.OTHER_LA: should be 'DECISION_MAKER' or"),
        (
            'OTHER_LA = "MANAGER"',
            'NONE_SUCH = "MANAGER"',
            "authority.outcomes.NONE_SUCH: is no outcome of this profile",
        ),
        ('[authority]\ntell = "mash:alarm"', '[authority]\ntell = "mash:x"', "authority.tell: nobody is called mash:x"),
        ('kind = "core"', 'kind = "outer"', "agencies[0].kind: should be 'core' or 'secondary'"),
        (
            'scope = ["child", "adult"]',
            'scope = ["child", "pet"]',
            "agencies[0].scope[1]: should be 'child' or 'adult'",
        ),
        ('scope = ["child", "adult"]', "scope = []", "agencies[0].scope: Tuple should have at least 1 item"),
        ('scope = ["child", "adult"]', 'scope = ["child", "child"]', "agencies[0]: scope names a side twice"),
        ('code = "POLICE"', 'code = "Police force"', "agencies[0].code: String should match pattern"),
        ('code = "POLICE"', 'code = "CAMHS"', "agencies: CAMHS stands here 2 times"),
        ('kind = "core"', 'kind = "secondary"', "agencies[0]: default_checks must be false: a secondary agency"),
        (
            "to = 2017-03-31",
            "to = 2017-03-30",
            "agencies[3].names: the name from 2017-04-01 must begin on the day after",
        ),
        (
            "to = 2017-03-31",
            "to = 2017-04-01",
            "agencies[3].names: the name from 2017-04-01 must begin on the day after",
        ),
        (", to = 2017-03-31", "", "agencies[3].names: the name from 2017-04-01 must begin on the day after"),
        ("to = 2017-03-31", "to = 2016-08-31", "agencies[3].names: the name from 2016-09-01 ends before it begins"),
        (
            "from = 2017-04-01 }",
            "from = 2017-04-01, to = 2020-01-01 }",
            "agencies[3].names: the last name must go on: leave out its `to`",
        ),
        ("from = 2016-09-01 }] # L255", 'from = "soon" }]', "agencies[0].names[0].from: "),
        ('monday = { opens = "08:30"', 'monday = { opens = "8 am"', "hours.opening.monday.opens: "),
        (
            'monday = { opens = "08:30"',
            'monday = { opens = "18:30"',
            "hours.opening.monday: opens must come before closes",
        ),
        ('monday = { opens = "08:30"', 'monday = { opens = "08:30Z"', "hours.opening.monday.opens: is a local time"),
        ("monday = {", "moonday = {", "hours.opening.moonday: is not a key that a profile has"),
        ('country = "GB"', 'country = "XX"', "hours.bank_holidays: no bank holidays are known for this country"),
        (
            'subdivision = "ENG"',
            'subdivision = "BTH"',
            "hours.bank_holidays: no bank holidays are known for this country",
        ),
        ("last_year = 2030", "last_year = 2020", "hours.bank_holidays: first_year must not come after last_year"),
        ("last_year = 2030", "last_year = 9999", "hours.bank_holidays.last_year: should be less than or equal to 2100"),
        ("[clocks]", HOLIDAY, "hours.short_days[0].date: 2026-12-25 is closed: Christmas Day"),
        (
            "warning_before_hours = 4",
            "warning_before_hours = 0",
            "clocks.warning_before_hours: should be greater than 0",
        ),
        ("warning_before_hours = 4", "warning_before_hours = nan", "clocks.warning_before_hours: "),
        ('default_band = "STANDARD"', 'default_band = "RED"', "clocks.default_band: no band has the code RED"),
        ('policy = "NEXT_WORKING_DAY_SAME_TIME"', 'policy = "SOON"', "clocks.bands[0].policy: should be 'NEXT_WORKING"),
        ('policy = "NEXT_WORKING_DAY_SAME_TIME"', 'policy = "OFFICE_HOURS"', "clocks.bands[0]: hours belong to OFFICE"),
        ("starts_at_opening = true", "starts_at_opening = true\nhours = 4", "clocks.bands[0]: hours belong to OFFICE"),
        ('tell = "mash:board"', 'tell = "mash:mayor"', "clocks.dissent_stages[3].tell: nobody is called mash:mayor"),
        (
            'tell = "mash:team"\nescalate',
            'tell = "mash:team"\n# ',
            "clocks.dissent_stages[0].escalate_after_hours: every",
        ),
        (
            'tell = "mash:board"',
            'tell = "mash:board"\nescalate_after_hours = 5',
            "clocks.dissent_stages[3].escalate_after",
        ),
        (
            'code = "RECORDED"',
            'code = "NOTED"',
            "clocks.dissent_stages[0].code: NOTED is not in the code set dissent_stage",
        ),
        ('title = "B&NES threshold', 'tittle = "B&NES threshold', "threshold.title: is missing"),
        ('code = "NFA"', 'code = "NOTHING"', "outcomes[4].code: NOTHING is not in the code set outcome"),
        (
            'code = "NFA"',
            'code = "NOTHING"',
            "outcomes: NFA is in the code set outcome, but nothing here says for whom",
        ),
        ('code = "NFA"', 'code = "ADVICE"', "outcomes: ADVICE stands here 2 times"),
        (
            'threshold_met = "yes"',
            "threshold_met = true",
            "outcomes[0].threshold_met: should be 'yes', 'no' or 'either'",
        ),
        ('hub_name = "B&NES MASH"', 'hub_name = "B&NES\\nMASH"', "wording.hub_name: String should match pattern"),
        ("[contacts.alarm]", "[contacts.alert]", "contacts.alarm: is missing"),
        ('sender = "no-reply@mash', 'sender = "env:X', "delivery.sender: is not an e-mail address"),
        (
            "retry_after_seconds = [10, 60, 300]",
            "retry_after_seconds = [10, 0]",
            "delivery.retry_after_seconds[1]: should",
        ),
        (
            'days = 90\ncounted_from = "sent"',
            'days = 0\ncounted_from = "sent"',
            "retention.sent_notice.days: should be greater than or equal",
        ),
        (
            "days = 1096",
            "days = 364",
            "retention.feedback: should be for 365 days or more",
        ),
        (
            'MENTAL_HEALTH = ["MENTAL_HEALTH"]',
            'MENTAL_HEALTH = ["CAMHS"]',
            "asking.question_about.MENTAL_HEALTH: CAMHS is no agency with default_checks",
        ),
        (
            'MENTAL_HEALTH = ["MENTAL_HEALTH"]',
            "",
            "asking.question_about: MENTAL_HEALTH is in the code set question_about, but nothing here says who holds",
        ),
        (
            'MENTAL_HEALTH = ["MENTAL_HEALTH"]',
            'WEATHER = ["MENTAL_HEALTH"]',
            "asking.question_about.WEATHER: is not in the code set question_about",
        ),
        (
            'whatever_the_question = ["POLICE", "COUNCIL_CHILDREN", "COUNCIL_ADULTS"]\n\n[asking.question_about]\n'
            'POLICE_CONTACT = ["POLICE"]',
            'whatever_the_question = []\n\n[asking.question_about]\nPOLICE_CONTACT = ["COUNCIL_ADULTS"]',
            "asking.question_about.POLICE_CONTACT: leaves nobody of the side child to ask",
        ),
        ('code_sets = "codes.toml"', 'code_sets = "../codes.toml"', "code_sets: String should match pattern"),
        ('code_sets = "codes.toml"', "", "code_sets: is missing"),
        ('version = "bnes-2026.9"', 'version = "bnes-2026.9"\ncodes = {}', "codes: is not for a profile to say"),
        (
            'version = "bnes-2026.9"',
            'version = "bnes-2026.9"\nversion = "2"',
            "is not TOML: Cannot overwrite a value (at line",
        ),
        ("[area]", "[area", "is not TOML: Expected ']' at the end of a table declaration (at line 14, column 6)"),
    ],
)
def test_a_mistake_in_the_profile_is_told_with_file_and_key(
    changed: Changed, old: str, new: str, sentence: str
) -> None:
    """R70"""
    found = problems(changed(old, new))
    assert [line for line in found if line.startswith(f"bnes.toml: {sentence}")], found


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("[view]", "[opinion]", "view: is missing, or has no codes"),
        ("[view]", "[opinion]", "opinion: is not a code set that the hub knows"),
        ('DISAGREE = "Disagrees"', "", "view.DISAGREE: is missing, and a rule of the hub names it"),
        ('NEG = "Neglect"', 'neg = "Neglect"', "abuse_category.neg: String should match pattern"),
        ('NEG = "Neglect"', 'NEG = ""', "abuse_category.NEG: String should match pattern"),
        ('NEG = "Neglect"', "NEG = 1", "abuse_category.NEG: should be a valid string"),
        ('PHY = "Physical abuse"', 'NEG = "Physical abuse"', "is not TOML: Cannot overwrite a value (at line"),
    ],
)
def test_a_mistake_in_the_code_sets_is_told_with_their_file(
    changed: Changed, old: str, new: str, sentence: str
) -> None:
    """R32, R70"""
    found = problems(changed(old, new, file="codes.toml"))
    assert [line for line in found if line.startswith(f"codes.toml: {sentence}")], found


def test_every_mistake_is_told_at_once(changed: Changed) -> None:
    """R70: one line each, from both files."""
    path = changed('zone = "Europe/London"', 'zone = "Bath"')
    path.write_text(path.read_text(encoding="utf-8").replace('kind = "core"', 'kind = "?"', 2), encoding="utf-8")
    codes = path.with_name("codes.toml")
    codes.write_text(codes.read_text(encoding="utf-8").replace('NEG = "Neglect"', "NEG = 1"), encoding="utf-8")
    assert [line.rsplit(": ", 1)[0] for line in problems(path)] == [
        "bnes.toml: area.zone",
        "bnes.toml: agencies[0].kind",
        "bnes.toml: agencies[1].kind",
        "codes.toml: abuse_category.NEG",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "bnes.toml: cannot be read: No such file or directory"),
        (b"\xff\xfe", "bnes.toml: is not a text in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """R70"""
    if content is not None:
        (tmp_path / "bnes.toml").write_bytes(content)
    assert problems(tmp_path / "bnes.toml") == [sentence]


def test_code_sets_that_cannot_be_read_are_told(changed: Changed) -> None:
    """R70"""
    path = changed("[area]", "[area]")
    path.with_name("codes.toml").unlink()
    assert problems(path) == ["codes.toml: cannot be read: No such file or directory"]


def test_a_mistake_never_repeats_an_address(changed: Changed) -> None:
    """R51: what is wrong is told, what was written there is not."""
    assert "hidden" not in "".join(problems(changed("duty@children.bnes.example", "hidden at example")))


def test_rules_name_only_codes_that_the_shipped_sets_have(bnes: Profile) -> None:
    """R32"""
    assert all(set(codes) <= bnes.codes[name].keys() for name, codes in CODES_IN_RULES.items())


def test_a_profile_of_before_there_was_a_schedule_is_still_read(bnes: Profile) -> None:
    """R70, R51: referrals live on under the version that they began with"""
    older = bnes.model_dump(mode="json")
    newer = {"engine_run", "closed_account", "feedback"}
    periods = {f"{kind}_days": period["days"] for kind, period in older["retention"].items() if kind not in newer}
    read = Profile.model_validate(older | {"retention": periods})
    assert read.retention.days() == bnes.retention.days()
    assert (read.retention.engine_run.days, read.retention.closed_account.days) == (30, 90)
    assert Profile.model_validate(read.model_dump(mode="json")) == read
