"""Where the parts of the hub find each other. Read from the environment (`MASH_…`), never from the profile."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

HOUSE = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings of one process.

    `mash up` sets all of them for the parts that it starts; a site that runs its own PostgreSQL, Prefect or mail
    server sets them itself.
    """

    model_config = SettingsConfigDict(env_prefix="MASH_", extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr = Field(description="The record, as the application's role: postgresql+psycopg://…")
    owner_database_url: SecretStr | None = Field(default=None, description="The record, as its owner; for migrations.")
    key: SecretStr = Field(description="32 random bytes, base64: seals free text in the record.")
    signing_key: SecretStr | None = Field(
        default=None, description="32 random bytes, base64: an Ed25519 key that signs checkpoints and evidence packs."
    )
    signing_key_file: Path | None = Field(default=None, description="A file that holds the signing key instead.")
    checkpoints: Path | None = Field(
        default=None, description="The folder, outside the database, that signed checkpoints of the ledger go to."
    )
    checkpoint_minutes: int = Field(
        default=1440,
        ge=1,
        description="How often the timekeeper writes a checkpoint.",
    )
    profile: Path = Field(default=HOUSE / "profiles" / "bnes.toml", description="The area profile.")
    portal_url: str = Field(default="http://127.0.0.1:8400", description="Where people reach the portal.")
    mail_url: SecretStr | None = Field(
        default=None, description="The SMTP server as an Apprise URL without recipients: mailto://host:port?from=…"
    )
    trusted_proxies: str = Field(
        default="", description="Networks of the proxies before the portal, by commas: 10.0.0.0/24,10.0.1.7."
    )
    engine_calls_at_once: int = Field(
        default=4, ge=1, le=64, description="How many calls to the engine one timekeeper makes side by side."
    )
    engine_runs_at_once: int = Field(
        default=200, ge=1, description="How many runs may be due or at work in the engine; more wait in the record."
    )
    second_factor_minutes: int = Field(
        default=15, ge=1, le=60, description="For how long a second factor counts before a decision is signed (S-16)."
    )
    sweep_seconds: float = Field(
        default=20, ge=1, le=60, description="How often one of the timekeepers looks for referrals that no run carries."
    )
    repairs: int = Field(
        default=5, ge=1, description="How often a referral is brought back at one stage before a person is told."
    )


@cache
def settings() -> Settings:
    """This process's settings.

    Raises pydantic's ValidationError when a required `MASH_…` variable is missing.
    """
    return Settings()
