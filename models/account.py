"""Who may use the hub: people, and the systems of duty teams and agencies."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Enum
from sqlmodel import Field, SQLModel

from models.base import moment, new_id
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
    )

    id: str = Field(primary_key=True, max_length=60)
    role: Role = Field(sa_type=Enum(Role, native_enum=False, create_constraint=True, length=40))
    is_person: bool
    agency: str | None = Field(default=None, foreign_key="agency.code", max_length=40)
    duty_team: str | None = Field(default=None, max_length=40)
    mash_profile: bool = False
    added_at: datetime = moment()
    disabled_at: datetime | None = moment(nullable=True)

    def as_actor(self) -> Actor:
        """Who this account is to the rules."""
        return Actor(
            id=self.id,
            role=self.role,
            duty_team=self.duty_team,
            agency=self.agency,
            mash_profile=self.mash_profile,
            is_person=self.is_person,
        )


class ApiToken(SQLModel, table=True):
    """A credential of one account. Only its digest is kept."""

    __tablename__ = "api_token"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True, max_length=60)
    digest: str = Field(unique=True, max_length=64)
    issued_at: datetime = moment()
    revoked_at: datetime | None = moment(nullable=True)
