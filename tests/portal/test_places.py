"""Where a request comes from: the connection, or what the site's own proxies say, and nobody else (S-11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from starlette.requests import Request

from models.settings import settings
from portal.places import place_of
from rules.errors import Misconfigured
from tests.portal.office import Office
from tests.portal.people import Person, let_in

PROXIES = "10.0.0.0/24, 2001:db8:0:1::/64,127.0.0.1"
Trusting = Callable[[str], None]


@pytest.fixture
def trusting(record: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trusting]:
    def trust(networks: str) -> None:
        monkeypatch.setenv("MASH_TRUSTED_PROXIES", networks)
        settings.cache_clear()

    yield trust
    monkeypatch.undo()
    settings.cache_clear()


def asked(connection: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    client = (connection, 40000) if connection is not None else None
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("trusted", "connection", "forwarded", "place"),
    [
        ("", "198.51.100.7", [], "198.51.100.7"),
        ("", "198.51.100.7", ["203.0.113.1"], "198.51.100.7"),  # spoofed
        ("", "127.0.0.1", ["203.0.113.1"], "127.0.0.1"),  # loopback is no proxy unless the site says so
        (PROXIES, "198.51.100.7", ["203.0.113.1"], "198.51.100.7"),  # past the proxy, and spoofed
        (PROXIES, "10.0.0.5", ["203.0.113.1"], "203.0.113.1"),
        (PROXIES, "10.0.0.5", ["192.0.2.66, 203.0.113.1"], "203.0.113.1"),  # what the sender wrote comes first
        (PROXIES, "10.0.0.5", ["192.0.2.66", "203.0.113.1"], "203.0.113.1"),  # in a header of its own
        (PROXIES, "10.0.0.5", ["192.0.2.66, 203.0.113.1, 10.0.0.9"], "203.0.113.1"),  # two proxies in a row
        (PROXIES, "10.0.0.5", [], "10.0.0.5"),
        (PROXIES, "10.0.0.5", [""], "10.0.0.5"),
        (PROXIES, "10.0.0.5", ["203.0.113.1, unknown"], "10.0.0.5"),
        (PROXIES, "10.0.0.5", ["' OR 1=1"], "10.0.0.5"),
        (PROXIES, "2001:db8:0:1::9", ["2001:db8:7:8:1:2:3:4"], "2001:db8:7:8::/64"),
        ("", "2001:db8:7:8:9:9:9:9", [], "2001:db8:7:8::/64"),  # the next address of the same house
        ("", "::ffff:198.51.100.7", [], "198.51.100.7"),
        ("", "testclient", [], ""),
        ("", None, [], ""),
    ],
)
def test_a_place_is_the_connection_or_what_the_sites_own_proxy_saw(
    trusting: Trusting, trusted: str, connection: str | None, forwarded: list[str], place: str
):
    """S-11"""
    trusting(trusted)
    assert place_of(asked(connection, *forwarded)) == place


def test_a_network_that_is_none_is_named(trusting: Trusting):
    """R70"""
    trusting("10.0.0.0/24, the proxy")
    with pytest.raises(Misconfigured, match="MASH_TRUSTED_PROXIES: 'the proxy'"):
        place_of(asked("10.0.0.1"))


def test_a_spoofed_header_gives_no_more_guesses(office: Office):
    """S-11: a hundred and one guesses, each said to come from somewhere else"""
    let_in("POLICE")  # which also forgets what was counted before
    somebody = Person(office.client, "nobody")
    answers = [
        somebody.send(
            "/sign-in", {"email": f"{number}@people.example", "password": "no"},
            **{"X-Forwarded-For": f"198.51.100.{number}"},
        ).status_code
        for number in range(101)
    ]  # fmt: skip
    assert set(answers[:100]) == {422}
    assert answers[100] == 429
