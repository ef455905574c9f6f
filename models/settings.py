"""Where the parts of the hub find each other. Read from the environment (`MASH_…`), never from the profile."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.log_lines import LogForm

HOUSE = Path(__file__).resolve().parent.parent
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def is_private_way(url: str) -> bool:
    """Whether what goes to a URL is read by nobody on the way: https, or this machine itself."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


class Settings(BaseSettings):
    """Settings of one process.

    `mash up` sets all of them for the parts that it starts; a site that runs its own PostgreSQL, Prefect or mail
    server sets them itself.
    """

    model_config = SettingsConfigDict(env_prefix="MASH_", extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr = Field(description="The record, as the application's role: postgresql+psycopg://…")
    owner_database_url: SecretStr | None = Field(default=None, description="The record, as its owner; for migrations.")
    key: SecretStr | None = Field(
        default=None,
        description="32 random bytes, base64: seals free text in the record; older keys may follow, by commas.",
    )
    key_file: Path | None = Field(
        default=None, description="A file that holds the sealing keys instead, one a line, the newest first."
    )
    digest_key: SecretStr | None = Field(
        default=None, description="What digests are made with; the oldest sealing key when it is not set."
    )
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
    operations: str | None = Field(
        default=None,
        description="Who runs the hub and is told of its alarms: an e-mail address, or env:NAME for a variable that "
        "holds an Apprise URL. The alarm contact of the profile when it is not set.",
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
    opened_by_person: int = Field(
        default=60, ge=1, description="How many referrals one person may open within ten minutes (S-20)."
    )
    opened_by_system: int = Field(
        default=600, ge=1, description="The same for the system of a duty team or an agency, which fetches for many."
    )
    oidc_issuer: str | None = Field(
        default=None, description="A council's own sign-in service (OpenID Connect): its issuer, to the letter."
    )
    oidc_client_id: str | None = Field(default=None, description="Who the hub is to that service.")
    oidc_client_secret: SecretStr | None = Field(default=None, description="What the hub proves that with.")
    oidc_domains: str = Field(
        default="", description="The mail domains that this service speaks for, by commas: council.example."
    )
    oidc_label: str = Field(
        default="Sign in with your council account", max_length=60, description="What its button says."
    )
    oidc_second_factor: str = Field(
        default="", description="Values of its amr or acr, by commas, that spare people the hub's own code: mfa."
    )
    oidc_addresses_verified: bool = Field(
        default=False, description="Whether its addresses are verified though it does not say email_verified."
    )
    sweep_seconds: float = Field(
        default=20, ge=1, le=60, description="How often one of the timekeepers looks for referrals that no run carries."
    )
    repairs: int = Field(
        default=5, ge=1, description="How often a referral is brought back at one stage before a person is told."
    )

    log: LogForm = Field(
        default=LogForm.TEXT, description="How the portal and the timekeeper log: text, or json, an object a line."
    )

    @model_validator(mode="after")
    def _has_a_key(self) -> Self:
        if self.key is None and self.key_file is None:
            raise ValueError("set MASH_KEY or MASH_KEY_FILE")
        return self

    @model_validator(mode="after")
    def _has_a_whole_sign_in_service(self) -> Self:
        asked = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret, self.oidc_domains.strip(" ,"))
        if any(asked) and not all(asked):
            raise ValueError("set MASH_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET and _DOMAINS together, or none of them")
        if self.oidc_issuer and not is_private_way(self.oidc_issuer):
            raise ValueError("MASH_OIDC_ISSUER must begin with https://")
        return self


@cache
def settings() -> Settings:
    """This process's settings.

    Raises pydantic's ValidationError when a required `MASH_…` variable is missing.
    """
    return Settings()
