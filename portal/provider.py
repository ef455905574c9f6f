"""A council's own sign-in service, as the hub speaks to it: OpenID Connect's code flow with PKCE (R46).

The one module of the portal that asks anybody outside. Nothing that the service says of a failure leaves it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

from casework.provider_signin import Trip, Vouched
from models.settings import is_private_way, settings
from portal.id_token import BadToken, verified
from rules.errors import Misconfigured, Unavailable

_PATIENCE = 5.0
#: For how many seconds what the service says of itself is believed: not everybody who clicks makes us ask it anew.
_KEPT = 600
_MOST_BYTES = 256 * 1024
_DISCOVERY = "/.well-known/openid-configuration"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFailed(Unavailable):
    """The service did not answer, or not as it must. The message is ours."""


class Client(NamedTuple):
    """Who the hub is to the service."""

    issuer: str
    name: str
    secret: str


def is_offered() -> bool:
    """Whether this site has such a service."""
    return bool(settings().oidc_issuer)


def button() -> str:
    """What the sign-in page's second button says; the empty text when there is none."""
    return settings().oidc_label if is_offered() else ""


def way_there(trip: Trip, *, at: datetime) -> str:
    """Where a browser is sent to sign in. `at` is real time. Raises ProviderFailed."""
    client = _client()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(trip.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code", "client_id": client.name, "redirect_uri": _way_back(), "scope": "openid email",
        "state": trip.state, "nonce": trip.nonce, "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    endpoint = _discovered(client, _period(at))["authorization_endpoint"]
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def vouched(answer: Mapping[str, str], trip: Trip, *, at: datetime) -> Vouched:
    """Whom the service vouches for, by the answer that the browser brought back. `at` is real time.

    Raises ProviderFailed: also when the person said no there, or the answer is another service's.
    """
    client = _client()
    discovered = _discovered(client, _period(at))
    names_itself = discovered.get("authorization_response_iss_parameter_supported") is True
    if answer.get("iss", "" if names_itself else client.issuer) != client.issuer or not answer.get("code"):
        raise ProviderFailed("the sign-in service sent nobody")
    token = _token(client, discovered, answer["code"], trip.verifier)
    keys = _ask("GET", discovered["jwks_uri"])
    try:
        claims = verified(token, keys, issuer=client.issuer, audience=client.name, nonce=trip.nonce, at=at)
    except BadToken:
        raise ProviderFailed("the sign-in service's token is not the one that was asked for") from None
    return _vouched(client, claims)


def _vouched(client: Client, claims: Mapping[str, Any]) -> Vouched:
    address = claims.get("email")
    is_verified = claims.get("email_verified") is True or (
        settings().oidc_addresses_verified and "email_verified" not in claims
    )
    counts = {each.strip() for each in settings().oidc_second_factor.split(",") if each.strip()}
    methods = claims.get("amr")
    given = {str(each) for each in methods} if isinstance(methods, list) else set()
    given.add(str(claims.get("acr", "")))
    return Vouched(
        subject=f"{client.issuer}\x00{claims['sub']}",
        address=address if isinstance(address, str) and is_verified else "",
        second_factor=bool(counts & given),
    )


def _client() -> Client:
    found = settings()
    if not (found.oidc_issuer and found.oidc_client_id and found.oidc_client_secret):
        raise Misconfigured("MASH_OIDC_ISSUER: no sign-in service is set")
    return Client(found.oidc_issuer, found.oidc_client_id, found.oidc_client_secret.get_secret_value())


def _way_back() -> str:
    return f"{settings().portal_url.rstrip('/')}/sign-in/provider/back"


def _period(at: datetime) -> int:
    return int(at.timestamp()) // _KEPT


@lru_cache(maxsize=4)
def _discovered(client: Client, _: int) -> Mapping[str, Any]:
    """What the service says of itself, when it is the one that was set, and reached by a private way."""
    found = _ask("GET", client.issuer.rstrip("/") + _DISCOVERY)
    endpoints = [found.get(name) for name in _ENDPOINTS]
    if found.get("issuer") != client.issuer or not all(isinstance(e, str) and is_private_way(e) for e in endpoints):
        raise ProviderFailed("the sign-in service is not the one that was set")
    return found


def _token(client: Client, discovered: Mapping[str, Any], code: str, verifier: str) -> str:
    asked = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": _way_back(), "code_verifier": verifier,
    }  # fmt: skip
    ways = discovered.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in ways:
        # RFC 6749 2.3.1: both are encoded before they are put together.
        basic = httpx.BasicAuth(quote(client.name, safe=""), quote(client.secret, safe=""))
        answer = _ask("POST", discovered["token_endpoint"], data=asked, auth=basic)
    else:
        asked |= {"client_id": client.name, "client_secret": client.secret}
        answer = _ask("POST", discovered["token_endpoint"], data=asked)
    if not isinstance(token := answer.get("id_token"), str):
        raise ProviderFailed("the sign-in service gave no ID token")
    return token


def _ask(method: str, url: str, **more: Any) -> dict[str, Any]:
    """A JSON document of the service's, of a bounded size; it leads us nowhere else."""
    body = bytearray()
    try:
        with httpx.stream(method, url, timeout=_PATIENCE, headers={"Accept": "application/json"}, **more) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ProviderFailed(f"the sign-in service answered {answer.status_code}")
            for part in answer.iter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise ProviderFailed("the sign-in service said too much")
        found = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise ProviderFailed(f"the sign-in service does not answer: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise ProviderFailed("the sign-in service sent no document")
    return found
