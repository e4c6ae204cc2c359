"""Render the HTML of the page from templates."""

from collections.abc import Callable
from datetime import datetime, timedelta

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from services.ops.domain.progress import STATES
from services.ops.lag.sampler import Sampler
from services.ops.page.snapshot import DAY, HOUR, NODES, PageSnapshot
from services.ops.page.texts import LANGUAGES, Language, Texts
from services.ops.views.store import ViewStore
from shared.kernel.centre import Centre

OUTCOMES = ("planned", "sent", "delivered", "failed", "unknown", "dropped")
_MINUTE = timedelta(minutes=1)


class PageRenderer:
    """Renders the page and the form to sign in.

    The live part is rendered once per sample of the lag and language, for any number of viewers.
    """

    def __init__(
        self,
        centre: Centre,
        store: ViewStore,
        sampler: Sampler,
        *,
        now: Callable[[], datetime],
        views_loaded: Callable[[], bool],
    ) -> None:
        self._centre = centre
        self._store = store
        self._sampler = sampler
        self._now = now
        self._views_loaded = views_loaded
        self._environment = Environment(
            loader=PackageLoader("services.ops.page", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._rendered: dict[Language, tuple[int, str]] = {}

    def live(self, language: Language) -> str:
        """Return the HTML of the live part, as of the last sample; rendered only if it is not cached yet."""
        revision, html = self._rendered.get(language, (-1, ""))
        if revision != self._sampler.revision:
            html = self._render(language)
            self._rendered[language] = (self._sampler.revision, html)
        return html

    def page(self, language: Language) -> str:
        """Return the HTML of the whole page, with the live part."""
        return self._frame(language, live=Markup(self.live(language)))

    def sign_in_form(self, language: Language, *, refused: bool) -> str:
        """Return the HTML of the form to sign in; with `refused`, it also states that the entered key has no access."""
        return self._frame(language, refused=refused)

    def _frame(self, language: Language, **content: object) -> str:
        name = self._centre.name_vi if language == "vi" else self._centre.name_en
        other = next(one for one in LANGUAGES if one != language)
        return self._environment.get_template("frame.html.j2").render(
            t=Texts(language), language=language, other_language=other, centre_name=name, **content
        )

    def _render(self, language: Language) -> str:
        now = self._now()
        end = now + _MINUTE
        snapshot = PageSnapshot(
            now=now,
            report=self._sampler.report(),
            lag_error=self._sampler.error,
            arrivals=self._store.arrivals(end - HOUR, end),
            stages=self._store.stages(end - DAY, end),
            messages=self._store.messages(end - DAY, end),
            views_loaded=self._views_loaded(),
            records_counted=sum(next_offset for next_offset, _ in self._store.positions().values()),
        )
        on = self._centre.local_date(now)
        names = {one.code: one.name_vi if language == "vi" else one.name_en for one in self._centre.departments_on(on)}
        return self._environment.get_template("live.html.j2").render(
            snapshot=snapshot,
            t=Texts(language),
            zone=self._centre.zone,
            nodes=NODES,
            states=STATES,
            outcomes=OUTCOMES,
            departments=names,
        )
