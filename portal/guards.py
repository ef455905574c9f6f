"""What stands before every route: whole bodies of a bounded size, our own host names, and safe headers on the way out.

Plain ASGI, so that it also covers what no route answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from fastapi import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models import log_lines
from portal.faces import fit, is_api
from portal.problems import TOO_LARGE, WRONG_HOST, WRONG_TYPE, problem, route_of, unexpected

MOST_BYTES = 1024 * 1024
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: A name and perhaps a port, and nothing that a URL could be continued with (CVE-2026-48710).
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?", re.ASCII)
_POLICY = "default-src 'none'; {own}frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
#: What a page may load: our own styles and scripts; nothing inline, nothing from elsewhere.
_OWN = "style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
_KEPT = "private, max-age=604800, immutable"
_SAFE_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


class SafeHeaders:
    """Puts the security headers on every response, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_SAFE_HEADERS)
                page = headers.get("Content-Type", "").startswith("text/html")
                headers["Content-Security-Policy"] = _POLICY.format(own=_OWN if page else "")
                if message["status"] == 200 and scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = _KEPT
            await send(message)

        await self._app(scope, receive, guarded)


class OneRequest:
    """What is logged over a request has one id, so that its lines are found together."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        log_lines.begin()
        await self._app(scope, receive, send)


class LastResort:
    """Answers what nobody foresaw before the server would log it, with all that its text might hold."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            response = fit(scope, unexpected(error, route_of(scope)))
            if not begun:
                await response(scope, receive, send)


class OwnHosts:
    """Answers under the names of this machine and the portal's own, so that no other site can borrow the hub."""

    def __init__(self, app: ASGIApp, portal_url: str) -> None:
        self._app = app
        self._names = _LOOPBACK | {urlsplit(portal_url).hostname or ""}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_ours(Headers(scope=scope).getlist("Host")):
            detail = "The hub does not answer under this name: use the address that you were given."
            await problem(WRONG_HOST, detail)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, hosts: list[str]) -> bool:
        named = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        return named is not None and named["name"].strip("[]").lower() in self._names


class WholeBodies:
    """Takes in a request's body, at most 1 MiB of JSON, or of a page's form, before anything reads it.

    So it is there whole, or refused.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        body = None if _announces_too_much(headers) else await _take_in(receive)
        if isinstance(body, Gone):
            return
        if refusal := _refusal(body, headers, forms=not is_api(scope)):
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)


class Gone:
    """The sender hung up before its body was whole."""


def _announces_too_much(headers: Headers) -> bool:
    announced = headers.get("Content-Length", "")
    return announced.isdecimal() and int(announced[:20]) > MOST_BYTES


async def _take_in(receive: Receive) -> bytes | Gone | None:
    """The body, or None when it is too large. Its announced length is not believed: what comes is counted."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Gone()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _refusal(body: bytes | None, headers: Headers, *, forms: bool) -> Response | None:
    if body is None:
        return problem(TOO_LARGE, f"A document may hold {MOST_BYTES} bytes at most; nothing was saved.")
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if body and kind != ("application/x-www-form-urlencoded" if forms else "application/json"):
        wanted = "application/x-www-form-urlencoded" if forms else "application/json"
        return problem(WRONG_TYPE, f"Send the document as {wanted}.", headers={"Accept": wanted})
    return None


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
