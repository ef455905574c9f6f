"""A token stands for one account, until it is revoked or the account is disabled."""

from __future__ import annotations

import hashlib

import pytest

from casework.accounts import actor_of, add_account, issue_token
from models.account import Account
from rules.errors import NotFound
from rules.permissions import Role
from tests.casework.factory import ASKED, DECIDER, OPERATOR, account_of, act, duty, rep


@pytest.mark.parametrize("actor", [DECIDER, OPERATOR, duty(), rep("POLICE")], ids=lambda actor: actor.id)
def test_a_token_stands_for_its_account_whole(actor):
    """R47, R48"""
    token = act(issue_token, actor.id, at=ASKED)
    assert act(actor_of, token) == actor


def test_only_the_digest_of_a_token_is_kept(record):
    token = act(issue_token, "decider", at=ASKED)
    assert record.ask("SELECT digest FROM api_token") == [(hashlib.sha256(token.encode()).hexdigest(),)]
    [(stored,)] = record.ask("SELECT string_agg(t::text, '') FROM api_token t")
    assert token.removeprefix("mash_") not in stored


def test_tokens_are_long_random_and_never_the_same():
    tokens = {act(issue_token, "decider", at=ASKED) for _ in range(20)}
    assert len(tokens) == 20
    assert all(len(token) >= 43 for token in tokens)


@pytest.mark.parametrize(
    "spoil", [lambda t: "", lambda t: t[:-1], lambda t: t + "x", lambda t: t.upper(), lambda t: "é"]
)
def test_any_other_text_stands_for_nobody(spoil):
    token = act(issue_token, "decider", at=ASKED)
    assert act(actor_of, spoil(token)) is None


def test_a_revoked_token_stands_for_nobody_and_the_others_go_on(record):
    """S-8"""
    one, two = (act(issue_token, "decider", at=ASKED) for _ in range(2))
    with record.as_app() as connection:
        digest = hashlib.sha256(one.encode()).hexdigest()
        connection.execute("UPDATE api_token SET revoked_at = now() WHERE digest = %s", [digest])
    assert act(actor_of, one) is None
    assert act(actor_of, two) == DECIDER


def test_all_tokens_of_a_disabled_account_stand_for_nobody(record):
    """S-8"""
    token = act(issue_token, "decider", at=ASKED)
    with record.as_app() as connection:
        connection.execute("UPDATE account SET disabled_at = now() WHERE id = 'decider'")
    assert act(actor_of, token) is None


def test_the_hub_itself_never_signs_in(record):
    """R36"""
    act(add_account, Account(id="HUB", role=Role.HUB, is_person=False, added_at=ASKED))
    token = act(issue_token, "HUB", at=ASKED)
    assert act(actor_of, token) is None


def test_nobody_has_a_token_without_an_account():
    with pytest.raises(NotFound):
        act(issue_token, "nobody", at=ASKED)


def test_adding_an_account_again_leaves_it_as_it_is():
    """S-9: nobody gains the MASH profile by being added twice"""
    more = account_of(OPERATOR, ASKED)
    more.role, more.mash_profile = Role.DECISION_MAKER, True
    act(add_account, more)
    assert act(actor_of, act(issue_token, "operator", at=ASKED)) == OPERATOR
