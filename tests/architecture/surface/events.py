"""Kafka surface: topics with their settings, record headers, event attributes and event data."""

import ast
import json
from collections.abc import Iterator

import yaml

from shared.contracts.topics import ALL_TOPICS
from shared.messaging.admin import wanted_configs
from tests.architecture.surface.names import members
from tests.architecture.tree import ROOT, parsed, sources


def collect_topics() -> Iterator[str]:
    """Yield each topic's writer, readers, partitions and settings, for a replication of 1."""
    for topic in ALL_TOPICS:
        yield f"{topic.name} written by {topic.owner}"
        yield from (f"{topic.name} read by {reader}" for reader in topic.readers)
        yield f"{topic.name} partitions {topic.partitions}"
        yield f"{topic.name} key {topic.key}"
        yield from (f"{topic.name} {name} {value}" for name, value in wanted_configs(topic, 1).items())


def collect_events() -> Iterator[str]:
    """Yield names from the schema snapshots and the AsyncAPI document, which test_wire.py compares with the code."""
    for path in sorted((ROOT / "tests/architecture/schemas").glob("*.json")):
        schema = json.loads(path.read_text(encoding="utf-8"))
        if "type" in schema and "topic" in schema:
            at = f"{schema['type']} v{schema['version']}"
            yield f"{at} on {schema['topic']}"
            yield from members(schema["data"], f"{at} data ", request=True)
        else:
            yield from members(schema, f"{path.stem} ", request=True)
    document = yaml.safe_load((ROOT / "docs/asyncapi.yaml").read_text(encoding="utf-8"))
    yield from members(document["components"]["schemas"]["Headers"], "header ", request=True)
    yield from (f"envelope value {form}" for form in _forms() if form.startswith(("/motcua/", "urn:motcua:event:")))


def _forms() -> Iterator[str]:
    """Yield f-strings with an asterisk for each placeholder."""
    for path in sources("shared"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(one.value) if isinstance(one, ast.Constant) else "*" for one in node.values)
