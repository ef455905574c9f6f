"""What the doctor sees without the record: packages, disk, keys, and the doors to other machines."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from cryptography import x509

from casework.checkpoints import signing_key
from engine.doctor.findings import Finding, fail, warn, well
from models.keyring import keyring
from models.profile import load_profile
from models.settings import settings
from rules.errors import Misconfigured

PATIENCE = 5.0
#: So long before a certificate runs out somebody is warned: time enough for a council's change board.
CERTIFICATE_AHEAD = timedelta(days=21)
#: PostgreSQL stops altogether on a full disk.
LEAST_MEGABYTES = 256
_PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^;\s]+)")
_MAIL_PORTS = {"mailto": 25, "mailtos": 587}


def packages() -> Finding:
    """Whether the installed packages are those that this release was tried with."""
    required = importlib.metadata.requires("mash") or []
    pinned = {found[1]: found[2] for line in required if (found := _PINNED.match(line))}
    other = sorted(f"{name} {there}" for name, wanted in pinned.items() if (there := _installed(name)) != wanted)
    if other:
        return warn(
            "packages",
            f"Not the versions that this release was tried with: {', '.join(other)}.",
            "pip install --require-hashes -r requirements.lock",
        )
    return well(
        "packages", f"mash {_installed('mash')} on Python {platform.python_version()}; each is the pinned version."
    )


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "is missing"


def disk(home: Path, wanted: int) -> Finding:
    """Whether the disk of the home folder has so many megabytes left."""
    free = free_bytes(home) >> 20
    says = f"{free} MB are free where {home} is."
    if free < LEAST_MEGABYTES:
        return fail("disk", says, f"make room: below {LEAST_MEGABYTES} MB the record may stop")
    if free < wanted:
        return warn("disk", says, f"make room, or move {home} to a larger disk: {wanted} MB are wanted")
    return well("disk", says)


def free_bytes(home: Path) -> int:
    """What is left on the disk of the home folder; of this folder, where a site keeps everything elsewhere."""
    return shutil.disk_usage(home if home.is_dir() else Path()).free


def keys() -> Finding:
    """Whether the keys are there, and for nobody else to read (R51)."""
    try:
        ring = keyring()
        signing_key()
    except (Misconfigured, ValueError, OSError) as trouble:
        return fail("keys", f"{trouble}.", "set it, or put its file back from a backup (docs/restore.md)")
    for file in filter(None, (settings().key_file, settings().signing_key_file)):
        if file.stat().st_mode & 0o077:
            return fail("keys", f"{file}: other accounts of this machine may read it.", f"chmod 600 {file}")
    return well("keys", f"{len(ring.ciphers)} open what is sealed; {ring.newest.hex()} seals.")


def profile() -> Finding:
    """Whether the area's profile can be used."""
    file = settings().profile
    try:
        return well("profile", f"{file.name} is version {load_profile(file).version}.")
    except (Misconfigured, OSError) as trouble:
        return fail("profile", f"{str(trouble).splitlines()[0]}", f"mash profile check {file}")


def certificates(at: datetime) -> Iterator[Finding]:
    """Of each address that is reached by https: until when its certificate holds. `at` is this machine's time."""
    for address in filter(None, (settings().portal_url, settings().oidc_issuer)):
        parts = urlsplit(address)
        if parts.scheme == "https" and parts.hostname:
            yield _certificate(parts.hostname, parts.port or 443, at)


def _certificate(host: str, port: int, at: datetime) -> Finding:
    where = f"{host}:{port}"
    try:
        # Read, not believed: one that has run out is to be read too.
        seen = ssl.get_server_certificate((host, port), timeout=PATIENCE)
        until = x509.load_pem_x509_certificate(seen.encode()).not_valid_after_utc
    except (OSError, ValueError) as trouble:
        return fail(
            "certificate", f"{where} shows none ({type(trouble).__name__}).", f"see why {where} does not answer"
        )
    if until <= at:
        return fail("certificate", f"That of {where} ran out on {until:%d %b %Y}.", f"renew the certificate of {where}")
    says = f"That of {where} holds until {until:%d %b %Y}."
    if until - at < CERTIFICATE_AHEAD:
        return warn("certificate", says, f"renew the certificate of {where}")
    return well("certificate", says)


def mail() -> Finding:
    """Whether the mail server answers as one. The address of no person is used."""
    given = settings().mail_url
    parts = urlsplit(given.get_secret_value()) if given else SplitResult("", "", "", "", "")
    if parts.scheme not in _MAIL_PORTS or not parts.hostname:
        return fail("mail", "No mail server is named.", "set MASH_MAIL_URL to mailto://host:port?from=…")
    try:
        port = parts.port or _MAIL_PORTS[parts.scheme]
    except ValueError:
        return fail("mail", "The port of MASH_MAIL_URL is no number.", "set MASH_MAIL_URL to mailto://host:port?from=…")
    where = f"{parts.hostname}:{port}"
    if _greets(parts.hostname, port, in_tls="mode=ssl" in parts.query):
        return well("mail", f"{where} greets as a mail server.")
    return fail("mail", f"{where} does not greet as a mail server.", "start it, or set MASH_MAIL_URL to the one in use")


def _greets(host: str, port: int, *, in_tls: bool) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=PATIENCE) as line:
        if not in_tls:
            return line.recv(3) == b"220"
        with ssl.create_default_context().wrap_socket(line, server_hostname=host) as wrapped:
            return wrapped.recv(3) == b"220"
    return False
