"""The page in a browser's terms: signed in by a form, drawn whole by the server, moved by one stream of events."""

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
from shared.contracts.envelope import Role
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
        """Keeps cookies, follows no redirects."""
        return httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=20)


def written(path: Path, *tokens: str) -> None:
    """A keys file with these."""
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
    """All parts of ops but the counting, in this process."""
    keys, port = folder / "keys.toml", free_port()
    written(keys, *KEYS)
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
    """On a centre in which nothing has happened yet."""
    async with running(broker.bootstrap, database.fresh().url("ops"), tmp_path) as site:
        yield site


async def sign_in(browser: httpx.AsyncClient, key: str) -> httpx.Response:
    """As the form does it."""
    return await browser.post("/sign-in?lang=en", data={"key": key})


async def test_a_stranger_sees_a_form_and_nothing_else(site: Site) -> None:
    """Neither the page nor its stream; the form is there in both languages, Vietnamese first."""
    async with site.browser() as browser:
        whole = await browser.get("/")
        assert whole.status_code == 200
        assert "Khóa API" in whole.text
        assert "API key" in (await browser.get("/?lang=en")).text
        assert 'id="live"' not in whole.text
        assert (await browser.get("/events")).status_code == 401


async def test_a_key_opens_the_page_by_a_cookie_that_no_script_reads(site: Site) -> None:
    """The key stands in no address; the cookie is for this site alone; the policy lets nothing in from outside."""
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
        for own in ("/page.js", "/page.css"):
            assert (await browser.get(own)).status_code == 200
            assert own in page.text
        assert "http://" not in page.text.replace("http://www.w3.org", "")
        assert "https://" not in page.text


async def test_a_key_of_another_role_is_refused(site: Site) -> None:
    """An officer sees the own department, elsewhere; a wrong key sees nothing."""
    async with site.browser() as browser:
        for key in ("officer-key", "no-such-key", ""):
            refused = await sign_in(browser, key)
            assert refused.status_code == 403
            assert "does not open the page" in refused.text
            assert "set-cookie" not in refused.headers


async def test_the_stream_brings_moment_after_moment(site: Site) -> None:
    """Each event is the page's moving part, drawn anew from the last look."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        seen: list[str] = []
        async with browser.stream("GET", "/events?lang=en") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            moment: list[str] = []
            async for line in stream.aiter_lines():
                if line:
                    moment.append(line.removeprefix("data: "))
                    continue
                seen.append("\n".join(moment))
                moment = []
                if len(seen) == 3:
                    break
        assert all("<svg" in one and "Read at" in one for one in seen)
        assert seen[1] != seen[2]


async def test_views_that_are_not_read_yet_are_not_told_as_empty(site: Site) -> None:
    """Nothing counts here, so nobody knows what there was."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        page = (await browser.get("/?lang=en")).text
        assert "Dossiers, stages and messages are still being counted" in page
        assert "None within this time." not in page


async def test_who_signs_out_or_loses_the_key_is_out(site: Site) -> None:
    """A session ends by itself when its key does."""
    async with site.browser() as browser:
        await sign_in(browser, "ops-key")
        assert (await browser.post("/sign-out")).status_code == 303
        assert (await browser.get("/events")).status_code == 401
        await sign_in(browser, "ops-key")
        assert 'id="live"' in (await browser.get("/")).text
        written(site.keys, "auditor-key")
        assert 'id="live"' not in (await browser.get("/")).text


async def test_a_form_on_another_site_signs_nobody_out(site: Site) -> None:
    """A browser sends it without the strict cookie, but would still obey an answer that takes the cookie away."""
    async with site.browser() as browser, site.browser() as stranger:
        await sign_in(browser, "ops-key")
        answer = await stranger.post("/sign-out", headers={"Origin": "https://elsewhere.example"})
        assert "set-cookie" not in answer.headers
        assert 'id="live"' in (await browser.get("/")).text


async def test_programs_ask_with_a_key_and_get_problems(site: Site) -> None:
    """A span that ends before it begins or after all time, an instant without offset, an unknown parameter: 422."""
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
async def test_a_view_takes_instants_and_nothing_like_them(site: Site, view: str) -> None:
    """A year or seconds since 1970 are refused, not read as a window nobody meant; a lost + is told as such."""
    async with site.browser() as browser:
        browser.headers["Authorization"] = "Bearer ops-key"
        for end in ("from", "to"):
            for written in ("2017", "1493571600", "2017-05-01", "2017-05-01 00:00:00Z", ""):
                answer = await browser.get(f"/views/{view}", params={end: written})
                assert answer.status_code == 422
                assert answer.json()["errors"][0]["pointer"] == f"/query/{end}"
                assert "YYYY-MM-DDTHH:MM:SS with its offset" in answer.json()["errors"][0]["detail"]
            answer = await browser.get(f"/views/{view}?{end}=2017-05-01T00:00:00+07:00")
            assert answer.status_code == 422
            assert "%2B" in answer.json()["errors"][0]["detail"]
            good = (await browser.get(f"/views/{view}?{end}=2017-05-01T00:00:00%2B07:00")).json()
            assert good[{"from": "begins_at", "to": "ends_at"}[end]] == "2017-05-01T00:00:00+07:00"


async def test_the_lag_is_there_for_programs(site: Site) -> None:
    """The same report as `motcua lag --json`, from the last looks."""
    async with site.browser() as browser:
        browser.headers["Authorization"] = "Bearer ops-key"

        async def told() -> bool:
            return (await browser.get("/lag")).status_code == 200

        await eventually(told, within=20)
        report = (await browser.get("/lag")).json()
        assert report["kafka_silent"] is None
        assert report["services"] == []
