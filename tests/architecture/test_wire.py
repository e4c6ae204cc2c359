"""The wire keeps its promises: frozen schemas, open lists, one writer a topic, documents that follow the code."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from motcua.cli import event_files
from shared.contracts import topics
from shared.contracts.envelope import EventData
from shared.contracts.registry import EVENTS
from shared.contracts.schemas import data_schema, envelope_schema
from shared.contracts.topics import TOPICS, Topic
from tests.architecture.tree import ROOT, SERVICES, called, parsed, sources

_WRITERS = {event.__name__: TOPICS[event.TOPIC].owner for event in EVENTS.values()}


def test_catalogue_and_snapshots_follow_from_the_contracts() -> None:
    """A generated document that is out of date is wrong."""
    assert event_files.check(ROOT) == []


def test_a_changed_document_is_noticed(tmp_path: Path) -> None:
    """The check can fail: one altered word is one fault, and rewriting mends it."""
    event_files.write(tmp_path)
    page = tmp_path / "docs/events.md"
    page.write_text(page.read_text().replace("required", "optional", 1))
    assert event_files.check(tmp_path) == ["docs/events.md differs from the code: run `make events`"]
    event_files.write(tmp_path)
    assert event_files.check(tmp_path) == []


def test_a_broken_schema_is_not_written_over(tmp_path: Path) -> None:
    """Rewriting never hides a breach: the frozen file stays and the command names the field."""
    event_files.write(tmp_path)
    frozen = tmp_path / event_files.SNAPSHOTS / "dossier.returned.v1.json"
    old = json.loads(frozen.read_text())
    old["data"]["properties"]["desk"] = {"type": "string"}
    frozen.write_text(json.dumps(old))
    assert event_files.write(tmp_path) == ["dossier.returned.v1.json: /data/desk: the field is removed"]
    assert json.loads(frozen.read_text()) == old


def test_asyncapi_document_has_what_the_specification_demands() -> None:
    """AsyncAPI 3.0.0: `asyncapi` and `info` with title and version; each operation has an action and a channel, and
    its messages are among that channel's; each channel's messages are those of the topic, each with a payload."""
    document = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    channels = document["channels"]
    assert {channel["address"] for channel in channels.values()} == set(TOPICS)
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        channel = operation["channel"]["$ref"]
        name = channel.removeprefix("#/channels/")
        assert name in channels
        for message in operation.get("messages", ()):
            assert message["$ref"].startswith(f"{channel}/messages/")
    published = {topic: {e.TYPE for e in EVENTS.values() if topic == e.TOPIC} for topic in TOPICS}
    for channel in channels.values():
        messages = [_at(document, message["$ref"]) for message in channel["messages"].values()]
        assert {message["name"] for message in messages} == published[channel["address"]]
        assert all("payload" in message for message in messages)


def _at(document: Any, reference: str) -> Any:
    """What a reference within the document leads to; KeyError where it leads nowhere."""
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_asyncapi_references_lead_somewhere() -> None:
    """Every reader follows them."""
    document = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text())

    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref":
                    yield value
                else:
                    yield from references(value)
        elif isinstance(part, list):
            for item in part:
                yield from references(item)

    for reference in set(references(document)):
        _at(document, reference)


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: str(event.TYPE))
def test_lists_of_words_are_open(event: type[EventData]) -> None:
    """A closed list would stop every reader at the first new word: contracts use Open[Literal[...]]."""
    assert '"enum"' not in json.dumps(data_schema(event))


def test_envelope_lists_are_open() -> None:
    """So are the envelope's."""
    assert '"enum"' not in json.dumps(envelope_schema())


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: str(event.TYPE))
def test_no_personal_field_travels(event: type[EventData]) -> None:
    """Names, numbers, addresses and free text about a person live in intake alone."""
    personal = {"full_name", "applicant", "phone", "email", "address", "identity_number", "note", "text_for_applicant"}
    fields = set(data_schema(event)["properties"])
    assert not fields & personal


@pytest.mark.parametrize("service", SERVICES)
def test_topics_have_one_writer(service: str) -> None:
    """A service makes only the events of topics that it owns."""
    foreign = {
        f"{path.relative_to(ROOT)} makes {name}"
        for path in sources(f"services/{service}")
        for name in called(path)
        if _WRITERS.get(name, service) != service
    }
    assert foreign == set()


@pytest.mark.parametrize("service", SERVICES)
def test_readers_are_those_that_the_catalogue_names(service: str) -> None:
    """`shared.contracts.topics` lists the consumers of each topic, and the code agrees."""
    constants = {thing.name: name for name, thing in vars(topics).items() if isinstance(thing, Topic)}
    consumed = {topic for path in sources(f"services/{service}") for topic in _streamed(path)}
    assert consumed == {constants[topic.name] for topic in TOPICS.values() if service in topic.readers}


def _streamed(path: Path) -> Iterator[str]:
    """The topic constants that a file makes streams of, by their own names."""
    own_names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module == "shared.contracts.topics"
        for alias in node.names
    }
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Stream":
            topic = next((word.value for word in node.keywords if word.arg == "topic"), None) or node.args[0]
            yield topic.attr if isinstance(topic, ast.Attribute) else own_names[ast.unparse(topic)]


def test_only_the_publisher_makes_events() -> None:
    """Neither the shell nor the command publishes: an event has a service that decided it."""
    makers = {
        f"{path.relative_to(ROOT)} makes {name}"
        for path in sources("shared", "motcua")
        for name in called(path)
        if name in _WRITERS
    }
    assert makers == set()
