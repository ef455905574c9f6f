"""Where a request comes from, so that guesses from one place can be counted (S-11).

A header says what its sender likes. `X-Forwarded-For` counts only as far back as proxies of the site's own wrote it.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from fastapi import Request

from models.settings import settings
from rules.errors import Misconfigured

#: One household or office has a whole network of this size in IPv6: its addresses are one place.
_HOUSEHOLD = 64


def place_of(request: Request) -> str:
    """The network address that a request comes from, seen past the site's own proxies; empty when there is none."""
    here = _address(request.client.host if request.client else "")
    if here is None:
        return ""
    hops = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    while _is_own_proxy(here) and hops:
        before = _address(hops.pop().strip())
        if before is None:
            break
        here = before
    return str(ip_network((here, _HOUSEHOLD), strict=False)) if here.version == 6 else str(here)


def _is_own_proxy(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _networks(settings().trusted_proxies))


@lru_cache(maxsize=4)
def _networks(listed: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in listed.split(",") if part.strip())
    except ValueError as error:
        raise Misconfigured(f"MASH_TRUSTED_PROXIES: {error}") from None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
