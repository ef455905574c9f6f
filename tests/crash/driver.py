"""Everybody who uses the hub in a storm: they try again, but not what took effect, and note what they are told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.api import Api, ApiRefused
from rules.errors import Unavailable
from tests.scenarios.case import SignIn

#: For how many seconds somebody tries again. A storm lasts minutes, and parts that died often start ever more slowly.
PATIENCE = 420.0
_UNDECIDED = ("RECEIVED", "QUEUED_OUT_OF_HOURS", "CHECKING", "AWAITING_DECISION")


class Journal:
    """A file with a line before each act and a line with what came of it, for the checker to read."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock, self._count = file, threading.Lock(), 0
        file.touch()
        #: Set whenever a document is about to be sent: the nemesis strikes in the middle of it.
        self.posting = threading.Event()

    def sending(self, account: str, path: str, document: Any) -> int:
        """Somebody is about to act; gives the number under which its end is noted."""
        with self._lock:
            self._count += 1
            self._write(
                n=self._count, account=account, path=path, key=document.get("sender_id", ""),
                entries=len(document.get("decisions", [0])),
            )  # fmt: skip
            return self._count

    def ended(self, number: int, end: str, how: str, reference: str) -> None:
        """The hub acknowledged an act, or refused it; `how` tells an answer from a look at the state."""
        with self._lock:
            self._write(n=number, end=end, how=how, reference=reference)

    def _write(self, **note: Any) -> None:
        with self._file.open("a") as out:
            out.write(json.dumps(note) + "\n")


class Persistent(Api):
    """One account's view of a hub that may be gone at any moment."""

    def __init__(self, account: str, url: str, token: str, journal: Journal) -> None:
        super().__init__(url, token)
        self._account, self._journal = account, journal

    def get(self, path: str, **params: Any) -> Any:
        """As Api.get, for as long as it takes (up to PATIENCE)."""
        given_up = time.monotonic() + PATIENCE
        while True:
            try:
                return super().get(path, **params)
            except Unavailable:
                if time.monotonic() > given_up:
                    raise
                time.sleep(0.2)

    def post(self, path: str, document: Any = None) -> Any:
        """Act once. After silence a referral is sent again under its sender_id; for other acts the state is read."""
        document = document if document is not None else {}
        look = _EFFECTS.get(path.rpartition("/")[2])
        before = look(self, path) if look else None
        number = self._journal.sending(self._account, path, document)
        given_up = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._send_once(number, path, document)
            except Unavailable as trouble:
                if time.monotonic() > given_up:
                    raise
                if look and look(self, path) != before:
                    how = (
                        "found, though told that nothing was saved"
                        if "Nothing was saved" in str(trouble)
                        else "found after silence, or an unknown outcome"
                    )
                    self._journal.ended(number, "acknowledged", how, _reference(path))
                    return None
                time.sleep(0.1)
            else:
                return answer

    def _send_once(self, number: int, path: str, document: Any) -> Any:
        self._journal.posting.set()
        try:
            answer = super().post(path, document)
        except ApiRefused as refusal:
            self._journal.ended(number, "refused", str(refusal.status), _reference(path))
            raise
        self._journal.ended(number, "acknowledged", "answered", _reference(path, answer))
        return answer


def persistent(journal: Journal) -> SignIn:
    """How everybody signs in for a storm."""
    return lambda account, url, token: Persistent(account, url, token, journal)


def _reference(path: str, answer: Any = None) -> str:
    return str(answer["reference"]) if path == "/referrals" and answer else path.split("/")[2] if path[10:] else ""


def _own_check(api: Persistent, path: str) -> Any:
    return api.get(path.rpartition("/")[0])


def _referral(api: Persistent, path: str) -> Any:
    return api.get("/".join(path.split("/")[:3]))


def _template(api: Persistent, path: str) -> Any:
    return api.get("/".join(path.split("/")[:3]) + "/template")


#: What each act changes, as whoever did it can read it. Referrals and acknowledgements are safe to send again.
_EFFECTS: dict[str, Callable[[Persistent, str], Any]] = {
    "return": lambda api, path: len(_own_check(api, path)["returns"]),
    "acknowledge": lambda api, path: _own_check(api, path)["acknowledged_at"],
    "clarify": lambda api, path: len(_own_check(api, path)["clarifications"]),
    "decline": lambda api, path: _own_check(api, path)["decline_reason"],
    "answer": lambda api, path: [asked["answered_at"] for asked in _own_check(api, path)["clarifications"]],
    "discuss-now": lambda api, path: _referral(api, path)["discuss_now_at"],
    "discussions": lambda api, path: len(_template(api, path)["discussions"]),
    "decisions": lambda api, path: sum(kept["taken_for"] == "DECISION" for kept in _referral(api, path)["templates"]),
    "reconsideration": lambda api, path: len(_referral(api, path)["reconsiderations"]),
    "withdraw": lambda api, path: _referral(api, path)["stage"] in _UNDECIDED,
    "clear-concern": lambda api, path: _referral(api, path)["stage"] in _UNDECIDED,
}
