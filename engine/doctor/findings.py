"""What the doctor finds, one line each: how it stands, what was seen, and what mends it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Health(StrEnum):
    """OK: nothing to do. WARN: somebody should look soon. FAIL: something does not work, or will not hold."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


class Finding(BaseModel):
    """One thing that was looked at. Names codes, files and addresses of machines, never a person (R73)."""

    model_config = ConfigDict(frozen=True)

    what: str
    health: Health
    says: str
    mend: str | None = Field(default=None, description="The command to type, or what to change; null when all is well")

    def in_words(self) -> str:
        """For a terminal."""
        line = f"{self.health:<5} {self.what:<13} {self.says}"
        return f"{line}\n{'':19} mend: {self.mend}" if self.mend else line


def well(what: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(what=what, health=Health.OK, says=says)


def warn(what: str, says: str, mend: str) -> Finding:
    """Somebody should look soon."""
    return Finding(what=what, health=Health.WARN, says=says, mend=mend)


def fail(what: str, says: str, mend: str) -> Finding:
    """Something does not work, or will not hold."""
    return Finding(what=what, health=Health.FAIL, says=says, mend=mend)


def worst(findings: Sequence[Finding]) -> Health:
    """How the hub stands as a whole."""
    return max((finding.health for finding in findings), key=list(Health).index, default=Health.OK)


def in_words(findings: Sequence[Finding]) -> str:
    """All findings, and how many want a hand."""
    counted = {health: sum(finding.health is health for finding in findings) for health in Health}
    return "\n".join(
        [
            *(finding.in_words() for finding in findings),
            f"{counted[Health.FAIL]} failed, {counted[Health.WARN]} to look at, {counted[Health.OK]} well.",
        ]
    )
