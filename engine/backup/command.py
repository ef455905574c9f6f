"""The commands `mash backup` and `mash restore`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer

from engine.command_line import DEFAULT_HOME, OF_THE_RECORD, Home, take_settings
from rules.errors import Refused

_NEEDED = (*OF_THE_RECORD, "MASH_OWNER_DATABASE_URL")


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write. It must not be there yet.")],
    home: Home = DEFAULT_HOME,
) -> None:
    """Write the whole record to one encrypted file, and read it back to its end. The hub may run meanwhile.

    The keys are not in it: keep the home folder's secrets.json, or your key files, in another place.
    """
    take_settings(home, _NEEDED)
    from engine.backup.keeping import keep, sealing_keys  # noqa: PLC0415 -- --help must not wait for these imports

    began = time.monotonic()
    made = keep(file, os.environ["MASH_OWNER_DATABASE_URL"], sealing_keys(home))
    typer.echo(
        f"{file}: {file.stat().st_size} bytes, {made.chains} referrals as of {made.made_at:%d %b %Y %H:%M:%S} UTC, "
        f"written and read back in {time.monotonic() - began:.1f} s."
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `mash backup` wrote.")],
    home: Home = DEFAULT_HOME,
    database_port: Annotated[int, typer.Option(help="Port of PostgreSQL; 0 for any free one.")] = 8432,
) -> None:
    """Fill an empty record from a backup: that of MASH_OWNER_DATABASE_URL, or of a new home folder with its keys.

    No letter leaves afterwards until an operator says `mash post release`.
    """
    from engine.backup.keeping import look, put_back, sealing_keys  # noqa: PLC0415
    from engine.ports import Ports  # noqa: PLC0415
    from engine.stack import PARTS, Stack  # noqa: PLC0415

    keys = sealing_keys(home)
    # Before anything is started or made.
    manifest = look(file, keys)
    began = time.monotonic()
    if owner := os.environ.get("MASH_OWNER_DATABASE_URL"):
        changed = put_back(file, owner, keys)
    else:
        ports = Ports(postgres=database_port, portal=0, prefect=0, smtp=0)
        with Stack(home, ports, without=[part for part in PARTS if part != "postgres"]) as stack:
            changed = put_back(file, stack.environment()["MASH_OWNER_DATABASE_URL"], keys)
    if changed:
        raise Refused(f"the ledger of {', '.join(changed)} is not as it was signed when the backup was made")
    typer.echo(
        f"{manifest.chains} referrals as of {manifest.made_at:%d %b %Y %H:%M:%S} UTC are back, each with its ledger as "
        f"it was signed, after {time.monotonic() - began:.1f} s.\n"
        "Start the hub (`mash up`), compare with the checkpoints (`mash ledger verify`), and let letters leave "
        "(`mash post release --send` or `--discard`): see docs/restore.md."
    )
