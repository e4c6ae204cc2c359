"""GET requests over plain HTTP for conditions that a test polls.

A default client of httpx loads the CA certificates of the machine, which takes 40 ms of CPU; these do not.
"""

from typing import Any

import httpx


def get(url: str, **more: Any) -> httpx.Response:
    """The response. Blocks; raises httpx.TransportError if no server answers."""
    return httpx.get(url, verify=False, trust_env=False, **more)


async def get_async(url: str) -> httpx.Response:
    """`get` for a test with an event loop."""
    async with httpx.AsyncClient(verify=False, trust_env=False) as http:
        return await http.get(url)
