"""GETs over plain HTTP for checks that are asked again and again.

A client of httpx's by itself reads the machine's certificates, 40 ms of CPU each time; these do without.
"""

from typing import Any

import httpx


def ask(url: str, **more: Any) -> httpx.Response:
    """The answer. Blocks; raises httpx.TransportError if no server answers."""
    return httpx.get(url, verify=False, trust_env=False, **more)


async def asked(url: str) -> httpx.Response:
    """The same for a test with an event loop."""
    async with httpx.AsyncClient(verify=False, trust_env=False) as http:
        return await http.get(url)
