"""Settings that belong together are set together, and no error of theirs tells a secret."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from models.settings import Settings, is_private_way

SECRET = "kanarie"
NEEDED = {"MASH_DATABASE_URL": "postgresql+psycopg://nobody@localhost/nothing", "MASH_KEY": "AAAA"}
WHOLE = {
    "MASH_OIDC_ISSUER": "https://council.example", "MASH_OIDC_CLIENT_ID": "mash",
    "MASH_OIDC_CLIENT_SECRET": SECRET, "MASH_OIDC_DOMAINS": "council.example",
}  # fmt: skip


def read(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> Settings:
    for name, value in (NEEDED | given).items():
        monkeypatch.setenv(name, value)
    return Settings()


@pytest.mark.parametrize(
    "given",
    [{}, dict.fromkeys(WHOLE, ""), WHOLE, WHOLE | {"MASH_OIDC_ISSUER": "http://localhost:8080"}],
    ids=["none", "empty", "whole", "own machine"],
)
def test_a_sign_in_service_is_set_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]):
    """R46"""
    assert read(monkeypatch, given).oidc_issuer == given.get("MASH_OIDC_ISSUER")


@pytest.mark.parametrize("missing", WHOLE)
def test_half_a_sign_in_service_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch, missing: str):
    """R46: above all one that speaks for every domain"""
    with pytest.raises(ValidationError, match="set MASH_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET and _DOMAINS") as told:
        read(monkeypatch, {name: value for name, value in WHOLE.items() if name != missing})
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    ("url", "is_private"),
    [
        ("https://council.example", True),
        ("http://127.0.0.1:8080/a", True),
        ("http://[::1]:8080", True),
        ("http://council.example", False),
        ("http://localhost.council.example", False),
        ("ftp://localhost", False),
        ("council.example", False),
        ("https:///a", False),
        ("", False),
    ],
)
def test_a_secret_goes_by_https_or_stays_on_this_machine(url: str, is_private: bool):
    """R46"""
    assert is_private_way(url) is is_private


def test_an_issuer_by_plain_http_is_refused(monkeypatch: pytest.MonkeyPatch):
    """R46"""
    with pytest.raises(ValidationError, match="must begin with https://"):
        read(monkeypatch, WHOLE | {"MASH_OIDC_ISSUER": "http://council.example"})
