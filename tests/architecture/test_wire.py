"""Event contracts: frozen schemas, open enumerations, one writer per topic, and generated documents."""

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


def test_generated_documents_are_up_to_date() -> None:
    """The event catalogue, the AsyncAPI document and the schema snapshots equal those generated from the code."""
    assert event_files.check(ROOT) == []


def test_edited_document_is_reported(tmp_path: Path) -> None:
    """An edited word in a generated document is reported, and generating the document repairs it."""
    event_files.write(tmp_path)
    page = tmp_path / "docs/events.md"
    page.write_text(page.read_text().replace("required", "optional", 1))
    assert event_files.check(tmp_path) == ["docs/events.md differs from the code: run `make events`"]
    event_files.write(tmp_path)
    assert event_files.check(tmp_path) == []


def test_incompatible_schema_is_not_overwritten(tmp_path: Path) -> None:
    """An incompatible change leaves the frozen schema unchanged, and the command names the field."""
    event_files.write(tmp_path)
    frozen = tmp_path / event_files.SNAPSHOTS / "dossier.returned.v1.json"
    old = json.loads(frozen.read_text())
    old["data"]["properties"]["desk"] = {"type": "string"}
    frozen.write_text(json.dumps(old))
    assert event_files.write(tmp_path) == ["dossier.returned.v1.json: /data/desk: the field is removed"]
    assert json.loads(frozen.read_text()) == old


def test_asyncapi_document_has_required_members() -> None:
    """AsyncAPI 3.0.0 requires `asyncapi`, `info` with title and version, and an action and a channel per operation.

    The messages of an operation are messages of its channel. The messages of a channel are the event types of the
    topic, each with a payload.
    """
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
    """The target of a reference within the document. Raises KeyError if it does not exist."""
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


def test_asyncapi_references_are_resolved() -> None:
    """Each reference within the document has a target."""
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
def test_enumerations_of_event_are_open(event: type[EventData]) -> None:
    """Enumerations of event data use Open[Literal[...]], because a closed one would stop consumers at a new value."""
    assert '"enum"' not in json.dumps(data_schema(event))


def test_enumerations_of_envelope_are_open() -> None:
    """The envelope has no closed enumeration either."""
    assert '"enum"' not in json.dumps(envelope_schema())


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: str(event.TYPE))
def test_event_has_no_personal_field(event: type[EventData]) -> None:
    """Names, numbers, addresses and free text about a person are stored in intake only."""
    personal = {"full_name", "applicant", "phone", "email", "address", "identity_number", "note", "text_for_applicant"}
    fields = set(data_schema(event)["properties"])
    assert not fields & personal


@pytest.mark.parametrize("service", SERVICES)
def test_service_creates_only_its_own_events(service: str) -> None:
    """A service creates only events of the topics that it owns."""
    foreign = {
        f"{path.relative_to(ROOT)} creates {name}"
        for path in sources(f"services/{service}")
        for name in called(path)
        if _WRITERS.get(name, service) != service
    }
    assert foreign == set()


@pytest.mark.parametrize("service", SERVICES)
def test_service_consumes_the_topics_that_name_it(service: str) -> None:
    """`shared.contracts.topics` lists the consumers of each topic, and the code agrees."""
    constants = {thing.name: name for name, thing in vars(topics).items() if isinstance(thing, Topic)}
    consumed = {topic for path in sources(f"services/{service}") for topic in _streamed(path)}
    assert consumed == {constants[topic.name] for topic in TOPICS.values() if service in topic.readers}


def _streamed(path: Path) -> Iterator[str]:
    """The names of the topic constants from which a file creates streams."""
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


def test_only_services_create_events() -> None:
    """Neither `shared` nor the command creates events: each event is the decision of a service."""
    makers = {
        f"{path.relative_to(ROOT)} creates {name}"
        for path in sources("shared", "motcua")
        for name in called(path)
        if name in _WRITERS
    }
    assert makers == set()
