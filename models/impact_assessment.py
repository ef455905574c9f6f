"""A data protection impact assessment to complete, with everything filled in that an area's profile knows (R51, R54).

It follows the seven steps of the Information Commissioner's template. What no profile can say is marked TO COMPLETE.
"""

from __future__ import annotations

from collections.abc import Iterable

from models.profile import Profile
from rules.people import Side

TO_COMPLETE = "**TO COMPLETE**"


def page(profile: Profile) -> str:
    """The assessment of one area, in Markdown."""
    gate = profile.legal_gate
    return _PAGE.format(
        todo=TO_COMPLETE,
        hub=profile.wording.hub_name,
        area=profile.area.name,
        version=profile.version,
        mode=_MODES[profile.area.mode],
        will=_bullets(profile.wording.will_do),
        wont=_bullets(profile.wording.wont_do),
        teams=_bullets(f"{team.name} (`{team.code}`), for the side {team.side}" for team in profile.duty_teams),
        agencies=_agencies(profile),
        bands=_bullets(band.label for band in profile.clocks.bands),
        periods=_periods(profile),
        grounds=_grounds(profile),
        confirmed="not yet confirmed" if gate is None or gate.to_be_confirmed else "confirmed",
        lead=profile.contacts["information_governance"].name,
        quorum=_bullets(f"{side}: {each.least} of {', '.join(each.agencies)}" for side, each in profile.quorum.items()),
        confirm=profile.accounts.confirm_every_days,
        disable=profile.accounts.disable_after_days,
        threshold=f"{profile.threshold.title}, version {profile.threshold.version}",
    )


_MODES = {
    "BACK_OFFICE": "It works behind the duty teams, which decide what to send to it",
    "FRONT_DOOR": "It is the first point of contact itself; its own duty desks decide what goes to the agencies",
}


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def _agencies(profile: Profile) -> str:
    lines = [
        f"| {agency.names[-1].name} (`{agency.code}`) | {' and '.join(agency.scope)} | "
        f"{'about each referral' if agency.default_checks else 'when somebody decides to'} | "
        f"name, {', '.join(key.replace('_', ' ') for key in agency.searches_with)} |"
        for agency in profile.agencies
    ]
    return "\n".join(["| agency | side | asked | is told of a person, to search with |", "|---|---|---|---|", *lines])


def _periods(profile: Profile) -> str:
    lines = [f"| `{kind}` | {period.days} days after it was {period.counted_from} | {period.basis} | {period.source} |"
             for kind, period in profile.retention]  # fmt: skip
    return "\n".join(["| kind | period | why | source |", "|---|---|---|---|", *lines])


def _grounds(profile: Profile) -> str:
    lines = []
    for row in profile.legal_gate.grounds if profile.legal_gate else ():
        named = [(part, code) for part in ("article_6", "article_9", "dpa_condition", "gateway")
                 for code in getattr(row, part)]  # fmt: skip
        words = "; ".join(profile.label(part, code) for part, code in named)
        reason = profile.label("request_reason", row.request_reason)
        lines.append(f"| {Side(row.side)} | {', '.join(row.levels)} | {reason} | {words} |")
    return "\n".join(["| side | levels of need | reason | any of |", "|---|---|---|---|", *lines])


_PAGE = """\
# Data protection impact assessment: {hub}

For {area}. Made from version {version} of the area profile by `mash profile dpia`; {todo} marks what no profile can say.
The steps are those of the Information Commissioner's template.

## 1. Why an assessment is needed

Special category and criminal-offence data of children and of adults at risk, from several bodies, matched, and used to
decide about them. {todo} who decided that an assessment is needed, and when.

## 2. The processing

**Nature and purpose.** {mode}. Agencies are asked what they know of the people named in a referral; their returns are
joined into one template; a person decides, for each subject, whether the safeguarding threshold is met, and the duty
team is told. No decision is made by a machine, and no wait ends in one.

What it does:

{will}

What it does not do:

{wont}

**Who sends referrals:**

{teams}

**Who is asked, and what they are told:**

{agencies}

An agency searches its own systems; the hub reaches into none of them. By when it answers:

{bands}

**Whose data.** Children and adults who may be at risk, their households, whoever told a duty team, professionals, and
people with an account. What is kept of each, column by column: the register of processing activities.

**How long:**

{periods}

{todo} about how many people a year; who the controllers are, and whether jointly; processors, with their contracts; where
the servers and backups stand; whether anything leaves the United Kingdom.

## 3. Consultation

{todo} which children, adults, families and practitioners were asked, and what they said; which boards, agencies and
security experts; why, where nobody was.

## 4. Necessity and proportionality

**Lawful basis** ({confirmed} by the {lead}). Nobody is asked about anybody before one of these combinations is on record
of that person, with the state of consent and of informing, and no agency without an agreement in force:

{grounds}

**No more than is needed.** A question may say what it is about, and then goes to those who hold it. Each item of a return
is released, or not, with three answers: relevant, necessary, proportionate. Withheld is an answer. A duty team reads the
outcome and what was released to it, not the assessment. Figures for boards suppress small counts.

**Quality.** Every item has a source and a date, and says whether it is fact or opinion. A late return is kept and
flagged; what is wrong is corrected as a new version, and whoever was told is told of it.

**Who takes part in a decision:**

{quorum}

Decisions cite the {threshold}.

**Rights.** Whether the person was told, and if not why, is on record before anything is asked. The hub makes the answer to
a subject access request, corrects, holds and erases. {todo} where a person turns to, and who answers.

## 5 and 6. Risks, and what reduces them

| risk | what the hub does | likelihood and severity afterwards |
|---|---|---|
| Somebody reads what is not theirs | each route declares who may call it, the database refuses behind it, each reading is listed to the agency whose information it was | {todo} |
| A colleague, or a family known to staff | a referral is restricted to named people; breaking the glass is told and looked at | {todo} |
| More is shared than is needed | item by item, with three answers; what leaves is searched for protected addresses and withheld numbers first | {todo} |
| Sharing without a basis | the legal gate and the register of agreements; overrides need a name and a reason, and are counted | {todo} |
| A wrong person matched | identifiers are checked; nothing of an earlier referral is copied | {todo} |
| A decision on stale or missing facts | who was silent is on the template by name; a late return asks whether the decision stands | {todo} |
| An account in the wrong hands | password and a one-time code, anew before a decision is signed; accounts are confirmed every {confirm} days and closed {disable} days later | {todo} |
| A stolen backup or database | free text is sealed with a key that lies elsewhere | {todo} |
| A changed record | an append-only chained ledger, with signed checkpoints outside the database | {todo} |
| Kept for too long | listed each month, erased once two people agree | {todo} |
| The hub stands still and nobody notices | stages and deadlines in the record, alarms on a second channel, the closing hours said plainly | {todo} |

{todo} further risks that this partnership sees.

## 7. Sign-off

| what | who, and when |
|---|---|
| Measures approved by | {todo} |
| Residual risks approved by; above high, the Information Commissioner is consulted first | {todo} |
| Advice of the data protection officer | {todo} |
| Consultation responses considered by | {todo} |
| To be reviewed on; at the latest with each new version of the profile | {todo} |
"""  # noqa: E501 -- rows of tables
