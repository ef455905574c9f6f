"""One letter to one recipient through a real SMTP server, and the truth about how it went."""

from __future__ import annotations

import socket

import pytest

from engine.ports import LOOPBACK
from notifications import letter
from notifications.channels import SCHEMES, check_address, send
from notifications.letter import Outcome
from notifications.messages import Fields, MessageName, Text, write
from rules.errors import Misconfigured
from tests.notifications.post import SENDER, Postman

DUTY = "duty@children.bnes.example"
TEXT = Text("7KQ2-XW9S: the outcome is ready", "Please read it in the portal.\n")
MESSAGE_ID = "<11111111-2222-3333-4444-555555555555@mash.invalid>"

PERFIDIOUS = [
    "a@x&cc=evil@y",
    "a@x.example&cc=evil@y.example",
    "a@x.example&bcc=evil@y.example",
    "a@x.example?cc=evil@y.example",
    "a@x.example,evil@y.example",
    "a@x.example, evil@y.example",
    "a@x.example;evil@y.example",
    "a@x.example evil@y.example",
    "a@x.example\nevil@y.example",
    "a@x.example\r\nBcc: evil@y.example",
    "a@x.example\r",
    "a@x.example%0aBcc:evil@y.example",
    "a@x.example%2Cevil@y.example",
    '"a,evil@y.example"@x.example',
    '"a b"@x.example',
    "a(comment)@x.example",
    "A <a@x.example>",
    "<a@x.example>",
    "a@b@x.example",
    "a@[127.0.0.1]",
    "a@x..example",
    "a@.example",
    "a..b@x.example",
    ".a@x.example",
    "@x.example",
    "a@",
    "a",
    "",
    " a@x.example",
    "a@x.example ",
    "a\x00@x.example",
    "dúty@x.example",
    "duty@bücher.example",
    "duty@b\u0456cher.example",  # a Cyrillic letter that looks Latin
    "a/b@x.example",
    "a@x.example/evil@y.example",
    "mailto:a@x.example",
    "a@localhost",
    "x" * 65 + "@x.example",
    "a@" + "x" * 250 + ".example",
]


def _send(postman: Postman, to: str = DUTY, text: Text = TEXT) -> Outcome:
    return send(text, to=to, message_id=MESSAGE_ID, mail_url=postman.url)


# --- to whom ---


def test_a_letter_has_exactly_one_recipient_on_the_envelope_and_in_the_headers(postman: Postman):
    """INV8, S-25"""
    assert _send(postman) is Outcome.SENT
    [envelope], [arrived] = postman.envelopes, postman.letters
    assert envelope.rcpt_tos == [DUTY]
    assert envelope.mail_from == SENDER
    assert [str(address) for address in arrived["To"].addresses] == [DUTY]
    assert [arrived[header] for header in ("Cc", "Bcc")] == [None, None]
    assert arrived["Subject"] == TEXT.subject
    assert arrived["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("address", PERFIDIOUS)
def test_an_address_that_could_mean_another_mailbox_is_refused_and_nothing_is_sent(postman: Postman, address):
    """S-25, reliability §0.6"""
    with pytest.raises(Misconfigured) as refusal:
        _send(postman, to=address)
    assert postman.envelopes == []
    assert "evil" not in str(refusal.value)


@pytest.mark.parametrize("address", [DUTY, "a.b+c_d-e'f@x-y.example", "x" * 64 + "@x.example"])
def test_a_plain_address_stays_what_it_is(address):
    assert check_address(address) == address


# --- the same letter ---


def test_the_message_id_is_the_same_at_each_attempt(postman: Postman):
    """INV7"""
    _send(postman)
    _send(postman)
    assert [arrived["Message-ID"] for arrived in postman.letters] == [MESSAGE_ID, MESSAGE_ID]
    assert all(len(arrived.get_all("Message-ID")) == 1 for arrived in postman.letters)


@pytest.mark.parametrize(
    "organisation", ["<script>alert(1)</script>", "<b>Bold</b> & Co", "Zoë's Trust", "A\u202eB", "`x` *y* _z_"]
)
def test_nothing_in_an_organisations_name_is_understood_as_markup(postman: Postman, organisation):
    """S-18"""
    fields = Fields("A hub", organisation, "7KQ2-XW9S", "http://portal.example/r/7KQ2-XW9S?a=1&b=2")
    _send(postman, text=write(MessageName.CHECK_REQUESTED, fields))
    [arrived] = postman.letters
    kinds = {part.get_content_type() for part in arrived.walk() if not part.is_multipart()}
    assert kinds == {"text/plain"}
    assert organisation in arrived.get_body().get_content()
    assert fields.link in arrived.get_body().get_content()


@pytest.mark.parametrize("subject", ["x\r\nBcc: evil@y.example", "x\nBcc: evil@y.example"])
def test_a_line_break_in_a_subject_is_refused_and_never_tried_again(postman: Postman, subject):
    """F16: no poison message, and no second recipient"""
    assert _send(postman, text=Text(subject, "Body.\n")) is Outcome.REFUSED
    assert postman.envelopes == []


# --- how it went ---


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({}, Outcome.SENT),
        ({"at_recipient": "550 5.1.1 No such mailbox"}, Outcome.REFUSED),
        ({"at_recipient": "553 Not here"}, Outcome.REFUSED),
        ({"at_recipient": "451 4.3.0 Later"}, Outcome.NOT_SENT),
        ({"at_recipient": "421 4.7.0 Too many"}, Outcome.NOT_SENT),
        ({"at_data": "451 4.3.0 Later"}, Outcome.NOT_SENT),
        ({"at_data": "554 5.7.1 Spam"}, Outcome.NOT_SENT),
        ({"hang_up": True}, Outcome.UNKNOWN),
    ],
    ids=str,
)
def test_the_outcome_is_what_is_known(postman: Postman, answers, outcome):
    """F13, F14, F15"""
    for name, value in answers.items():
        setattr(postman, name, value)
    assert _send(postman) is outcome
    assert bool(postman.envelopes) is (outcome in (Outcome.SENT, Outcome.UNKNOWN))


def test_a_server_that_is_down_has_sent_nothing():
    """F13"""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        url = f"mailto://{LOOPBACK}:{probe.getsockname()[1]}?from=a@x.example&mode=insecure"
        assert send(TEXT, to=DUTY, message_id=MESSAGE_ID, mail_url=url) is Outcome.NOT_SENT


def test_a_server_that_never_says_a_word_is_given_up_within_our_own_time(monkeypatch):
    """F14, F21"""
    monkeypatch.setattr(letter, "PATIENCE", 0.2)
    with socket.create_server((LOOPBACK, 0)) as silent:
        url = f"mailto://{LOOPBACK}:{silent.getsockname()[1]}?from=a@x.example&mode=insecure"
        assert send(TEXT, to=DUTY, message_id=MESSAGE_ID, mail_url=url) is Outcome.NOT_SENT


# --- by which door ---


@pytest.mark.parametrize("url", [None, "", "json://x.example", "gmail://x", "MAILTO//x", "://", "nonsense"])
def test_mail_goes_through_a_mail_server_or_not_at_all(url):
    """§4.8: every other scheme is a way out for data"""
    with pytest.raises(Misconfigured):
        send(TEXT, to=DUTY, message_id=MESSAGE_ID, mail_url=url)


@pytest.mark.parametrize(
    "url",
    [
        None, "", "json://127.0.0.1/x", "xml://127.0.0.1", "form://127.0.0.1", "discord://a/b", "slack://a/b/c",
        "tgram://a/b", "file:///etc/passwd", "syslog://", "dbus://", "http://127.0.0.1", "https://x.example",
        "Mailto-x://", "workflows", "workflowss://a",
    ],
)  # fmt: skip
def test_a_second_channel_has_an_allowed_scheme(monkeypatch, url):
    """§4.8"""
    if url is not None:
        monkeypatch.setenv("SECOND", url)
    with pytest.raises(Misconfigured) as refusal:
        send(TEXT, to="env:SECOND", message_id=MESSAGE_ID, mail_url="mailto://127.0.0.1:1?from=a@x.example")
    assert not url or url not in str(refusal.value)


def test_a_second_channel_in_the_environment_is_used(postman: Postman, monkeypatch):
    monkeypatch.setenv("SECOND", f"{postman.url}&to=second@x.example")
    assert send(TEXT, to="env:SECOND", message_id=MESSAGE_ID, mail_url=None) is Outcome.SENT
    [envelope] = postman.envelopes
    assert envelope.rcpt_tos == ["second@x.example"]


def test_few_schemes_are_allowed():
    """§4.8"""
    assert {"mailto", "mailtos", "workflows", "msteams"} == SCHEMES
