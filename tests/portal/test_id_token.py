"""An ID token proves something only when everything about it is as it must be (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from portal.id_token import ALGORITHMS, BadToken, verified

AT = datetime(2026, 3, 16, 10, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
ISSUER, HUB, NONCE = "https://council.example", "mash", "n-0S6_WzA2Mj"
GOOD: dict[str, Any] = {
    "iss": ISSUER, "aud": HUB, "sub": "sam", "nonce": NONCE, "iat": NOW, "exp": NOW + 300, "email": "sam@c.example",
}  # fmt: skip


@cache
def key(kind: str) -> Key:
    if kind == "EC":
        return ECKey.generate_key("P-256", auto_kid=True)
    return OctKey.generate_key(256, auto_kid=True) if kind == "oct" else RSAKey.generate_key(2048, auto_kid=True)


def token(claims: dict[str, Any], algorithm: str = "RS256", signer: str = "RSA") -> str:
    return jwt.encode({"alg": algorithm, "kid": key(signer).kid}, claims, key(signer), algorithms=[algorithm])


def judged(text: str, *kinds: str) -> dict[str, Any]:
    keys = {"keys": [key(kind).as_dict(private=kind == "oct") for kind in kinds or ("RSA", "EC")]}
    return verified(text, keys, issuer=ISSUER, audience=HUB, nonce=NONCE, at=AT)


@pytest.mark.parametrize(("algorithm", "signer"), [("RS256", "RSA"), ("PS256", "RSA"), ("ES256", "EC")])
def test_a_good_token_says_who_somebody_is(algorithm: str, signer: str):
    """R46"""
    assert judged(token(GOOD, algorithm, signer)) == GOOD
    assert algorithm in ALGORITHMS


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [HUB]},
        {"azp": HUB},
        {"exp": NOW - 59},
        {"iat": NOW + 59},
        {"acr": "gold", "amr": ["mfa"]},
    ],
    ids=str,
)
def test_so_does_one_that_differs_in_what_may_differ(changes: dict[str, Any]):
    """R46: the clocks of two houses differ by up to a minute"""
    assert judged(token(GOOD | changes))["sub"] == "sam"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": [HUB, "another"]},
        {"aud": []},
        {"aud": None},
        {"azp": "another"},
        {"exp": NOW - 60},
        {"exp": None},
        {"exp": "never"},
        {"iat": NOW + 61},
        {"iat": None},
        {"nbf": NOW + 61},
        {"nonce": "another"},
        {"nonce": ""},
        {"nonce": None},
        {"sub": ""},
        {"sub": None},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
    ids=str,
)
def test_one_wrong_claim_and_it_proves_nothing(changes: dict[str, Any]):
    """R46"""
    claims = {name: value for name, value in (GOOD | changes).items() if value is not None}
    with pytest.raises(BadToken):
        judged(token(claims))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384"])
def test_a_secret_that_two_share_proves_nothing(algorithm: str):
    """R46: the algorithm is ours to choose, and never the token's"""
    with pytest.raises(BadToken):
        judged(token(GOOD, algorithm, "oct"), "oct", "RSA")


@pytest.mark.parametrize("named", ["none", "None", "RS256"])
def test_nor_does_a_token_without_a_signature(named: str):
    """R46"""
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": named}, GOOD)]
    with pytest.raises(BadToken):
        judged(".".join([*parts, ""]), "RSA")


def test_neither_does_another_key_of_the_same_name():
    """R46"""
    forged = RSAKey.generate_key(2048, parameters={"kid": key("RSA").kid or ""})
    text = jwt.encode({"alg": "RS256", "kid": forged.kid}, GOOD, forged)
    with pytest.raises(BadToken):
        judged(text)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "é.é.é", "e30.e30.e30", "x" * 10_000])
def test_nor_what_is_no_token(text: str):
    """R46"""
    with pytest.raises(BadToken):
        judged(text)


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": None}, {"keys": "x"}, {"keys": [1]}, {"keys": [{}]}])
def test_nor_anything_under_keys_that_are_none(keys: dict[str, Any]):
    """R46"""
    with pytest.raises(BadToken):
        verified(token(GOOD), keys, issuer=ISSUER, audience=HUB, nonce=NONCE, at=AT)
