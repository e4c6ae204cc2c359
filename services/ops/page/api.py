"""HTTP routes of the page: sign in with an API key, the page itself, and its live updates (server-sent events)."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from services.ops.access import VIEWER_ROLES
from services.ops.domain.errors import UnauthorizedError
from services.ops.lag.sampler import Sampler
from services.ops.page.renderer import PageRenderer
from services.ops.page.sessions import LIFETIME_SECONDS, Sessions
from services.ops.page.texts import Language
from shared.service.bodies import BodyRule
from shared.service.keys import KeyRing
from shared.service.provided import provided

COOKIE = "motcua_ops"
FORM = BodyRule(media_types=("application/x-www-form-urlencoded",), limit_bytes=4096)
BODIES = {"/sign-in": FORM, "/sign-out": FORM}
"""The paths that accept a form."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

router = APIRouter(include_in_schema=False)


class Access:
    """Checks API keys and session cookies against the current keys file."""

    def __init__(
        self,
        keys: Annotated[KeyRing, Depends(provided(KeyRing))],
        sessions: Annotated[Sessions, Depends(provided(Sessions))],
    ) -> None:
        self._keys = keys
        self._sessions = sessions

    def may_view(self, key: str | None) -> bool:
        """Return whether the key is valid now and has one of the viewers' roles."""
        who = self._keys.principal(key) if key else None
        return who is not None and who.actor.role in VIEWER_ROLES

    def signed_in(self, request: Request) -> bool:
        """Return whether the request has the cookie of an open session whose key is still valid."""
        return self.may_view(self._sessions.key(request.cookies.get(COOKIE)))


Checked = Annotated[Access, Depends(Access)]
Lang = Annotated[Language, Query()]
Renderer = Annotated[PageRenderer, Depends(provided(PageRenderer))]
OpenSessions = Annotated[Sessions, Depends(provided(Sessions))]


@router.get("/")
async def page(request: Request, access: Checked, renderer: Renderer, lang: Lang = "vi") -> Response:
    """Return the page; the form to sign in if the request has no valid session."""
    if not access.signed_in(request):
        return _form(renderer, lang, refused=False)
    return HTMLResponse(renderer.page(lang), headers=_HEADERS)


@router.post("/sign-in")
async def sign_in(
    request: Request, access: Checked, renderer: Renderer, sessions: OpenSessions, lang: Lang = "vi"
) -> Response:
    """Open a session for the API key in the form, set its cookie, and redirect to the page.

    If the key is invalid or may not view the page, return the form again with status 403.
    """
    key = parse_qs((await request.body()).decode("utf-8", "replace")).get("key", [""])[0].strip()
    if not access.may_view(key):
        return _form(renderer, lang, refused=True)
    answer = RedirectResponse(f"/?lang={lang}", status_code=303, headers=_HEADERS)
    answer.set_cookie(
        COOKIE,
        sessions.create(key),
        max_age=int(LIFETIME_SECONDS),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
async def sign_out(request: Request, sessions: OpenSessions, lang: Lang = "vi") -> Response:
    """End the session of the cookie, if the request has one, delete the cookie, and redirect to the form to sign in."""
    answer = RedirectResponse(f"/?lang={lang}", status_code=303, headers=_HEADERS)
    if COOKIE in request.cookies:  # a form on another site sends no cookie, so it must not delete one
        sessions.end(request.cookies[COOKIE])
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@router.get("/events")
async def events(
    request: Request,
    access: Checked,
    renderer: Renderer,
    sampler: Annotated[Sampler, Depends(provided(Sampler))],
    lang: Lang = "vi",
) -> Response:
    """Stream the live part of the page at once and after each sample of the lag, until the session ends.

    Raises UnauthorizedError without a valid session.
    """
    if not access.signed_in(request):
        raise UnauthorizedError

    async def updates() -> AsyncIterator[str]:
        while not sampler.stopped and access.signed_in(request):
            yield "".join(f"data: {line}\n" for line in renderer.live(lang).splitlines()) + "\n"
            await sampler.wait_for_next()

    return StreamingResponse(updates(), media_type="text/event-stream", headers=_HEADERS)


@router.get("/page.js")
async def script() -> Response:
    """Return the JavaScript file of the page."""
    return _file("page.js", "text/javascript")


@router.get("/page.css")
async def style() -> Response:
    """Return the CSS file of the page."""
    return _file("page.css", "text/css")


def _form(renderer: PageRenderer, language: Language, *, refused: bool) -> Response:
    status = 403 if refused else 200
    return HTMLResponse(renderer.sign_in_form(language, refused=refused), status_code=status, headers=_HEADERS)


def _file(name: str, media_type: str) -> Response:
    content = files("services.ops.page").joinpath(name).read_text(encoding="utf-8")
    return Response(content, media_type=media_type, headers={**_HEADERS, "Cache-Control": "max-age=300"})
