"""An ASGI application on a real port, in the event loop of the test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI

from motcua.local.embedded.ports import free_port
from tests.support.waiting import eventually


class _Server(uvicorn.Server):
    """A server that installs no signal handlers, because pytest has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(app: FastAPI, port: int | None = None) -> AsyncIterator[str]:
    """Serve `app` on loopback inside the context; yields the base URL."""
    port = port or free_port()
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started or task.done(), within=10)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
