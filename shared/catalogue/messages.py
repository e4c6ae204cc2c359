"""The texts told to applicants: one TOML file a version in `config/<centre>/messages/`, checked at start."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from shared.catalogue.files import Problems, read_text
from shared.kernel.errors import StartError
from shared.kernel.words import did_you_mean
from shared.runtime import toml

FOLDER = "messages"

_HEAD = {
    "version": (int, "a whole number"),
    "valid_from": (date, "a date, YYYY-MM-DD without quotes"),
    "decision": (str, "a text in double quotes"),
}


@dataclass(frozen=True, slots=True)
class Placeholders:
    """The `{names}` that a text must hold, and those that it may hold besides."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """Every key that a version must have, and no other: dotted names of texts and of whole numbers."""

    texts: Mapping[str, Placeholders]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """One version of the texts: in force from the local date `valid_from`, by `decision`."""

    file: str
    version: int
    valid_from: date
    decision: str
    texts: Mapping[str, str]
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MessageBook:
    """All versions, oldest first. A message keeps the version that it was planned with."""

    versions: tuple[MessageTexts, ...]

    def on(self, day: date) -> MessageTexts:
        """The version in force on a local date; before the first one starts, the first: an event is never refused."""
        return next((v for v in reversed(self.versions) if v.valid_from <= day), self.versions[0])

    def version(self, number: int) -> MessageTexts:
        """The version that a message was planned with. Raises StartError when its file was taken away."""
        for texts in self.versions:
            if texts.version == number:
                return texts
        raise StartError(f"messages were planned with version {number} of the texts, which is gone: put its file back")


def load_messages(folder: Path, files: Mapping[str, bytes], expected: Expected) -> MessageBook:
    """The texts among a centre's files (path within its folder -> content, as read and hashed with all the others).

    Raises StartError that lists every wrong place (file, key, what, what to do) of all versions at once.
    """
    problems = Problems()
    names = [name for name in sorted(files) if name.startswith(f"{FOLDER}/") and name.endswith(".toml")]
    versions = [found for name in names if (found := _read(name, files[name], expected, problems))]
    versions.sort(key=lambda texts: texts.version)
    for older, newer in pairwise(versions):
        if newer.version == older.version or newer.valid_from <= older.valid_from:
            problems.add(
                newer.file,
                f"version {newer.version} from {newer.valid_from} does not come after"
                f" version {older.version} from {older.valid_from} ({older.file}): raise both",
            )
    if not names:
        problems.add(f"{FOLDER}/", "no *.toml with texts found: add a first version")
    problems.raise_any(folder)
    return MessageBook(tuple(versions))


def _read(file: str, content: bytes, expected: Expected, problems: Problems) -> MessageTexts | None:
    text = read_text(file, content, problems)
    if text is None:
        return None
    try:
        document = toml.loads(text)
    except toml.NotTomlError as error:
        problems.add(file, str(error), line=error.line)
        return None
    if not document:
        problems.add(
            file, f"empty: it must hold {', '.join(_HEAD)} and every text; begin with a copy of another version"
        )
        return None
    before = len(problems.found)
    head = {key: document.pop(key, None) for key in _HEAD}
    for key, (kind, wanted) in _HEAD.items():
        if head[key] is None:
            problems.add(file, f"missing: add {wanted}", column=key)
        elif type(head[key]) is not kind:
            problems.add(file, f"{head[key]!r} is not {wanted}", column=key)
    flat = dict(_flatten(document))
    known = expected.texts.keys() | expected.numbers
    missing = sorted(known - flat.keys())
    for key in flat.keys() - known:
        problems.add(file, f"unknown key{did_you_mean(key, missing)}: remove it or mend its name", column=key)
    for key in missing:
        problems.add(file, "missing: every version holds every text", column=key)
    for key, placeholders in expected.texts.items():
        if key in flat:
            for reason in _wrong_in(flat[key], placeholders):
                problems.add(file, reason, column=key)
    for key in expected.numbers & flat.keys():
        if type(flat[key]) is not int or flat[key] < 1:
            problems.add(file, f"needs a whole number from 1 on, found {flat[key]!r}", column=key)
    if len(problems.found) > before:
        return None
    return MessageTexts(
        file=file,
        texts={key: flat[key].strip() for key in expected.texts},
        numbers={key: flat[key] for key in expected.numbers},
        **head,
    )


def _flatten(document: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in document.items():
        pairs += _flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
    return pairs


def _wrong_in(text: Any, placeholders: Placeholders) -> Sequence[str]:
    if not isinstance(text, str) or not text.strip():
        return [f"needs a text, found {text!r}"]
    try:
        fields = [
            (name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(text) if name is not None
        ]
    except ValueError as error:
        return [f"braces do not match: {error}"]
    known = placeholders.required | placeholders.optional
    used = {name for name, _, _ in fields}
    wrong = [
        f"{{{name}}}: write a bare name, without format or conversion" for name, spec, how in fields if spec or how
    ]
    wrong += [
        f"unknown placeholder {{{name}}}; known here: {', '.join(sorted(known))}" for name in sorted(used - known)
    ]
    wrong += [f"placeholder {{{name}}} is missing" for name in sorted(placeholders.required - used)]
    return wrong
