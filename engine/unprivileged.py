"""PostgreSQL refuses to run as root: whom it runs as then, and whether that account can reach what it needs."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from rules.errors import Misconfigured


class PopenAccount(TypedDict, total=False):
    """The part of subprocess.Popen's arguments that changes the account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An operating-system account without privileges."""

    name: str
    user: int
    group: int

    def as_popen(self) -> PopenAccount:
        """For subprocess.Popen, which changes the account in the child only."""
        return {"user": self.user, "group": self.group, "extra_groups": []}


def choose() -> Account | None:
    """`postgres`, else `nobody`, when we are root; None when we are an ordinary user and simply run.

    Raises Misconfigured when root finds neither account.
    """
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise Misconfigured("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody': add one.")


def require_access(account: Account, *paths: Path) -> None:
    """Raises Misconfigured naming the first folder on the way to one of these paths that the account may not enter."""
    for path in paths:
        for folder in reversed(path.resolve().parents if path.is_file() else [path, *path.resolve().parents]):
            if not _may_enter(account, folder):
                raise Misconfigured(
                    f"PostgreSQL does not run as root, and the account {account.name!r} it runs as may not enter "
                    f"{folder}: put the home folder and this installation where every user may go "
                    f"(or chmod a+x {folder}), or start as an ordinary user."
                )


def _may_enter(account: Account, folder: Path) -> bool:
    facts = folder.stat()
    if facts.st_uid == account.user:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid == account.group:
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)
