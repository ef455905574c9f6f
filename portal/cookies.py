"""The portal's cookies, and the proof in each form that it came from a page of this browser's own (S-14, S-15)."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from models.keyed import keyed_digest
from models.settings import settings

#: A signed-in person; a browser on its way in, and one at the council's sign-in service; and one that signed in before.
SESSION = "session"
VISIT = "visit"
PROVIDER = "provider"
KNOWN = "known"
FORM_FIELD = "form_token"
HEADER = "X-Form-Token"


def is_secure() -> bool:
    """Whether people reach the portal by https. On plain http, for one's own machine, cookies cannot be secure."""
    return urlsplit(settings().portal_url).scheme == "https"


def name_of(cookie: str) -> str:
    """A cookie's full name: `__Host-` binds it to this host and to https; plain http has no such thing."""
    return f"__Host-mash-{cookie}" if is_secure() else f"mash-{cookie}"


def read(request: Request, cookie: str) -> str:
    """A cookie's value, or the empty text."""
    return request.cookies.get(name_of(cookie), "")


def give(response: Response, cookie: str, value: str, *, days: int | None = None) -> None:
    """Let the browser keep a value: until it is closed, or for so many days."""
    response.set_cookie(
        name_of(cookie), value, max_age=days * 86_400 if days else None, path="/", secure=is_secure(), httponly=True,
        samesite="lax",
    )  # fmt: skip


def take_back(response: Response, cookie: str) -> None:
    """Let the browser forget a value."""
    response.delete_cookie(name_of(cookie), path="/", secure=is_secure(), httponly=True, samesite="lax")


def fresh() -> str:
    """A new random value."""
    return secrets.token_urlsafe(32)


def form_token(cookie_value: str) -> str:
    """What a form of this browser's carries: nobody can compute it without the cookie, nor the cookie from it."""
    return keyed_digest("form", cookie_value)


def is_own(token: str, cookie_value: str) -> bool:
    """Whether a form carries the token of the cookie that came with it."""
    return bool(cookie_value) and hmac.compare_digest(token.encode(), form_token(cookie_value).encode())


def is_from_own_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser says that its own page of this host sent this. What says nothing is no browser of today.

    With `Referrer-Policy: no-referrer` browsers send `Origin: null` with forms; then `Sec-Fetch-Site` tells.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site == "same-origin" and (origin in (None, "null") or _is_this_host(origin, headers))
    return origin is None or _is_this_host(origin, headers)


def is_surely_from_own_page(headers: Mapping[str, str]) -> bool:
    """The same, where saying nothing does not do: `Sec-Fetch-Site`, which no page can set, must say so."""
    return headers.get("sec-fetch-site") == "same-origin" and is_from_own_page(headers)


def _is_this_host(origin: str, headers: Mapping[str, str]) -> bool:
    return urlsplit(origin).netloc == headers.get("host", "")
