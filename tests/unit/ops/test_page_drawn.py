"""What the page shows of one moment, drawn from figures that are made up here."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import cast

import pytest

from services.ops.domain.tallies import Key, Tally
from services.ops.page.routes import Page
from services.ops.page.words import LANGUAGES, Language
from services.ops.report import LagReport, PartitionLag, QuarantinedRecords, ServiceBacklog, TopicLag
from services.ops.sampler import Sampler
from services.ops.views import Views
from shared.catalogue import load_centre
from shared.contracts.topics import DOSSIERS
from tests.support.service_process import ROOT

NOW = datetime(2017, 5, 17, 3, 21, 30, tzinfo=UTC)
HOUR = int(datetime(2017, 5, 17, 3, tzinfo=UTC).timestamp())


def lag(group: str, behind: int, *, waits: float = 0.0) -> TopicLag:
    """A group on the dossiers' topic, stuck where something waits."""
    pace = PartitionLag(
        partition=0,
        behind=behind,
        oldest_at=NOW - timedelta(seconds=waits) if behind else None,
        applied_per_second=0.0,
        arriving_per_second=0.0,
        catch_up_seconds=None if behind else 0.0,
        moved_at=NOW - timedelta(minutes=3),
        state="stuck" if behind else "idle",
    )
    return TopicLag(group=group, topic=DOSSIERS.name, partitions=[pace], **pace.model_dump(exclude={"partition"}))


def backlog(service: str, **quarantined: int) -> ServiceBacklog:
    """A service that holds so many records, by reason, for a quarter of an hour."""
    since = NOW - timedelta(minutes=15)
    kinds = [
        QuarantinedRecords(reason=reason, records=records, oldest_at=since) for reason, records in quarantined.items()
    ]
    return ServiceBacklog(service=service, outbox=0, outbox_oldest_at=None, quarantined=kinds)


class Looked:
    """A sampler that has looked once."""

    looks = 1
    reason = None

    def __init__(self, topics: list[TopicLag], services: list[ServiceBacklog]) -> None:
        self._report = LagReport(read_at=NOW, over_seconds=10, kafka_silent=None, topics=topics, services=services)

    def report(self) -> LagReport:
        """That look."""
        return self._report


def drawn(
    *,
    tallies: Iterable[tuple[Key, Tally]] = (),
    topics: Iterable[TopicLag] = (),
    services: Iterable[ServiceBacklog] = (),
    language: Language = "en",
    begun: bool = True,
) -> str:
    """The page's moving part."""
    views = Views()
    for key, tally in tallies:
        views.put(key, tally, NOW)
    sampler = cast(Sampler, Looked(list(topics), list(services)))
    page = Page(load_centre(ROOT / "config/binh-phuoc"), views, sampler, now=lambda: NOW, begun=lambda: begun)
    return page.live(language)


class Tables(HTMLParser):
    """The rows of each table that is stacked on a narrow screen: of each cell its tag, label and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[list[list[tuple[str, str | None, str]]]] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        given = dict(attrs)
        if tag == "table":
            self._inside = given.get("class") == "stack"
            if self._inside:
                self.found.append([])
        elif self._inside and tag == "tr":
            self.found[-1].append([])
        elif self._inside and tag in ("th", "td"):
            self.found[-1][-1].append((tag, given.get("data-label"), ""))

    def handle_data(self, data: str) -> None:
        """Add to the cell that is open."""
        if self._inside and self.found[-1] and self.found[-1][-1]:
            tag, label, text = self.found[-1][-1][-1]
            self.found[-1][-1][-1] = (tag, label, (text + data).strip())


def stage(left: str, entered: str, *seconds: float) -> tuple[Key, Tally]:
    """So many passages."""
    tally = Tally(-1)
    for offset, one in enumerate(seconds):
        tally = tally.plus(offset, one)
    return Key("stages", 0, HOUR, (left, entered)), tally


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_figure_says_what_it_is_where_columns_have_no_room(language: Language) -> None:
    """On a narrow screen rows are stacked without their head, so each cell carries its column's words."""
    page = drawn(
        tallies=[stage("submitted", "received", 21.0), stage("supplement_required", "processing", 90.0)],
        topics=[lag("sla", 4, waits=7200), lag("notify", 0)],
        services=[backlog("sla", parked=1, unreadable=4), backlog("intake")],
        language=language,
    )
    tables = Tables(page).found
    assert len(tables) == 3
    for head, *rows in tables:
        for row in rows:
            for (tag, label, text), (_, _, column) in zip(row, head, strict=False):
                assert tag == "th" or label == column or text.startswith(("tắc", "stuck", "rảnh", "idle"))


def test_unreadable_records_are_an_alarm_only_while_a_service_holds_them() -> None:
    """ops passes over them for good and says so, in no section of another topic."""
    passed = [(Key("unreadable", 0, 0, (DOSSIERS.name,)), Tally(9, 4))]
    discarded = drawn(tallies=passed, services=[backlog("sla")])
    assert "not in the counts above, since the beginning: 4 (intake.dossiers.v1)" in discarded
    assert discarded.rindex("</section>") < discarded.index("4 (intake.dossiers.v1)")
    for alarm in ('class="fault"', 'class="state stuck"'):
        assert alarm not in discarded
    waiting = drawn(tallies=passed, services=[backlog("sla", unreadable=4)])
    assert '<span class="state stuck">4 unreadable, 15 min</span>' in waiting


def test_views_that_lag_behind_say_how_far_they_are() -> None:
    """An empty view means that there was nothing only once everything is counted."""
    position = [(Key("position", 0, 0, (DOSSIERS.name,)), Tally(12_345))]
    counting = drawn(tallies=position, topics=[lag("ops", 14_055, waits=7200), lag("sla", 0)])
    assert "still being counted: 12,345/26,400 records (46 %)" in counting
    assert counting.count("Still being counted.") == 3
    assert "None within this time." not in counting
    before_the_first = drawn(begun=False)
    assert "are still being counted.<" in before_the_first
    assert before_the_first.count("Still being counted.") == 3
    counted = drawn(tallies=position, topics=[lag("ops", 0), lag("sla", 4, waits=7200)])
    assert "being counted" not in counted
    assert counted.count("None within this time.") == 3


def test_stages_and_pauses_share_their_columns() -> None:
    """One table, in which pauses have a heading of their own, also where no stage has ended yet."""
    pause = stage("supplement_required", "processing", 90.0)
    _, _, stages = Tables(
        drawn(tallies=[stage("submitted", "received", 21.0), pause], topics=[lag("sla", 0)], services=[backlog("sla")])
    ).found
    assert [row[0][2] for row in stages] == [
        "Stage",
        "submitted → received",
        "Waiting for the applicant",
        "supplement required → processing",
    ]
    assert [text for _, _, text in stages[1]][1:] == ["1", "21 s", "21 s", "21 s"]
    (alone,) = Tables(drawn(tallies=[pause])).found
    assert [row[0][2] for row in alone][1:] == ["Waiting for the applicant", "supplement required → processing"]
