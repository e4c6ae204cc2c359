"""The page and the API over HTTP: sign-in by a form, a rendered page, live updates, and access for programs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from motcua.local.embedded import kafka
from services.ops.app import build
from services.ops.settings import OpsSettings
from shared.kernel.vocabulary import Role
from shared.service.keys import ApiKey, write_keys
from tests.support import Databases, eventually, free_port
from tests.support.service_process import ROOT
from tests.support.shell import background

KEYS: dict[str, Role] = {"ops-key": "ops", "auditor-key": "auditor", "officer-key": "officer"}


@dataclass
class Site:
    """A running ops, and its keys file."""

    url: str
    keys: Path

    def browser(self) -> httpx.AsyncClient:
        """Return a client that stores cookies and follows no redirects."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20)


def write_tokens(path: Path, *tokens: str) -> None:
    """Write a keys file with these keys."""
    write_keys(
        path,
        [
            ApiKey(
                id=token,
                sha256=sha256(token.encode()).hexdigest(),
                role=KEYS[token],
                department="STP" if KEYS[token] == "officer" else None,
            )
            for token in tokens
        ],
    )


@asynccontextmanager
async def running(bootstrap: str, database_url: str, folder: Path) -> AsyncIterator[Site]:
    """Run ops in this process, without the worker and the changelog reader."""
    keys, port = folder / "keys.toml", free_port()
    write_tokens(keys, *KEYS)
    settings = OpsSettings(
        kafka_bootstrap=bootstrap,
        database_url=database_url,
        member="ops-0",
        port=port,
        centre=ROOT / "config/binh-phuoc",
        keys_file=keys,
    )
    _, parts = build(settings)
    async with background(parts["http"](), parts["lag"]()):
        site = Site(f"http://127.0.0.1:{port}", keys)
        async with site.browser() as browser:

            async def up() -> bool:
                try:
                    return (await browser.get("/healthz")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(up, within=20)
        yield site


@pytest.fixture
async def site(broker: kafka.Broker, database: Databases, tmp_path: Path) -> AsyncIterator[Site]:
    """Ops for a centre without events."""
    async with running(broker.bootstrap, database.fresh().url("ops"), tmp_path) as site:
        yield site


async def sign_in(browser: httpx.AsyncClient, key: str) -> httpx.Response:
    """Send the form."""
    return await browser.post("/sign-in?lang=en", data={"key": key})


async def test_client_without_session_gets_the_form_only(site: Site) -> None:
    """Without a session there is a form, in Vietnamese by default, and no page or stream."""
    async with site.browser() as browser:
        form = await browser.get("/")
        assert form.status_code == 200
        assert "Khóa API" in form.text
        assert "API key" in (await browser.get("/?lang=en")).text
        assert 'id="live"' not in form.text
        assert (await browser.get("/events")).status_code == 401


async def test_key_opens_a_session_with_a_protected_cookie(site: Site) -> None:
    """Scripts and other sites cannot read the cookie, it does not contain the key, and the page loads nothing else."""
    async with site.browser() as browser:
        answer = await sign_in(browser, "auditor-key")
        assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=en")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "auditor-key" not in cookie
        page = await browser.get("/?lang=en")
        assert 'id="live"' in page.text
        assert "auditor-key" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for path in ("/page.js", "/page.css"):
            assert (await browser.get(path)).status_code == 200
            assert path in page.text
        assert "http://" not in page.text.replace("http://www.w3.org", "")
        assert "https://" not in page.text


async def test_key_of_another_role_is_refused(site: Site) -> None:
    """Only keys of the viewers' roles open the page."""
    async with site.browser() as browser:
        for key in ("officer-key", "no-such-key", ""):
            refused = await sign_in(browser, key)
            assert refused.status_code == 403
            assert "has no access to the page" in refused.text
            assert "set-cookie" not in refused.headers


async def test_stream_sends_an_update_after_each_sample(site: Site) -> None:
    """Each event of the stream is the live part of the page as of the last sample."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        seen: list[str] = []
        async with browser.stream("GET", "/events?lang=en") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            update: list[str] = []
            async for line in stream.aiter_lines():
                if line:
                    update.append(line.removeprefix("data: "))
                    continue
                seen.append("\n".join(update))
                update = []
                if len(seen) == 3:
                    break
        assert all("<svg" in one and "Read at" in one for one in seen)
        assert seen[1] != seen[2]


async def test_views_that_are_not_loaded_are_not_shown_as_empty(site: Site) -> None:
    """Without a worker, the page shows that events are still being counted."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        page = (await browser.get("/?lang=en")).text
        assert "Dossiers, stages and messages are still being counted" in page
        assert "None in this period." not in page


async def test_session_ends_with_sign_out_or_its_key(site: Site) -> None:
    """Signing out or removing the key ends the session."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        assert (await browser.post("/sign-out")).status_code == 303
        assert (await browser.get("/events")).status_code == 401
        await sign_in(browser, "ops-key")
        assert 'id="live"' in (await browser.get("/")).text
        write_tokens(site.keys, "auditor-key")
        assert 'id="live"' not in (await browser.get("/")).text


async def test_form_on_another_site_does_not_sign_out(site: Site) -> None:
    """A request without the cookie does not delete it: browsers send forms of other sites without strict cookies."""
    async with site.browser() as browser, site.browser() as other:
        await sign_in(browser, "ops-key")
        answer = await other.post("/sign-out", headers={"Origin": "https://elsewhere.example"})
        assert "set-cookie" not in answer.headers
        assert 'id="live"' in (await browser.get("/")).text


async def test_api_requires_a_key_and_answers_problems(site: Site) -> None:
    """An invalid span, an instant without offset and an unknown parameter are refused with the place."""
    async with site.browser() as browser:
        assert (await browser.get("/views/arrivals")).status_code == 401
        browser.headers["Authorization"] = "Bearer officer-key"
        assert (await browser.get("/views/arrivals")).status_code == 403
        browser.headers["Authorization"] = "Bearer ops-key"
        for query, pointer in (
            ("from=2018-01-02T00:00:00Z&to=2018-01-01T00:00:00Z", "/query/from"),
            ("from=2018-01-02T00:00:00", "/query/from"),
            ("since=2018", "/query/since"),
            ("from=9999-12-31T00:00:00Z", "/query/from"),
            ("to=0001-01-01T00:00:00Z", "/query/to"),
        ):
            answer = await browser.get(f"/views/stages?{query}")
            assert answer.status_code == 422
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["errors"][0]["pointer"] == pointer
        assert (await browser.get("/views/messages")).json()["outcomes"] == []
        widest = {"from": "0001-01-01T00:00:00+14:00", "to": "9999-12-31T23:59:59-12:00"}
        assert (await browser.get("/views/stages", params=widest)).status_code == 200
        described = (await browser.get("/openapi.json")).json()["paths"]
        assert {"/views/arrivals", "/views/stages", "/views/messages", "/lag"} <= described.keys()


@pytest.mark.parametrize("view", ["arrivals", "stages", "messages"])
async def test_view_accepts_only_instants_with_offset(site: Site, view: str) -> None:
    """A year or seconds since 1970 are refused, and an unencoded + is named as the cause."""
    async with site.browser() as browser:
        browser.headers["Authorization"] = "Bearer ops-key"
        for end in ("from", "to"):
            for value in ("2017", "1493571600", "2017-05-01", "2017-05-01 00:00:00Z", ""):
                answer = await browser.get(f"/views/{view}", params={end: value})
                assert answer.status_code == 422
                assert answer.json()["errors"][0]["pointer"] == f"/query/{end}"
                assert "YYYY-MM-DDTHH:MM:SS with an offset" in answer.json()["errors"][0]["detail"]
            answer = await browser.get(f"/views/{view}?{end}=2017-05-01T00:00:00+07:00")
            assert answer.status_code == 422
            assert "%2B" in answer.json()["errors"][0]["detail"]
            good = (await browser.get(f"/views/{view}?{end}=2017-05-01T00:00:00%2B07:00")).json()
            assert good[{"from": "begins_at", "to": "ends_at"}[end]] == "2017-05-01T00:00:00+07:00"


async def test_lag_is_available_over_http(site: Site) -> None:
    """GET /lag returns the report of `motcua lag --json`."""
    async with site.browser() as browser:
        browser.headers["Authorization"] = "Bearer ops-key"

        async def available() -> bool:
            return (await browser.get("/lag")).status_code == 200

        await eventually(available, within=20)
        report = (await browser.get("/lag")).json()
        assert report["kafka_error"] is None
        assert report["services"] == []
