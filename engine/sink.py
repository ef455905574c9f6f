"""A mail server for one machine: keeps each message it is handed as one file, and sends nothing anywhere.

`python -m engine.sink --port 8425 --folder .mash/mail`
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import itertools
import logging
import os
import signal
import time
from email import message_from_bytes
from email.policy import SMTP as SMTP_LINES
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.ports import LOOPBACK

LARGEST_MESSAGE = 2 * 1024 * 1024


class Keeper:
    """Stores what it is handed; the same message handed over twice is two files, since that is evidence."""

    def __init__(self, folder: Path, refused: frozenset[str] = frozenset()) -> None:
        self._folder = folder
        self._refused = refused
        self._count = itertools.count()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Refuse the addresses that are to be refused, take all others."""
        if address.lower() in self._refused:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer 250 only once the message is on the disk."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        header = f"X-Mash-Envelope-To: {', '.join(envelope.rcpt_tos)}\r\n".encode()
        await asyncio.to_thread(self._keep, header + raw)
        return "250 2.0.0 Kept"

    def _keep(self, raw: bytes) -> None:
        file = self._folder / self._file_name(raw)
        draft = file.with_suffix(".part")
        with draft.open("wb") as out:
            out.write(raw)
            out.flush()
            os.fsync(out.fileno())
        draft.rename(file)

    def _file_name(self, raw: bytes) -> str:
        """Sorts by arrival; two copies of one message share the digest of its Message-ID."""
        message_id = str(message_from_bytes(raw, policy=SMTP_LINES).get("Message-ID", "")).strip()
        digest = hashlib.sha256(message_id.encode()).hexdigest()[:16]
        return f"{time.time_ns():020d}-{next(self._count):06d}-{digest}.eml"


async def serve(port: int, folder: Path, refused: frozenset[str]) -> None:
    """Take mail on this loopback port until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    keeper = Keeper(folder, refused)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await loop.create_server(
        lambda: SMTP(keeper, data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True, hostname="localhost", loop=loop),
        LOOPBACK,
        port,
        reuse_address=True,
    )
    async with server:
        await stopping.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m engine.sink", description="Keeps mail as files, sends none.")
    parser.add_argument("--port", type=int, required=True, help="loopback port to listen on")
    parser.add_argument("--folder", type=Path, required=True, help="where the .eml files go")
    parser.add_argument("--refuse", action="append", default=[], metavar="ADDRESS", help="answer 550 for this one")
    asked = parser.parse_args()
    # Its information lines name recipients.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    asyncio.run(serve(asked.port, asked.folder, frozenset(address.lower() for address in asked.refuse)))


if __name__ == "__main__":
    main()
