"""`make crash`: the scenario pack played in storms until enough kills were survived, and a report of it.

    python -m tests.crash.campaign --kills 200 [--seed S] [--minutes 28] [--trials N]

Trial N of seed S draws its scenarios and its strikes from "S/N": a failed trial is replayed by `--only S/N`.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from models.settings import HOUSE
from tests.crash import report
from tests.crash.nemesis import Nemesis, is_kill
from tests.crash.trial import Scene, storm
from tests.hub import running_hub
from tests.scenarios.pack import PACK

AT_ONCE = 6
KILLS_A_TRIAL = 67
PAUSE, BURST, CALM = (0.2, 1.5), 6, (3.0, 6.0)
LONGEST_SILENCE = 13.0


def main() -> int:
    """Read the command line, run trials, write the report; 0 only when nothing was violated and nothing failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description="Crash trials, long form.")
    parser.add_argument("--kills", type=int, default=200, help="go on until so many processes were killed")
    parser.add_argument("--minutes", type=float, default=28, help="begin no trial after so many minutes")
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--only", help="replay one trial, by its seed")
    parser.add_argument("--results", type=Path, help="folder for crash.json and crash.md; none for a replay")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    with tempfile.TemporaryDirectory(prefix="mash-crash-") as folder:
        Path(folder).chmod(0o711)
        os.environ["MASH_PROFILE"] = str(impatient_profile(Path(folder)))
        say(f"seed {asked.seed}; starting a hub")
        with running_hub(Path(folder)) as (stack, hub):
            return Campaign(Scene(stack, hub, Path(folder) / "told"), asked).run()


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)


def impatient_profile(folder: Path) -> Path:
    """The area's profile, but mail is tried again after seconds: minutes of an outage are played in seconds."""
    area = (HOUSE / "profiles" / "bnes.toml").read_text()
    changes = {
        'version = "bnes-2026.9"': 'version = "bnes-2026.9-impatient"',
        "attempts_per_channel = 4": "attempts_per_channel = 50",
        "retry_after_seconds = [10, 60, 300]": "retry_after_seconds = [1, 2, 3]",
    }
    for found, instead in changes.items():
        if found not in area:
            raise ValueError(f"bnes.toml has no line {found!r} any more")
        area = area.replace(found, instead)
    (folder / "impatient.toml").write_text(area)
    (folder / "codes.toml").write_text((HOUSE / "profiles" / "codes.toml").read_text())
    return folder / "impatient.toml"


class Campaign:
    """Trials on one hub, one after another."""

    def __init__(self, scene: Scene, asked: argparse.Namespace) -> None:
        self._scene, self._asked = scene, asked
        self._began, self._at = time.monotonic(), datetime.now(UTC)
        self.struck: Counter[str] = Counter()
        self.trials: list[dict[str, object]] = []
        self.verdict = ""

    @property
    def kills(self) -> int:
        """Deaths so far, in all trials."""
        return sum(times for kind, times in self.struck.items() if is_kill(kind))

    def run(self) -> int:
        """Trial after trial; the report is written after each, so that an interrupted campaign has one too."""
        seeds = [self._asked.only] if self._asked.only else (f"{self._asked.seed}/{n}" for n in range(1, 10_000))
        for seed in seeds:
            if self.kills >= self._asked.kills or self._minutes() > self._asked.minutes:
                break
            self._trial(seed)
        bad = [trial for trial in self.trials if trial["trouble"] or trial["violations"]]
        say(f"{self.verdict}\n{len(self.trials)} trials, {len(bad)} with trouble, {self._minutes():.1f} minutes")
        return 1 if bad else 0

    def _minutes(self) -> float:
        return (time.monotonic() - self._began) / 60

    def _trial(self, seed: str) -> None:
        scenarios = random.Random(seed).sample(PACK, AT_ONCE)
        say(f"trial {seed} ({self.kills} kills, {self._minutes():.1f} min): {', '.join(s.__name__ for s in scenarios)}")
        most = min(KILLS_A_TRIAL, self._asked.kills - self.kills)
        began = time.monotonic()

        def strike(nemesis: Nemesis) -> None:
            nemesis.longest = LONGEST_SILENCE
            # Deaths three times as often as silences.
            kinds = [kind for kind in nemesis.kinds for _ in range(1 + 2 * is_kill(kind))]
            nemesis.rage(kinds, pause=PAUSE, burst=BURST, calm=CALM, most_kills=most)

        played, nemesis = storm(self._scene, scenarios, seed, strike=strike, say=say)
        self.struck += nemesis.struck
        figures = (
            "--trials",
            len(self.trials) + 1,
            "--kills",
            self.kills,
            "--seed",
            self._asked.only or self._asked.seed,
        )
        judged = self._scene.judge(*map(str, figures))
        self.verdict, *violations = judged.stdout.splitlines() or [f"the checker failed: {judged.stderr[-2000:]}"]
        trouble = [f"{each.name} ({each.reference}): {each.trouble}" for each in played if each.trouble]
        self.trials.append({
            "seed": seed, "scenarios": [each.name for each in played], "struck": dict(nemesis.struck),
            "seconds": round(time.monotonic() - began, 1), "trouble": trouble, "violations": violations,
            "referrals": [each.reference for each in played],
        })  # fmt: skip
        say("\n".join(["  " + self.verdict, *(f"  ! {line}" for line in [*trouble, *violations])]))
        if self._asked.results:
            report.write(self._asked.results, self._results())

    def _results(self) -> report.Results:
        return report.Results(
            at=self._at.isoformat(timespec="minutes"),
            seed=self._asked.seed,
            minutes=round(self._minutes(), 1),
            verdict=self.verdict,
            struck=dict(sorted(self.struck.items())),
            kills=self.kills,
            ends=report.ends(self._scene.folder / "journal.jsonl"),
            trials=self.trials,
        )


if __name__ == "__main__":
    sys.exit(main())
