"""Consumers decide about every event type of their topics: they handle it or list it as ignored."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

import pytest

from services.intake.dossiers import handlers as intake
from services.notify.planning import handlers as notify
from services.notify.planning.streams import create_streams as notify_streams
from services.notify.texts import load_texts
from services.ops.views import handlers as ops
from services.routing.app import create_streams as routing_streams
from services.routing.assignments import handlers as routing
from services.routing.domain.decisions import Decisions, initial_decisions
from services.routing.general_counter.store import SignedDecisions
from services.sla.app import create_streams as sla_streams
from services.sla.clocks import handlers as sla
from services.sla.domain.calendar import compile_calendar
from services.sla.domain.rules import DerivationRules
from shared.catalogue import load_centre
from shared.contracts.envelope import EventData
from shared.contracts.registry import EVENTS
from shared.contracts.topics import TOPICS
from shared.kernel.centre import Centre
from shared.messaging.applier import Stream
from tests.architecture.tree import ROOT, SERVICES

Types = Collection[type[EventData]]


class Consumer(NamedTuple):
    """The topics that a service consumes, the event types that it handles, and those that it lists as ignored."""

    topics: Collection[str]
    handled: Types
    ignored: Types


def _of_streams(streams: Iterable[Stream[Any]], ignored: Types) -> Consumer:
    found = list(streams)
    return Consumer([stream.topic.name for stream in found], {e for stream in found for e in stream.handlers}, ignored)


def _intake(centre: Centre) -> Consumer:
    return _of_streams(intake.STREAMS, intake.IGNORED)


def _routing(centre: Centre) -> Consumer:
    signed = SignedDecisions(Decisions(initial_decisions(centre)))
    return _of_streams(routing_streams(routing.AssignmentHandlers(centre, signed)), routing.IGNORED)


def _sla(centre: Centre) -> Consumer:
    rules = DerivationRules(centre, compile_calendar(centre.calendar), calendar_version=1, digest="")
    return _of_streams(sla_streams(sla.ClockHandlers(rules)), sla.IGNORED)


def _notify(centre: Centre) -> Consumer:
    return _of_streams(notify_streams(load_texts(centre)), notify.IGNORED)


def _ops(centre: Centre) -> Consumer:
    return Consumer([topic.name for topic in ops.SOURCES], set(ops.HANDLERS), ops.IGNORED)


CONSUMERS: Mapping[str, Callable[[Centre], Consumer]] = {
    "intake": _intake,
    "routing": _routing,
    "sla": _sla,
    "notify": _notify,
    "ops": _ops,
}


@pytest.fixture(scope="module")
def centre() -> Centre:
    """The centre of config/binh-phuoc."""
    return load_centre(ROOT / "config/binh-phuoc")


@pytest.mark.parametrize("service", CONSUMERS)
def test_event_type_of_consumed_topic_is_handled_or_ignored(centre: Centre, service: str) -> None:
    """A service lists each event type of its topics once, as handled or as ignored, so no new type is forgotten."""
    consumer = CONSUMERS[service](centre)
    of_topics = {event for event in EVENTS.values() if event.TOPIC in consumer.topics}
    assert _names(of_topics - set(consumer.handled) - set(consumer.ignored)) == []
    assert _names(set(consumer.handled) & set(consumer.ignored)) == []
    assert _names({*consumer.handled, *consumer.ignored} - of_topics) == []


def test_every_reader_of_a_topic_is_checked() -> None:
    """The services of the test above are those that read a topic by `shared.contracts.topics`, and ops."""
    readers = {reader for topic in TOPICS.values() for reader in topic.readers}
    assert CONSUMERS.keys() == readers | {"ops"}
    assert CONSUMERS.keys() <= set(SERVICES)


def _names(events: Iterable[type[EventData]]) -> list[str]:
    return sorted(event.TYPE for event in events)
