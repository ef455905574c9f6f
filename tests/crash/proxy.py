"""A wire to PostgreSQL that can be cut over a commit: just before it is passed on, or just after it was done (F9)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_COMMIT = b"COMMIT"
_PATIENCE = 10.0


class Wire:
    """Passes bytes between clients and a server on this machine.

    `cut_over` says where the next commit is cut, and is forgotten then: "before" it reaches the server, or "after" the
    server has done it. Its sender hears nothing in either case.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.cut_over: str | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """No more connections."""
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                _Line(self, client, server)


class _Line:
    """One connection through the wire."""

    def __init__(self, wire: Wire, client: socket.socket, server: socket.socket) -> None:
        self._wire, self._client, self._server = wire, client, server
        self._silent, self._answered = threading.Event(), threading.Event()
        self._ways = [threading.Thread(target=self._go, args=(way,)) for way in (self._outward, self._inward)]
        threading.Thread(target=self._live, daemon=True).start()

    def _live(self) -> None:
        with self._client, self._server:
            for way in self._ways:
                way.start()
            for way in self._ways:
                way.join()

    def _go(self, way: Callable[[], None]) -> None:
        with suppress(OSError):
            way()
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _outward(self) -> None:
        while data := self._client.recv(65536):
            if _COMMIT in data and (where := self._wire.cut_over):
                self._cut(data, where)
                return
            self._server.sendall(data)

    def _inward(self) -> None:
        while data := self._server.recv(65536):
            if self._silent.is_set():
                self._answered.set()
                return
            self._client.sendall(data)

    def _cut(self, commit: bytes, where: str) -> None:
        self._silent.set()
        self._wire.cut_over, self._wire.cuts = None, self._wire.cuts + 1
        if where == "after":
            self._server.sendall(commit)
            self._answered.wait(_PATIENCE)


@contextmanager
def wire_to(server_port: int) -> Iterator[Wire]:
    """A wire for as long as the block lasts."""
    wire = Wire(server_port)
    try:
        yield wire
    finally:
        wire.close()
