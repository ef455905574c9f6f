"""A hub of the first release whose ledger is today's goes up to this one in the middle of its cases (R32, F28)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import migrations
from casework import agreements
from casework.checks import agencies_to_ask
from casework.ledger_check import verify
from casework.register import current_profile, profile_of
from engine.backup.programs import dump, restore
from engine.databases import RECORD_OWNER
from engine.trial import trial_agreement
from models.profile import Profile
from rules.stages import Stage
from tests.casework.factory import ADMINISTRATOR, ASKED, act, give_back, referral, walk
from tests.casework.test_deploy import NEXT
from tests.record import Record, forget_settings

#: The first step with chains that are never written anew: older ones it refuses.
FIRST = "0010"
#: Stages of then; what a profile of then did not say yet; and what was not known of a referral.
STAGES = [stage for stage in Stage if stage is not Stage.AWAITING_BASIS]
NOT_YET = ("legal_gate", "authority", "asking", "accounts")
OLD = "first-release"


@pytest.fixture
def begun(record: Record, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[Stage, str], str]]:
    """References by stage in a database as the first release left it, and its owner's URL."""
    at = {stage: walk(stage, sender_id=stage) for stage in STAGES}
    give_back(at[Stage.CHECKING], "POLICE")
    record.server.new_database("upgraded")
    owner = record.server.url(RECORD_OWNER, "upgraded")
    restore(owner, dump(record.server.url(RECORD_OWNER)))
    migrations.downgrade(owner, FIRST)
    with record.server.connect(RECORD_OWNER, "upgraded") as first:
        first.execute(
            "INSERT INTO area_profile (version, digest, content, first_used_at) SELECT %s, repeat('0', 64),"
            " jsonb_set(content - %s::text[], '{version}', to_jsonb(%s::text)), first_used_at FROM area_profile",
            (OLD, list(NOT_YET), OLD),
        )
        first.execute("UPDATE referral SET profile_version = %s", (OLD,))
        assert first.execute("SELECT to_regclass('sharing_agreement')").fetchone() == (None,)
    monkeypatch.setenv("MASH_DATABASE_URL", record.server.url("mash_app", "upgraded"))
    yield at, owner
    forget_settings()


def test_open_referrals_of_the_first_release_go_on_under_what_they_began_with(
    begun: tuple[dict[Stage, str], str],
) -> None:
    """R32, issue 7 item 5: the same stage, the profile of then, and a ledger that is whole to its end"""
    at, owner = begun
    migrations.upgrade(owner)
    forget_settings()
    assert act(verify).whole
    profile = current_profile()
    assert profile.version != OLD
    # The first release knew of none: an administrator enters it before anybody is asked (R55).
    act(agreements.add, trial_agreement(profile), profile, by=ADMINISTRATOR, at=ASKED)
    for stage, reference in at.items():
        found = referral(reference)
        assert (found.stage, found.profile_version) == (stage, OLD)
        then: Profile = act(profile_of, found)
        assert (then.version, then.legal_gate) == (OLD, None)
        for _ in Stage:
            if (now := referral(reference).stage) is not Stage.CLOSED:
                NEXT[now](reference)
        assert referral(reference).stage is Stage.CLOSED
        assert act(agencies_to_ask, reference) == [], stage
        assert referral(reference).profile_version == OLD
    assert act(verify).whole
