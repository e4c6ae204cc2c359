"""The HTTP part of a service: its stop and its errors at the start."""

import asyncio
import socket
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from pydantic_settings import SettingsConfigDict

from shared.kernel.errors import StartError
from shared.runtime.settings import ServiceSettings
from shared.service.process import KEEP_ALIVE_SECONDS, http_part
from tests.support import eventually, free_port


class TrialSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TRIAL_")


def settings(port: int) -> TrialSettings:
    return TrialSettings(kafka_bootstrap="k", database_url="d", member="m", keys_file=Path("keys.toml"), port=port)


def app_with(entered: asyncio.Event, release: asyncio.Event) -> FastAPI:
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        entered.set()
        await release.wait()
        return "done"

    return app


async def test_open_request_is_answered_before_the_stop() -> None:
    """A request that began before the stop is answered."""
    entered, release = asyncio.Event(), asyncio.Event()
    port = free_port()
    part = asyncio.ensure_future(http_part(app_with(entered, release), settings(port))())

    async def ask() -> str:
        async with httpx.AsyncClient(trust_env=False) as client:
            return (await client.get(f"http://127.0.0.1:{port}/slow")).text

    async def listening() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await eventually(listening, within=10)
    asking = asyncio.create_task(ask())
    await entered.wait()
    part.cancel()
    release.set()
    assert await asking == '"done"'
    with pytest.raises(asyncio.CancelledError):
        await part


async def test_used_port_is_reported() -> None:
    """A port in use is a StartError with the address."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"Cannot listen on 127.0.0.1:{port}"):
            await http_part(FastAPI(), settings(port))()


def test_clients_close_idle_connections_first() -> None:
    """The server keeps idle connections longer than clients, since a request that meets its close fails."""
    expiry = httpx.Limits().keepalive_expiry
    assert expiry is not None
    assert expiry < KEEP_ALIVE_SECONDS
