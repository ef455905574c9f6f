"""PostgreSQL's own programs that read a whole database and fill an empty one."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import IO, Any, cast

import psycopg

from engine.databases import plain
from engine.postgres import binaries
from rules.errors import Unavailable

_PIECE = 1 << 18


def dump(owner_url: str) -> Iterator[bytes]:
    """The whole database as `pg_dump` writes it, compressed. Raises Unavailable with its last sentence."""
    # The wall of the tables stands before their owner too, who sees every row.
    with _started("pg_dump", owner_url, "--format=custom", "--enable-row-security") as process:
        complaint = _Complaint(process)
        yield from iter(lambda: cast(IO[bytes], process.stdout).read(_PIECE), b"")
        complaint.raise_if_any()


def restore(owner_url: str, content: Iterable[bytes]) -> None:
    """Fill an empty database, all or nothing. Raises Unavailable, and whatever `content` raises."""
    _feed(_started("pg_restore", owner_url, "--exit-on-error", "--single-transaction"), content)


def check(content: Iterable[bytes]) -> None:
    """Read a dump to its end, as a restore would, and do nothing with it. Raises Unavailable when it is none."""
    command = [str(binaries() / "pg_restore"), f"--file={os.devnull}"]
    _feed(_popen(command, {}), content)


def _feed(process: subprocess.Popen[bytes], content: Iterable[bytes]) -> None:
    with process:
        complaint, mouth = _Complaint(process), cast(IO[bytes], process.stdin)
        try:
            for piece in content:
                mouth.write(piece)
        except BrokenPipeError:
            # It stopped on its own account, and says why.
            pass
        except BaseException:
            process.kill()
            raise
        finally:
            with suppress(BrokenPipeError):
                mouth.close()
        complaint.raise_if_any()


def _started(program: str, owner_url: str, *options: str) -> subprocess.Popen[bytes]:
    address: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(plain(owner_url))
    secret = {"PGPASSWORD": str(address.pop("password"))} if "password" in address else {}
    where = psycopg.conninfo.make_conninfo(**address)
    return _popen([str(binaries() / program), *options, "--no-password", "--dbname", where], secret)


def _popen(command: list[str], secret: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 -- a command of our own
        command,
        env={"PATH": os.defpath, "LC_ALL": "C", **secret},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class _Complaint:
    """What a program says is wrong, gathered beside its work so that it is never held up."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process, self._told = process, b""
        self._thread = threading.Thread(target=self._gather, args=(cast(IO[bytes], process.stderr),))
        self._thread.start()

    def _gather(self, source: IO[bytes]) -> None:
        self._told = source.read()

    def raise_if_any(self) -> None:
        """Raises Unavailable when the program ended badly. Only its first line: a later one may hold a row."""
        code = self._process.wait()
        self._thread.join()
        if code:
            first = self._told.decode(errors="replace").strip().partition("\n")[0]
            raise Unavailable(first or f"a program of PostgreSQL ended with {code}")
