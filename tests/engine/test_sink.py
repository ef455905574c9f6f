"""The mail sink keeps what it is handed, twice if it is handed it twice."""

from __future__ import annotations

import asyncio
import smtplib
from email.message import EmailMessage
from pathlib import Path

import apprise
import pytest
from aiosmtpd.smtp import Envelope

from engine.sink import Keeper
from engine.stack import Stack


def _message(message_id: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "mash@mash.localhost", "duty@team.localhost", "A reference"
    message["Message-ID"] = message_id
    message.set_content("Please look at the portal.")
    return message


def _send(stack: Stack, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", stack.ports.smtp, timeout=10) as server:
        server.send_message(message)


def _kept(stack: Stack, message_id: str) -> list[Path]:
    return sorted(file for file in (stack.home / "mail").glob("*.eml") if message_id in file.read_text())


def test_the_same_message_received_twice_is_two_files_with_one_digest_in_order_of_arrival(engine_stack: Stack):
    for _ in range(2):
        _send(engine_stack, _message("<twice@mash.localhost>"))
    first, second = _kept(engine_stack, "<twice@mash.localhost>")
    assert first.stem.split("-")[2] == second.stem.split("-")[2]
    assert first.name < second.name


def test_a_message_keeps_the_address_it_was_really_handed_over_for(engine_stack: Stack):
    _send(engine_stack, _message("<envelope@mash.localhost>"))
    (file,) = _kept(engine_stack, "<envelope@mash.localhost>")
    assert "X-Mash-Envelope-To: duty@team.localhost" in file.read_text()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise looks for it
def test_the_stacks_own_mail_address_works_in_apprise(engine_stack: Stack):
    channel = apprise.Apprise()
    assert channel.add(f"{engine_stack.environment()['MASH_MAIL_URL']}&to=duty%40team.localhost")
    assert channel.notify(body="By way of Apprise.", title="A reference")
    assert any("By way of Apprise." in file.read_text() for file in (engine_stack.home / "mail").glob("*.eml"))


def test_nothing_half_written_bears_the_name_of_a_message(engine_stack: Stack):
    _send(engine_stack, _message("<whole@mash.localhost>"))
    assert not list((engine_stack.home / "mail").glob("*.part"))


@pytest.mark.parametrize(
    ("address", "answer"),
    [("gone@team.localhost", "550"), ("GONE@team.localhost", "550"), ("duty@team.localhost", "250")],
)
def test_an_address_that_is_to_be_refused_is_refused(tmp_path: Path, address: str, answer: str):
    keeper = Keeper(tmp_path, frozenset({"gone@team.localhost"}))
    said = asyncio.run(keeper.handle_RCPT(None, None, Envelope(), address, []))  # type: ignore[arg-type]
    assert said.startswith(answer)
