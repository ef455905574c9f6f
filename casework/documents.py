"""What people send to the hub: the documented JSON documents, with every limit. Unknown fields are refused."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, EmailStr, Field, StringConstraints

from casework.document_parts import BornOn, Code, Document, Line, NhsNumber, OwnId, Reference, Text
from casework.item_documents import Item
from casework.legal_documents import LEGAL_CODES, LegalDocument
from casework.register import current_profile
from casework.restriction_documents import RestrictionDocument
from rules.people import Side


class SendingOfficer(Document):
    """Who sends the referral for the duty team, and where they can be reached (R01)."""

    name: Line
    reply_to: EmailStr


class DecisionToRefer(Document):
    """Who in the duty team decided to send it, when, and why what they know is not enough (R04)."""

    by: Line
    at: AwareDatetime
    why_existing_information_is_not_enough: Text


class Eligibility(Document):
    """The three answers (R05): a concern? is its extent unclear? what exactly must the agencies clarify?"""

    safeguarding_concern: bool
    extent_unclear: bool
    clarification_question: Text | None = None
    question_about: list[Code] = Field(
        default_factory=list, max_length=20,
        description="Code set question_about: only the agencies that hold it are asked, and those that always are; "
        "empty for every core agency",
    )  # fmt: skip


class Concern(Document):
    """What worries the duty team, from whom it came, and how needy and urgent it looks (R09, R10)."""

    narrative: Text
    source: Code = Field(description="Code set referral_source")
    level_of_need: Code = Field(description="Code set need_level")
    urgency: Code = Field(
        default_factory=lambda: current_profile().clocks.default_band,
        description="An urgency band of the area profile; its default band when it is left out",
    )


class SubjectDocument(LegalDocument):
    """One child or adult (R08), with consent and informing kept apart (R56) and their own voice first (R69)."""

    side: Side
    given_name: Line
    family_name: Line
    date_of_birth: BornOn | None = None
    nhs_number: NhsNumber | None = None
    address: Text | None = None
    protected_address: bool
    household: int = Field(default=1, ge=1, le=20, description="Subjects with one number live together")
    household_role: Line = Field(description="Such as mother, son, grandfather, lodger")
    voice: Text | None = Field(default=None, description="What the child says, or what the adult wishes")
    voice_missing_because: Text | None = None
    open_to_worker: Line | None = Field(default=None, description="The team that already has an open case (R12)")


class ReferralDocument(Document):
    """A duty team's referral to the MASH."""

    sender_id: OwnId = Field(description="The sender's own id of this referral; sending it twice is safe")
    duty_team: Code
    upstream_reference: OwnId = Field(description="The case in the duty team's system, returned unchanged")
    sending_officer: SendingOfficer
    decision_to_refer: DecisionToRefer
    eligibility: Eligibility
    concern: Concern
    subjects: list[SubjectDocument] = Field(min_length=1, max_length=20)
    restriction: RestrictionDocument | None = Field(
        default=None, description="Hide it from everybody but the sender and those named (S-5)"
    )


#: Which fields of a referral hold codes, and of which set.
REFERRAL_CODES = {
    "concern/source": "referral_source",
    "concern/level_of_need": "need_level",
    "restriction/ground": "restriction_ground",
} | {f"subjects/*/{field}": code_set for field, code_set in LEGAL_CODES.items()}


class SystemSearched(Document):
    """A system of the agency's that its representative searched, and with what (R18)."""

    system: Line
    searched_with: Line = Field(description="Such as name and date of birth, or NHS number")
    searched_at: AwareDatetime


class Consultation(Document):
    """Another professional whom the representative asked (R19)."""

    who: Line
    role: Line
    organisation: Line
    consulted_at: AwareDatetime
    what_was_asked: Text
    what_they_said: Text


class ReturnDocument(Document):
    """An agency's answer."""

    result: Code = Field(description="Code set return_result")
    summary: Text | None = None
    items: list[Item] = Field(default_factory=list, max_length=200)
    systems_searched: list[SystemSearched] = Field(default_factory=list, max_length=50)
    not_searched_because: Text | None = None
    consultations: list[Consultation] = Field(default_factory=list, max_length=50)


class DeclineDocument(Document):
    """An agency will not share, and why (R57)."""

    reason: Code = Field(description="Code set decline_reason")
    note: Text | None = None


class QuestionDocument(Document):
    """A question, or the answer to one."""

    text: Text


class AcknowledgeDocument(Document):
    """The check has been seen; optionally, at once, whether the subjects are known at all."""

    known: Code | None = Field(default=None, description="Code set return_result: the first, quick answer")


class SecondaryDocument(Document):
    """A one-off request to one more agency (R20). Without `until` it has the time that every agency has."""

    agency: Code = Field(description="A secondary agency, or one that the question left out")
    blocking: bool = Field(description="Whether the returns are joined only with its answer, or after its time")
    until: AwareDatetime | None = Field(default=None, description="Its own due time")
    question: Text | None = Field(default=None, description="In place of the duty team's question")


class ExtendDocument(Document):
    """An agency is given until a later time (R21)."""

    until: AwareDatetime
    reason: Code = Field(description="Code set clock_reason")
    due_seen: AwareDatetime = Field(description="The due time on the screen of whoever extends it")


class PauseDocument(Document):
    """An agency's clock is to stand still (R33)."""

    reason: Code = Field(description="Code set clock_reason")


class CauseDocument(Document):
    """Why a check breached (requirements §4.9)."""

    cause: Code = Field(description="Code set breach_cause")


class QualityDocument(Document):
    """How good a return is (R31). The dates and sources are those of its items: left out where it holds none."""

    answers_question: bool = Field(description="Whether it answers what was asked")
    dated: bool | None = Field(default=None, description="Whether its items say when what they tell of was")
    sourced: bool | None = Field(default=None, description="Whether its items say from where the agency knows")


class Present(Document):
    """Who took part in the discussion, for which agency."""

    agency: Code
    name: Line
    role: Line


class ViewDocument(Document):
    """An agency's view of the threshold (R37)."""

    agency: Code
    view: Code = Field(description="Code set view")
    threshold_met: bool | None = Field(default=None, description="The agency's own view: is the threshold met?")
    level_of_need: Code | None = Field(default=None, description="Code set need_level: where it would place it")
    reason: Text | None = None


class DiscussionDocument(Document):
    """The team's discussion (R34)."""

    held_at: AwareDatetime
    mode: Code = Field(description="Code set discussion_mode")
    present: list[Present] = Field(min_length=1, max_length=50)
    note: Text
    views: list[ViewDocument] = Field(default_factory=list, max_length=50)


class Action(Document):
    """What is to be done, by whom, by when (R35)."""

    what: Text
    owner: Line
    due_on: date


class ItemChoice(Document):
    """Whether the duty team may have one item of a return (R29). An item that no choice names does not go."""

    agency: Code
    version: int = Field(ge=1, description="Of the agency's return")
    number: int = Field(ge=1, description="Of the item in that return, from 1")
    release: bool
    withheld_because: Code | None = Field(default=None, description="Code set decline_reason, when it is withheld")


class SubjectDecision(Document):
    """The threshold decision on one subject (R35). Nothing has a default: nothing is decided by leaving it out."""

    subject: Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]
    threshold_met: bool
    level_of_need: Code
    outcome: Code
    rationale: Text
    words_for_duty_team: Text = Field(description="What the duty team is told; it does not see the rationale")
    actions: list[Action] = Field(max_length=50)
    consent: Code | None = Field(default=None, description="Needed by outcomes that share onward only with consent")
    items: list[ItemChoice] = Field(default_factory=list, max_length=1000)
    false_alarm_because: Text | None = Field(
        default=None, description="Why what was found in it may leave all the same; the ledger names who said so"
    )


class DecisionDocument(Document):
    """A threshold decision: one for each subject, on the version of the referral that the decider saw (R35, R41)."""

    version_seen: int = Field(description="The referral's version on the decider's screen")
    decisions: list[SubjectDecision] = Field(min_length=1, max_length=20)
    without_discussion_because: Text | None = None
    below_quorum_because: Text | None = Field(default=None, description="When an agency of the quorum took no part")


class EarlyEndDocument(Document):
    """A referral, or some of its subjects, leave before a decision (R06)."""

    reason: Code | None = Field(default=None, description="Code set withdrawal_reason, for a withdrawal")
    subjects: list[str] = Field(default_factory=list, max_length=20, description="S1, S2 …; empty for all")


class AcknowledgementDocument(Document):
    """The duty team knows this version of the outcome (R43)."""

    version: int = Field(description="The version of the outcome that was read")


class ResolutionDocument(Document):
    """How a disagreement about the threshold was resolved (R37)."""

    version_seen: int = Field(description="The referral's version on the screen of whoever says so")
    resolution: Text


class ToManagerDocument(Document):
    """A decision maker sends a referral to a manager (R39)."""

    outcome: Code = Field(description="Code set outcome: the one that needs a manager")
    reason: Text = Field(description="What the manager should know, and why this outcome")


class SendBackDocument(Document):
    """A manager sends a referral back to the team, undecided (R39)."""

    reason: Text


class StandsDocument(Document):
    """The decision stands although a return came after it, and why (R24)."""

    reason: Text


class AccountDocument(Document):
    """A person who is to have an account (R47)."""

    email: Line
    display_name: Line
    role: Code
    agency: Code | None = None
    duty_team: Code | None = None


class AgreementDocument(Document):
    """A signed information sharing agreement, by local dates (R55)."""

    title: Line
    version: Code
    parties: list[Code] = Field(min_length=1, max_length=60)
    scope: Text
    signed_on: date
    in_force_from: date
    in_force_to: date | None = None
    review_on: date


class HoldDocument(Document):
    """A referral is not to be erased, and why (R51)."""

    reference: Reference
    reason: Text


class LiftDocument(Document):
    """A legal hold is lifted, and why (R51)."""

    reason: Text


class AccessDocument(Document):
    """A subject asked for what is held about them, on a local date (S-28)."""

    reference: Reference
    subject: Annotated[str, StringConstraints(pattern=r"^S[1-9]\d?$")]
    received_on: date


class AccessHoldDocument(Document):
    """Why giving it would be likely to cause somebody serious harm; who was asked about that (S-28)."""

    reason: Text


class AddressDocument(Document):
    """Where a person's codes and invitations go from now on (S-9)."""

    email: Line


class ConfirmationDocument(Document):
    """Of each person, by their account, whether they still work there (R47)."""

    people: dict[Code, Literal["STAYS", "LEFT"]] = Field(default_factory=dict, max_length=500)


class SecondFactorDocument(Document):
    """The second factor, given anew; without a code, one is asked for (S-16)."""

    code: Code | None = Field(default=None, description="From your authenticator app, or from the hub's mail")


class InductionDocument(Document):
    """When somebody was inducted, before the assessment is opened to them (R64)."""

    inducted_at: AwareDatetime
