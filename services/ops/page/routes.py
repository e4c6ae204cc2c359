"""The page over HTTP: sign in with an API key, see the chain, and see it move (server-sent events)."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.ops.api import WATCHERS
from services.ops.domain.pace import WORDS
from services.ops.page.sessions import LIFE_SECONDS, Sessions
from services.ops.page.shown import DAY, HOUR, NODES, Shown
from services.ops.page.words import LANGUAGES, Language, Words
from services.ops.sampler import Sampler
from services.ops.views import Views
from shared.kernel.centre import Centre
from shared.kernel.errors import ExpectedError
from shared.service.bodies import BodyRule
from shared.service.keys import KeyRing

COOKIE = "motcua_ops"
OUTCOMES = ("planned", "sent", "delivered", "failed", "unknown", "dropped")
FORM = BodyRule(media_types=("application/x-www-form-urlencoded",), limit_bytes=4096)
BODIES = {"/sign-in": FORM, "/sign-out": FORM}
"""The paths that take a form."""

_SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MINUTE = timedelta(minutes=1)

Lang = Annotated[Language, Query()]


class Page:
    """Draws the page's moving part once a look and language, however many look at it."""

    def __init__(
        self, centre: Centre, views: Views, sampler: Sampler, *, now: Callable[[], datetime], begun: Callable[[], bool]
    ) -> None:
        self._centre = centre
        self._views = views
        self._sampler = sampler
        self._now = now
        self._begun = begun
        self._environment = Environment(
            loader=PackageLoader("services.ops.page", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._drawn: dict[Language, tuple[int, str]] = {}

    def live(self, language: Language) -> str:
        """The moving part as HTML, as of the last look."""
        look, drawn = self._drawn.get(language, (-1, ""))
        if look != self._sampler.looks:
            drawn = self._draw(language)
            self._drawn[language] = (self._sampler.looks, drawn)
        return drawn

    def frame(self, language: Language, **more: object) -> str:
        """The whole page: with `live` the chain, without it the form to sign in."""
        name = self._centre.name_vi if language == "vi" else self._centre.name_en
        other = next(one for one in LANGUAGES if one != language)
        return self._environment.get_template("frame.html.j2").render(
            w=Words(language), language=language, other_language=other, centre_name=name, **more
        )

    def _draw(self, language: Language) -> str:
        now = self._now()
        end = now + _MINUTE
        shown = Shown(
            now=now,
            report=self._sampler.report(),
            fault=self._sampler.reason,
            arrivals=self._views.arrivals(end - HOUR, end),
            stages=self._views.stages(end - DAY, end),
            messages=self._views.messages(end - DAY, end),
            begun=self._begun(),
            counted=sum(next_offset for next_offset, _ in self._views.positions().values()),
        )
        on = self._centre.local_date(now)
        names = {one.code: one.name_vi if language == "vi" else one.name_en for one in self._centre.departments_on(on)}
        return self._environment.get_template("live.html.j2").render(
            shown=shown,
            w=Words(language),
            zone=self._centre.zone,
            nodes=NODES,
            states=WORDS,
            outcomes=OUTCOMES,
            departments=names,
        )


def router(page: Page, sampler: Sampler, keys: KeyRing, sessions: Sessions) -> APIRouter:
    """The routes of one process."""
    routes = APIRouter(include_in_schema=False)

    def may_watch(key: str | None) -> bool:
        who = keys.principal(key) if key else None
        return who is not None and who.actor.role in WATCHERS

    def signed_in(request: Request) -> bool:
        return may_watch(sessions.key(request.cookies.get(COOKIE)))

    def form(language: Language, *, refused: bool) -> Response:
        return HTMLResponse(page.frame(language, refused=refused), status_code=403 if refused else 200, headers=_SAFE)

    @routes.get("/")
    async def whole(request: Request, lang: Lang = "vi") -> Response:
        if not signed_in(request):
            return form(lang, refused=False)
        return HTMLResponse(page.frame(lang, live=Markup(page.live(lang))), headers=_SAFE)

    @routes.post("/sign-in")
    async def sign_in(request: Request, lang: Lang = "vi") -> Response:
        given = parse_qs((await request.body()).decode("utf-8", "replace")).get("key", [""])[0].strip()
        if not may_watch(given):
            return form(lang, refused=True)
        answer = RedirectResponse(f"/?lang={lang}", status_code=303, headers=_SAFE)
        answer.set_cookie(
            COOKIE,
            sessions.begin(given),
            max_age=int(LIFE_SECONDS),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @routes.post("/sign-out")
    async def sign_out(request: Request, lang: Lang = "vi") -> Response:
        answer = RedirectResponse(f"/?lang={lang}", status_code=303, headers=_SAFE)
        if COOKIE in request.cookies:  # a form on another site brings no cookie, so it must not take one away either
            sessions.end(request.cookies[COOKIE])
            answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    @routes.get("/events")
    async def events(request: Request, lang: Lang = "vi") -> Response:
        if not signed_in(request):
            raise ExpectedError("unauthorized", "sign in at /", status=401)

        async def moments() -> AsyncIterator[str]:
            while not sampler.ended and signed_in(request):
                yield "".join(f"data: {line}\n" for line in page.live(lang).splitlines()) + "\n"
                await sampler.next()

        return StreamingResponse(moments(), media_type="text/event-stream", headers=_SAFE)

    @routes.get("/page.js")
    async def script() -> Response:
        return _file("page.js", "text/javascript")

    @routes.get("/page.css")
    async def style() -> Response:
        return _file("page.css", "text/css")

    return routes


def _file(name: str, media_type: str) -> Response:
    content = files("services.ops.page").joinpath(name).read_text(encoding="utf-8")
    return Response(content, media_type=media_type, headers={**_SAFE, "Cache-Control": "max-age=300"})
