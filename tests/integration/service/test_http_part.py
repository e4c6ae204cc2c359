"""A service's HTTP part: it stops in order, and says in a sentence why it cannot start."""

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


async def test_request_in_hand_is_finished_before_the_end() -> None:
    """A stop takes no answer away from a client whose request had begun."""
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


async def test_taken_port_is_one_sentence() -> None:
    """Not uvicorn's exit, but a reason with address and way out."""
    with socket.create_server(("127.0.0.1", free_port())) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=f"cannot listen on 127.0.0.1:{port}"):
            await http_part(FastAPI(), settings(port))()


def test_a_client_closes_an_idle_connection_first() -> None:
    """A request that meets the server's closing of its connection fails, and nobody can say what became of it."""
    expiry = httpx.Limits().keepalive_expiry
    assert expiry is not None
    assert expiry < KEEP_ALIVE_SECONDS
