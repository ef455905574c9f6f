"""The hub's JSON API as the `mash` command and the scenario pack use it: over HTTP, as anybody's system would."""

from __future__ import annotations

from typing import Any

import httpx

from rules.errors import Refused, Unavailable


class ApiRefused(Refused):
    """The hub said no, as RFC 9457 problem details."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        self.status: int = problem.get("status", 0)
        self.errors: list[dict[str, str]] = problem.get("errors", [])
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        if self.errors:
            return "; ".join(f"{error['pointer'] or 'the document'}: {error['detail']}" for error in self.errors)
        return str(self.problem.get("detail") or self.problem.get("title") or "refused")


class Api:
    """One credential's view of the hub."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._client = httpx.Client(base_url=f"{self._url}/api/v1", headers=headers, timeout=30, trust_env=False)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def get(self, path: str, **params: Any) -> Any:
        """What is at a path. Raises ApiRefused, or Unavailable when nothing answers."""
        return self._ask("GET", path, params=params)

    def post(self, path: str, document: Any = None) -> Any:
        """Send a document to a path. Raises ApiRefused, or Unavailable when nothing answers."""
        return self._ask("POST", path, json=document if document is not None else {})

    def page(self, path: str) -> str:
        """A path's page of HTML. Raises as `get` does."""
        return self._send("GET", path, headers={"Accept": "text/html"}).text

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        return answer.json() if answer.content else None

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **options)
        except httpx.HTTPError as error:
            raise Unavailable(f"the hub's portal at {self._url} does not answer ({type(error).__name__})") from None
        if answer.status_code == 503:
            raise Unavailable(f"the hub's portal at {self._url} cannot reach the record: {_problem(answer)['detail']}")
        if answer.is_error:
            raise ApiRefused(_problem(answer))
        return answer


def _problem(answer: httpx.Response) -> dict[str, Any]:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    return {"status": answer.status_code, "title": answer.reason_phrase, "detail": ""} | (
        problem if isinstance(problem, dict) else {}
    )
