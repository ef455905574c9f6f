"""Strangers at the portal's door, in a process of their own: `python -m bench.strangers PORT SECONDS RATE SLOW`.

Nobody of them has signed in. Some ask as fast as told; others open a connection and say one more header line every few
seconds, for ever. Prints what they were answered, as JSON, by status.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress

ASKED = ("GET /sign-in", "GET /", "GET /api/v1/referrals", "POST /api/v1/referrals", "GET /r/7KQ2-XW9S", "GET /health")
#: Seconds between two header lines of a slow one.
DRIP = 3.0
PATIENCE = 20.0


async def main(port: int, seconds: float, rate: float, slow: int) -> None:
    """Strangers for so many seconds: so many requests a second, and so many connections that never end a request."""
    answers: Counter[str] = Counter()
    tasks = [asyncio.create_task(_dawdle(port, answers)) for _ in range(slow)]
    began, asked = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        for number in range(asked, int(passed * rate)):
            tasks.append(asyncio.create_task(_ask(port, ASKED[number % len(ASKED)], answers)))
        asked = int(passed * rate)
        await asyncio.sleep(0.005)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    sys.stdout.write(json.dumps(answers))


async def _ask(port: int, what: str, answers: Counter[str]) -> None:
    """One request on a connection of its own; nothing is waited for longer than a browser would."""
    method, _, path = what.partition(" ")
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            line = (await reader.readline()).split()
            await reader.read()
            writer.close()
        answers[line[1].decode() if len(line) > 1 else "nothing"] += 1
    except (OSError, TimeoutError):
        answers["no answer"] += 1
    except asyncio.CancelledError:
        answers["no answer before the end"] += 1
        raise


async def _dawdle(port: int, answers: Counter[str]) -> None:
    """A slow one: comes again whenever the portal hangs up."""
    while True:
        answers["slow connections"] += 1
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode())
                while True:
                    await asyncio.sleep(DRIP)
                    writer.write(b"X-Slow: 1\r\n")
                    await writer.drain()
            finally:
                writer.close()
        await asyncio.sleep(DRIP)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
