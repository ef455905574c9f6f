"""What is no document of ours is refused with a sentence, never with a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from portal.examples import CHILD
from portal.guards import MOST_BYTES
from tests.portal.office import CHILDREN, Office, a_referral

JSON = {"Content-Type": "application/json"}


def send(office: Office, body: Any, headers: dict[str, str] | None = None) -> Any:
    return office.ask(CHILDREN, "POST", "/referrals", content=body, headers=headers or JSON)


def nested(depth: int) -> bytes:
    return b'{"x":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"hello",
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"sender_id": "a", "sender_id": "b"}',
        b'{"subjects": [{"side": "child", "side": "adult"}]}',
        nested(51),
        nested(100_000),
        b"[" * 500_000,
        b'{"a": "\n"}',
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_not_one_json_document_is_refused_with_a_sentence(office: Office, body: bytes) -> None:
    """R01"""
    answer = send(office, body)
    assert answer.status_code == 400, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"sender_id": "\\ud800"}', "/sender_id"),
        (b'{"sender_id": "\\u0000"}', "/sender_id"),
        (b'{"a": {"\\udc00": 1}}', "/a"),
        (b'["\\udfff"]', "/0"),
        (nested(50), "/x"),
    ],
)
def test_text_that_cannot_be_stored_is_a_bad_field(office: Office, body: bytes, pointer: str) -> None:
    """R01"""
    answer = send(office, body)
    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_a_document_full_of_mistakes_is_answered_with_a_bounded_list(office: Office) -> None:
    """R01"""
    answer = send(office, json.dumps({f"f{number}": 1 for number in range(50_000)}))
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 200


def of_size(size: int) -> bytes:
    document = json.dumps(a_referral(CHILD)).encode()
    return document + b" " * (size - len(document))


def test_a_mebibyte_is_taken_and_a_byte_more_is_not(office: Office) -> None:
    """R01"""
    assert send(office, of_size(MOST_BYTES)).status_code == 201
    assert send(office, of_size(MOST_BYTES + 1)).status_code == 413


def test_what_comes_is_counted_not_what_is_announced(office: Office) -> None:
    """R01"""

    def drip() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * (MOST_BYTES // 16)

    answer = send(office, drip())
    assert "Content-Length" not in answer.request.headers
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:mash:problem:too-large")


def test_too_much_is_refused_before_anybody_asks_who_sends_it(office: Office) -> None:
    """R01"""
    answer = office.client.post("/api/v1/referrals", content=b"x" * (MOST_BYTES + 1), headers=JSON)
    assert answer.status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_only_json_is_read(office: Office, kind: str) -> None:
    """R01"""
    assert send(office, b"{}", {"Content-Type": kind}).status_code == 415


def test_json_may_name_its_character_set(office: Office) -> None:
    """R01"""
    body = json.dumps(a_referral(CHILD))
    assert send(office, body, {"Content-Type": "Application/JSON; charset=utf-8"}).status_code == 201


def test_acts_without_a_document_take_none_or_an_empty_one(office: Office) -> None:
    """R13"""
    for content, status in ((b"", 200), (b"{}", 200), (b'{"actor": "x"}', 422), (b"[]", 422)):
        path = f"/referrals/{office.refer_and_ask(CHILD)}/discuss-now"
        answer = office.ask("MASH_SUPPORT", "POST", path, content=content, headers=JSON)
        assert answer.status_code == status, content
