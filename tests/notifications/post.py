"""A real SMTP server on loopback that can misbehave in one way at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Thread
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, Envelope, Session

from engine.ports import LOOPBACK

SENDER = "no-reply@mash.bnes.example"


class Postman:
    """Keeps what it is handed. `at_recipient` and `at_data` are its answers; `hang_up` drops the line after DATA."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.at_recipient = "250 OK"
        self.at_data = "250 OK"
        self.hang_up = False
        self.port = 0

    @property
    def letters(self) -> list[EmailMessage]:
        """What arrived, oldest first."""
        return [message_from_bytes(bytes(envelope.content or b""), policy=default) for envelope in self.envelopes]

    @property
    def url(self) -> str:
        """The server as MASH_MAIL_URL."""
        return f"mailto://{LOOPBACK}:{self.port}?from={quote(SENDER)}&mode=insecure"

    async def handle_RCPT(  # noqa: N802 -- aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take a recipient, or do not."""
        if self.at_recipient.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.at_recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a letter, or do not, or take it and say nothing."""
        if self.at_data.startswith("2"):
            self.envelopes.append(envelope)
        if self.hang_up:
            server.transport.abort()
            await asyncio.sleep(0)
        return self.at_data


@contextmanager
def working_postman() -> Iterator[Postman]:
    """A postman at work, on a port and in a thread of its own."""
    postman, loop = Postman(), asyncio.new_event_loop()
    serve = loop.create_server(
        lambda: SMTP(postman, enable_SMTPUTF8=True, hostname="localhost", loop=loop), LOOPBACK, 0
    )
    server = loop.run_until_complete(serve)
    postman.port = server.sockets[0].getsockname()[1]
    thread = Thread(target=loop.run_forever, name="postman")
    thread.start()
    try:
        yield postman
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(timeout=10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    for connection in asyncio.all_tasks() - {asyncio.current_task()}:
        connection.cancel()
    await asyncio.sleep(0)
