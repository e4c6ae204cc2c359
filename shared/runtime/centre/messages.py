"""The texts told to applicants: one TOML file a version in `config/<centre>/messages/`, checked at start."""

import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from shared.kernel.errors import StartError

FOLDER = "messages"


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
        """The version in force on a local date; before the first one starts, the first: a fact is never refused."""
        return next((v for v in reversed(self.versions) if v.valid_from <= day), self.versions[0])

    def version(self, number: int) -> MessageTexts:
        """The version that a message was planned with. Raises StartError when its file was taken away."""
        for texts in self.versions:
            if texts.version == number:
                return texts
        raise StartError(f"messages were planned with version {number} of the texts, which is gone: put its file back")


def load_messages(files: Mapping[str, bytes], expected: Expected) -> MessageBook:
    """The texts among a centre's files (path within its folder -> content, as read and hashed with all the others).

    Raises StartError that lists every wrong place (file, key, what, what to do) of all versions at once.
    """
    problems: list[str] = []
    names = [name for name in sorted(files) if name.startswith(f"{FOLDER}/") and name.endswith(".toml")]
    versions = [found for name in names if (found := _read(name, files[name], expected, problems))]
    versions.sort(key=lambda texts: texts.version)
    for older, newer in pairwise(versions):
        if newer.version == older.version or newer.valid_from <= older.valid_from:
            problems.append(
                f"{newer.file}: version {newer.version} from {newer.valid_from} does not come after"
                f" version {older.version} from {older.valid_from} ({older.file}): raise both"
            )
    if not versions and not problems:
        problems.append(f"{FOLDER}/: no *.toml with texts found: add a first version")
    if problems:
        raise StartError("\n".join(problems))
    return MessageBook(tuple(versions))


def _read(file: str, content: bytes, expected: Expected, problems: list[str]) -> MessageTexts | None:
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problems.append(f"{file}: not TOML in UTF-8: {error}")
        return None
    before = len(problems)
    head = {key: document.pop(key, None) for key in ("version", "valid_from", "decision")}
    for key, kind in (("version", int), ("valid_from", date), ("decision", str)):
        if type(head[key]) is not kind:
            problems.append(f"{file}: {key}: needs a {kind.__name__}, found {head[key]!r}")
    flat = dict(_flatten(document))
    known = expected.texts.keys() | expected.numbers
    problems += [f"{file}: {key}: unknown key: remove it or correct its name" for key in flat.keys() - known]
    problems += [f"{file}: {key}: missing: every version holds every text" for key in sorted(known - flat.keys())]
    for key, placeholders in expected.texts.items():
        if key in flat:
            problems += [f"{file}: {key}: {reason}" for reason in _wrong_in(flat[key], placeholders)]
    for key in expected.numbers & flat.keys():
        if type(flat[key]) is not int or flat[key] < 1:
            problems.append(f"{file}: {key}: needs a whole number from 1 on, found {flat[key]!r}")
    if len(problems) > before:
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
