"""The live part of the page, rendered from given figures."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import cast

import pytest

from services.ops.domain.tallies import Tally, TallyKey
from services.ops.lag.sampler import Sampler
from services.ops.lag.schemas import LagReport, PartitionLag, QuarantinedRecords, ServiceBacklog, TopicLag
from services.ops.page.renderer import PageRenderer
from services.ops.page.texts import LANGUAGES, Language
from services.ops.views.store import ViewStore
from shared.catalogue import load_centre
from shared.contracts.topics import DOSSIERS
from tests.support.service_process import ROOT

NOW = datetime(2017, 5, 17, 3, 21, 30, tzinfo=UTC)
HOUR = int(datetime(2017, 5, 17, 3, tzinfo=UTC).timestamp())


def lag(group: str, behind: int, *, age_seconds: float = 0.0) -> TopicLag:
    """Return the lag of a group on the dossiers' topic, which is stuck if records are pending."""
    partition = PartitionLag(
        partition=0,
        behind=behind,
        oldest_at=NOW - timedelta(seconds=age_seconds) if behind else None,
        applied_per_second=0.0,
        arriving_per_second=0.0,
        catch_up_seconds=None if behind else 0.0,
        moved_at=NOW - timedelta(minutes=3),
        state="stuck" if behind else "idle",
    )
    return TopicLag(
        group=group, topic=DOSSIERS.name, partitions=[partition], **partition.model_dump(exclude={"partition"})
    )


def backlog(service: str, **quarantined: int) -> ServiceBacklog:
    """Return the backlog of a service with these quarantined records by reason, for a quarter of an hour."""
    since = NOW - timedelta(minutes=15)
    reasons = [
        QuarantinedRecords(reason=reason, records=records, oldest_at=since) for reason, records in quarantined.items()
    ]
    return ServiceBacklog(service=service, outbox=0, outbox_oldest_at=None, quarantined=reasons)


class OneSample:
    """A sampler after its first sample."""

    revision = 1
    error = None

    def __init__(self, topics: list[TopicLag], services: list[ServiceBacklog]) -> None:
        self._report = LagReport(read_at=NOW, over_seconds=10, kafka_error=None, topics=topics, services=services)

    def report(self) -> LagReport:
        """Return the report of that sample."""
        return self._report


def render(
    *,
    tallies: Iterable[tuple[TallyKey, Tally]] = (),
    topics: Iterable[TopicLag] = (),
    services: Iterable[ServiceBacklog] = (),
    language: Language = "en",
    views_loaded: bool = True,
) -> str:
    """Return the live part of the page."""
    views = ViewStore()
    for key, tally in tallies:
        views.put(key, tally, NOW)
    sampler = cast(Sampler, OneSample(list(topics), list(services)))
    centre = load_centre(ROOT / "config/binh-phuoc")
    return PageRenderer(centre, views, sampler, now=lambda: NOW, views_loaded=lambda: views_loaded).live(language)


class Tables(HTMLParser):
    """The rows of each table that is stacked on a narrow screen: the tag, label and text of each cell."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[tuple[str, str | None, str]]]] = []
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, row or cell."""
        attributes = dict(attrs)
        if tag == "table":
            self._inside = attributes.get("class") == "stack"
            if self._inside:
                self.tables.append([])
        elif self._inside and tag == "tr":
            self.tables[-1].append([])
        elif self._inside and tag in ("th", "td"):
            self.tables[-1][-1].append((tag, attributes.get("data-label"), ""))

    def handle_data(self, data: str) -> None:
        """Add text to the current cell."""
        if self._inside and self.tables[-1] and self.tables[-1][-1]:
            tag, label, text = self.tables[-1][-1][-1]
            self.tables[-1][-1][-1] = (tag, label, (text + data).strip())


def stage(left: str, entered: str, *seconds: float) -> tuple[TallyKey, Tally]:
    """Return the tally of a transition with these durations."""
    tally = Tally(-1)
    for offset, one in enumerate(seconds):
        tally = tally.add(offset, one)
    return TallyKey("stages", 0, HOUR, (left, entered)), tally


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cell_has_the_label_of_its_column(language: Language) -> None:
    """Each cell has its column's text as a label, since a narrow screen stacks the rows without the head."""
    page = render(
        tallies=[stage("submitted", "received", 21.0), stage("supplement_required", "processing", 90.0)],
        topics=[lag("sla", 4, age_seconds=7200), lag("notify", 0)],
        services=[backlog("sla", parked=1, unreadable=4), backlog("intake")],
        language=language,
    )
    tables = Tables(page).tables
    assert len(tables) == 3
    for head, *rows in tables:
        for row in rows:
            for (tag, label, text), (_, _, column) in zip(row, head, strict=False):
                assert tag == "th" or label == column or text.startswith(("tắc", "stuck", "rảnh", "idle"))


def test_unreadable_records_are_an_alarm_only_while_quarantined() -> None:
    """The page counts the unreadable records that ops ignores outside its sections, and not as an alarm."""
    ignored = [(TallyKey("unreadable", 0, 0, (DOSSIERS.name,)), Tally(9, 4))]
    rejected = render(tallies=ignored, services=[backlog("sla")])
    assert "not included above, since the first record: 4 (intake.dossiers.v1)" in rejected
    assert rejected.rindex("</section>") < rejected.index("4 (intake.dossiers.v1)")
    for alarm in ('class="fault"', 'class="state stuck"'):
        assert alarm not in rejected
    pending = render(tallies=ignored, services=[backlog("sla", unreadable=4)])
    assert '<span class="state stuck">4 unreadable, 15 min</span>' in pending


def test_lagging_views_show_their_progress() -> None:
    """An empty view shows that there were no events only after every event is counted."""
    position = [(TallyKey("position", 0, 0, (DOSSIERS.name,)), Tally(12_345))]
    behind = render(tallies=position, topics=[lag("ops", 14_055, age_seconds=7200), lag("sla", 0)])
    assert "still being counted: 12,345/26,400 records (46 %)" in behind
    assert behind.count("Still being counted.") == 3
    assert "None in this period." not in behind
    not_loaded = render(views_loaded=False)
    assert "are still being counted.<" in not_loaded
    assert not_loaded.count("Still being counted.") == 3
    counted = render(tallies=position, topics=[lag("ops", 0), lag("sla", 4, age_seconds=7200)])
    assert "being counted" not in counted
    assert counted.count("None in this period.") == 3


def test_stages_and_pauses_share_one_table() -> None:
    """Pauses have their own heading in the table of stages, also if no stage has ended yet."""
    pause = stage("supplement_required", "processing", 90.0)
    _, _, stages = Tables(
        render(tallies=[stage("submitted", "received", 21.0), pause], topics=[lag("sla", 0)], services=[backlog("sla")])
    ).tables
    assert [row[0][2] for row in stages] == [
        "Stage",
        "submitted → received",
        "Waiting for the applicant",
        "supplement required → processing",
    ]
    assert [text for _, _, text in stages[1]][1:] == ["1", "21 s", "21 s", "21 s"]
    (alone,) = Tables(render(tallies=[pause])).tables
    assert [row[0][2] for row in alone][1:] == ["Waiting for the applicant", "supplement required → processing"]
