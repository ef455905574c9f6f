"""Who may use the hub: people, and the systems of duty teams and agencies."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, Enum
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from models.base import code, moment, new_id, sealed_text
from rules.permissions import Actor, Role


class Account(SQLModel, table=True):
    """A person, or the system of one duty team or agency. Added by an administrator, never by themselves (R47)."""

    __table_args__ = (
        CheckConstraint("(role = 'AGENCY') = (agency IS NOT NULL)", name="account_agency_has_one"),
        CheckConstraint("(role = 'DUTY_TEAM') = (duty_team IS NOT NULL)", name="account_duty_team_has_one"),
        CheckConstraint("is_person OR role IN ('AGENCY', 'DUTY_TEAM', 'HUB')", name="account_system_is_of_a_body"),
        CheckConstraint(
            "NOT mash_profile OR role IN ('MASH_SUPPORT', 'DECISION_MAKER')", name="account_mash_profile_is_staff"
        ),
        CheckConstraint("NOT manages_colleagues OR (is_person AND role = 'AGENCY')", name="account_manager_is_agencys"),
        CheckConstraint(
            "NOT manager_authority OR (is_person AND role = 'DECISION_MAKER' AND mash_profile)",
            name="account_manager_authority_is_deciders",
        ),
        CheckConstraint("is_person OR password_hash IS NULL", name="account_password_is_a_persons"),
        CheckConstraint("(email IS NULL) = (email_digest IS NULL)", name="account_email_can_be_found"),
        CheckConstraint("is_person OR provider_subject IS NULL", name="account_provider_subject_is_a_persons"),
    )

    id: str = Field(primary_key=True, max_length=60)
    role: Role = Field(sa_type=Enum(Role, native_enum=False, create_constraint=True, length=40))
    is_person: bool
    agency: str | None = Field(default=None, foreign_key="agency.code", max_length=40)
    duty_team: str | None = Field(default=None, max_length=40)
    mash_profile: bool = False
    added_at: datetime = moment()
    disabled_at: datetime | None = moment(nullable=True)

    #: People alone have what follows. The digest of the address is keyed: it finds an account and tells nothing.
    email: str | None = sealed_text(nullable=True)
    email_digest: str | None = Field(default=None, unique=True, max_length=64)
    display_name: str | None = sealed_text(nullable=True)
    password_hash: str | None = Field(default=None, max_length=200)
    totp_secret: str | None = sealed_text(nullable=True)
    totp_last_step: int | None = Field(default=None, sa_type=BigInteger)
    wrong_codes: int = 0
    #: Who this person is to the council's sign-in service: a keyed digest, bound at their first sign-in from there.
    provider_subject: str | None = Field(default=None, unique=True, max_length=64)
    inducted_at: datetime | None = moment(nullable=True)
    last_signed_in_at: datetime | None = moment(nullable=True)
    #: A named manager says which of their agency's people still work there (R47).
    manages_colleagues: bool = False
    #: A manager makes the outcomes that the area keeps for one (R39).
    manager_authority: bool = False
    #: When somebody who answers for this person last said that they still work there, in real time.
    confirmed_at: datetime | None = moment(nullable=True)

    def as_actor(self) -> Actor:
        """Who this account is to the rules."""
        return Actor(
            id=self.id,
            role=self.role,
            duty_team=self.duty_team,
            agency=self.agency,
            mash_profile=self.mash_profile,
            is_person=self.is_person,
            manages_colleagues=self.manages_colleagues,
            manager_authority=self.manager_authority,
        )


class ApiToken(SQLModel, table=True):
    """A credential of one account. Only its digest is kept."""

    __tablename__ = "api_token"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    digest: str = Field(unique=True, max_length=64)
    issued_at: datetime = moment()
    #: When its person last gave a second factor along with it, in real time (S-16).
    proven_at: datetime | None = moment(nullable=True)
    revoked_at: datetime | None = moment(nullable=True)


class AccountEvent(SQLModel, table=True):
    """What an administrator did to an account, or its owner to their own credentials. Append-only."""

    __tablename__ = "account_event"

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    at: datetime = moment()
    actor: str = Field(max_length=60)
    act: str = code()
    detail: dict[str, Any] = Field(sa_type=JSONB)
