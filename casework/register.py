"""The area profile in the record: the one in force, and those that open referrals still live under (R70)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from models.agency import Agency, AreaProfile
from models.profile import Profile, load_profile
from models.referral import Referral
from models.settings import settings
from rules.errors import FieldError, Misconfigured, NotAcceptable


@cache
def current_profile() -> Profile:
    """The profile that new referrals begin under. Raises Misconfigured."""
    return load_profile(settings().profile)


def profile_of(session: Session, referral: Referral) -> Profile:
    """The profile that this referral began under, whatever has changed since (R32)."""
    return _profile_at(session, referral.profile_version)


def use_profile(session: Session, profile: Profile, at: datetime) -> None:
    """Register a profile version and its agencies. Registering twice changes nothing.

    Raises Misconfigured when its content changed but its version did not.
    """
    content = profile.model_dump(mode="json")
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    row = {"version": profile.version, "digest": digest, "content": content, "first_used_at": at}
    session.execute(insert(AreaProfile).values(row).on_conflict_do_nothing())
    agencies = [{"code": a.code, "kind": a.kind, "first_used_at": at} for a in profile.agencies]
    session.execute(insert(Agency).values(agencies).on_conflict_do_nothing())
    kept = session.get(AreaProfile, profile.version)
    if kept is None or kept.digest != digest:
        raise Misconfigured(
            f"profile version {profile.version} was used before with other content: give the changed one a new version"
        )


def codes_of(session: Session, referral: Referral, code_set: str) -> Mapping[str, str]:
    """A referral's codes of a set with their labels; of a set that is newer than its profile, those in force."""
    return profile_of(session, referral).codes.get(code_set) or current_profile().codes[code_set]


def check_code(code: str, code_set: str, pointer: str) -> None:
    """Refuse a code that is not of a set of the profile in force. Raises NotAcceptable for the field at `pointer`."""
    if code not in current_profile().codes[code_set]:
        raise NotAcceptable(FieldError(pointer, f"use a code of the set {code_set}"))


def label_of(session: Session, referral: Referral, code_set: str, code: str) -> str:
    """A code of such a set in words."""
    return codes_of(session, referral, code_set)[code]


def local_words(moment: datetime, profile: Profile) -> str:
    """A moment in the area's local time, as people write it: Fri 13 Mar 2026 16:30."""
    return moment.astimezone(profile.zone_info).strftime("%a %d %b %Y %H:%M")


def _profile_at(session: Session, version: str) -> Profile:
    if version == current_profile().version:
        return current_profile()
    kept = session.get(AreaProfile, version)
    if kept is None:
        raise Misconfigured(f"the record does not hold profile version {version}")
    return _parsed(version, json.dumps(kept.content))


@lru_cache(maxsize=16)
def _parsed(_version: str, content: str) -> Profile:
    return Profile.model_validate_json(content)
