"""Asking the portal thousands of questions: straight into the ASGI application, a few at a time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlencode

AT_ONCE = 4
HOST = "127.0.0.1"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
JSON_HEADERS = {"Content-Type": JSON}
PLACE = re.compile(r"\{(\w+)\}")


class Question(NamedTuple):
    """One request, as it goes over the wire."""

    method: str
    target: str
    headers: Mapping[str, str] = MappingProxyType({})
    body: bytes = b""


class Told(NamedTuple):
    """One response, as it goes over the wire."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """A header's value, or the empty text."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


class Caller:
    """Asks one application. `close` it in the end."""

    def __init__(self, app: Any) -> None:
        self._app, self._loop = app, asyncio.new_event_loop()

    def ask(self, *questions: Question) -> list[Told]:
        """The answers, in the order of the questions; a few are asked at once."""
        return self._loop.run_until_complete(self._all(questions))

    def close(self) -> None:
        """No more questions."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _all(self, questions: Iterable[Question]) -> list[Told]:
        free = asyncio.Semaphore(AT_ONCE)

        async def one(question: Question) -> Told:
            async with free:
                return await self._one(question)

        return list(await asyncio.gather(*map(one, questions)))

    async def _one(self, question: Question) -> Told:
        said: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": question.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            said.append(message)

        await self._app(_scope(question), receive, send)
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in said[0]["headers"])
        return Told(said[0]["status"], headers, b"".join(part.get("body", b"") for part in said[1:]))


def filled(path: str, known: Mapping[str, str]) -> str:
    """A route's path with what is known for its places; any other has a word that is nothing's name."""
    return PLACE.sub(lambda place: known.get(place[1], "NOTHING"), path)


def form(fields: dict[str, Any]) -> bytes:
    """Fields as a browser sends them."""
    return urlencode(fields, doseq=True).encode()


def _scope(question: Question) -> dict[str, Any]:
    path, _, query = question.target.partition("?")
    raw = path.encode("utf-8")
    headers = {"Host": HOST, **question.headers}
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": question.method, "scheme": "http",
        "path": unquote_to_bytes(raw).decode("utf-8", "replace"), "raw_path": raw, "query_string": query.encode(),
        "root_path": "", "client": ("127.0.0.1", 50000), "server": (HOST, 80),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip
