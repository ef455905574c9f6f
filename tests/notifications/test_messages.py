"""A message says an organisation, a reference and a link, and can say nothing else."""

from __future__ import annotations

from dataclasses import fields

import jinja2
import pytest
from jinja2 import meta, nodes

from notifications import messages
from notifications.messages import TEMPLATES, Fields, MessageName, write

FIELDS = Fields(hub="A hub", organisation="An organisation", reference="7KQ2-XW9S", link="http://portal.example/r")
NAMES = {field.name for field in fields(Fields)}
#: Words that would tell a reader of somebody's inbox what a referral is about (R42, S-24: 0 outcome words).
TELLING = (
    "child", "adult", "mother", "abuse", "neglect", "threshold met", "strategy", "section 4", "withdrawn", "police",
    "clear concern", "no further action", "early help",
)  # fmt: skip


def _source(name: MessageName) -> str:
    return (TEMPLATES / f"{name}.txt").read_text()


def test_there_is_one_template_for_every_message_and_no_other():
    """Style: every message has a template"""
    assert {file.name for file in TEMPLATES.iterdir()} == {f"{name}.txt" for name in MessageName}


@pytest.mark.parametrize("name", MessageName)
def test_a_template_uses_the_fields_alone(name):
    """R42, R51: a message's fields are all it can say"""
    parsed = jinja2.Environment(autoescape=True).parse(_source(name))
    assert meta.find_undeclared_variables(parsed) <= NAMES
    # Nothing but a field is ever put in: no filter, no attribute, no call, no other template.
    outputs = [part for output in parsed.find_all(nodes.Output) for part in output.nodes]
    assert all(isinstance(part, nodes.TemplateData | nodes.Name) for part in outputs)
    assert {type(node) for node in parsed.body} == {nodes.Output}


@pytest.mark.parametrize("name", MessageName)
def test_a_message_is_one_line_of_subject_and_a_body_with_the_link(name):
    """R42"""
    text = write(name, FIELDS)
    assert text.subject
    assert len(text.subject.splitlines()) == 1
    of_no_referral = {MessageName.FEEDBACK_GIVEN, MessageName.MANY_OPENED, MessageName.CALENDAR_ENDS}
    assert (FIELDS.reference in text.subject) is (name not in of_no_referral)
    assert FIELDS.link in text.body
    assert text.body.endswith("\n")
    assert "{{" not in text.subject + text.body


@pytest.mark.parametrize("name", MessageName)
def test_a_message_tells_nothing_of_what_a_referral_is_about(name):
    """R42, R51, §4.4: 0 age-group, category and outcome words"""
    words = _source(name).lower()
    assert [word for word in TELLING if word in words] == []


def test_a_field_that_messages_do_not_have_is_an_error(tmp_path, monkeypatch):
    """StrictUndefined"""
    (tmp_path / "dissent.txt").write_text("{{ reference }}\n\n{{ child_name }}\n")
    monkeypatch.setattr(messages, "TEMPLATES", tmp_path)
    messages._environment.cache_clear()
    try:
        with pytest.raises(jinja2.UndefinedError):
            write(MessageName.DISSENT, FIELDS)
    finally:
        messages._environment.cache_clear()


def test_what_stands_in_a_field_is_not_a_template():
    """S-18: {{7*7}} stays literal"""
    text = write(MessageName.CHECK_REQUESTED, Fields("A hub", "{{7*7}} {% raw %}", "7KQ2-XW9S", "http://x"))
    assert "{{7*7}} {% raw %}" in text.body
