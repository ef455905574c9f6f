"""Whether an ID token is the one that was asked for (OpenID Connect Core, 3.1.3.7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

#: Signatures by keys that the service alone holds. `none`, and codes under a secret that is ours too, prove nothing.
ALGORITHMS = ("RS256", "PS256", "ES256")
#: Seconds that the service's clock may be ahead of or behind ours.
LEEWAY = 60
_LONGEST_SUBJECT = 255


class BadToken(Exception):
    """This token proves nothing. Says no more: what is in it is the service's."""


def verified(
    token: str, keys: Mapping[str, Any], *, issuer: str, audience: str, nonce: str, at: datetime
) -> dict[str, Any]:
    """The claims of an ID token. `keys` is the service's JWKS; `at` is real time. Raises BadToken."""
    wanted = jwt.JWTClaimsRegistry(
        now=int(at.timestamp()), leeway=LEEWAY,
        iss={"essential": True, "value": issuer}, aud={"essential": True, "value": audience},
        nonce={"essential": True, "value": nonce}, sub={"essential": True}, exp={"essential": True},
        iat={"essential": True},
    )  # fmt: skip
    try:
        known = KeySet.import_key_set({"keys": list(keys["keys"])})
        claims = jwt.decode(token, known, algorithms=list(ALGORITHMS)).claims
        wanted.validate(claims)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadToken from error
    if not _is_for_us_alone(claims, audience) or len(claims["sub"]) > _LONGEST_SUBJECT:
        raise BadToken
    return claims


def _is_for_us_alone(claims: Mapping[str, Any], audience: str) -> bool:
    return claims["aud"] in (audience, [audience]) and claims.get("azp", audience) == audience
