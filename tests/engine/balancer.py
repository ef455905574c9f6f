"""A load balancer of sixty lines: gives each new connection to a server that answers, in turn."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Sequence
from itertools import count


class Balancer:
    """Listens on a port of loopback for as long as it is open; `served` counts connections by the port they went to."""

    def __init__(self, port: int, behind: Sequence[int]) -> None:
        self.served: Counter[int] = Counter()
        self._behind = list(behind)
        self._turn = count()
        self._ear = socket.create_server(("127.0.0.1", port), backlog=128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._ear.shutdown(socket.SHUT_RDWR)
        self._ear.close()

    def _accept(self) -> None:
        while True:
            try:
                visitor, _ = self._ear.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(visitor,), daemon=True).start()

    def _serve(self, visitor: socket.socket) -> None:
        server = self._reach()
        if server is None:
            visitor.close()
            return
        for one, other in ((visitor, server), (server, visitor)):
            threading.Thread(target=_carry, args=(one, other), daemon=True).start()

    def _reach(self) -> socket.socket | None:
        first = next(self._turn)
        for step in range(len(self._behind)):
            port = self._behind[(first + step) % len(self._behind)]
            try:
                server = socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError:
                continue
            server.settimeout(None)
            self.served[port] += 1
            return server
        return None


def _carry(one: socket.socket, other: socket.socket) -> None:
    try:
        while said := one.recv(65536):
            other.sendall(said)
    except OSError:
        pass
    finally:
        for end in (one, other):
            end.close()
