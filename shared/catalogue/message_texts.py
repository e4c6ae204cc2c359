"""The texts of messages to applicants: one TOML file per version in `config/<centre>/messages/`, checked at start."""

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from shared.catalogue.faults import Faults
from shared.catalogue.files import read_text
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
    """The names of the placeholders (written `{name}`) that a text must contain, and of those that it may contain."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """The keys that every version must have, and no others: the dotted names of its texts and of its whole numbers."""

    texts: Mapping[str, Placeholders]
    numbers: frozenset[str]


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """One version of the texts, in force from the local date `valid_from` until the next version, by `decision`."""

    file: str
    version: int
    valid_from: date
    decision: str
    texts: Mapping[str, str]
    numbers: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MessageBook:
    """All versions of the texts, oldest first. A message is sent with the version with which it was planned."""

    versions: tuple[MessageTexts, ...]

    def on(self, day: date) -> MessageTexts:
        """The version in force on a local date; the first version for dates before all of them."""
        return next((v for v in reversed(self.versions) if v.valid_from <= day), self.versions[0])

    def version(self, number: int) -> MessageTexts:
        """The version with this number. Raises StartError if its file was removed."""
        for texts in self.versions:
            if texts.version == number:
                return texts
        raise StartError(
            f"Messages were planned with version {number} of the texts, but its file is missing. Restore it."
        )


def load_messages(folder: Path, files: Mapping[str, bytes], expected: Expected) -> MessageBook:
    """Parse and check every version of the texts in `files`, the content of a centre's files by path. Reads no disk.

    Raises StartError that lists every fault of every version, with file, key and what to do. `folder` is only for the
    message.
    """
    faults = Faults()
    names = [name for name in sorted(files) if name.startswith(f"{FOLDER}/") and name.endswith(".toml")]
    versions = [found for name in names if (found := _read(name, files[name], expected, faults))]
    versions.sort(key=lambda texts: texts.version)
    for older, newer in pairwise(versions):
        if newer.version == older.version or newer.valid_from <= older.valid_from:
            faults.add(
                newer.file,
                f"Version {newer.version} of {newer.valid_from} is not after version {older.version} of "
                f"{older.valid_from} ({older.file}). Increase the version and the date.",
            )
    if not names:
        faults.add(f"{FOLDER}/", "The folder has no *.toml with texts. Add a first version.")
    faults.raise_any(folder)
    return MessageBook(tuple(versions))


def _read(file: str, content: bytes, expected: Expected, faults: Faults) -> MessageTexts | None:
    text = read_text(file, content, faults)
    if text is None:
        return None
    try:
        document = toml.parse(text)
    except toml.NotTomlError as error:
        faults.add(file, str(error), line=error.line)
        return None
    if not document:
        faults.add(file, f"The file is empty. It needs {', '.join(_HEAD)} and every text; copy another version.")
        return None
    before = len(faults.found)
    head = {key: document.pop(key, None) for key in _HEAD}
    for key, (kind, expected_value) in _HEAD.items():
        if head[key] is None:
            faults.add(file, f"The key is missing. Add {expected_value}.", column=key)
        elif type(head[key]) is not kind:
            faults.add(file, f"{head[key]!r} is not {expected_value}.", column=key)
    flat = dict(_flatten(document))
    known = expected.texts.keys() | expected.numbers
    missing = sorted(known - flat.keys())
    for key in flat.keys() - known:
        faults.add(file, f"Unknown key{did_you_mean(key, missing)}. Remove it, or correct its name.", column=key)
    for key in missing:
        faults.add(file, "The key is missing. Every version needs every text.", column=key)
    for key, placeholders in expected.texts.items():
        if key in flat:
            for reason in _faults_of(flat[key], placeholders):
                faults.add(file, reason, column=key)
    for key in expected.numbers & flat.keys():
        if type(flat[key]) is not int or flat[key] < 1:
            faults.add(file, f"{flat[key]!r} is not a whole number of at least 1.", column=key)
    if len(faults.found) > before:
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


def _faults_of(text: Any, placeholders: Placeholders) -> Sequence[str]:
    if not isinstance(text, str) or not text.strip():
        return [f"{text!r} is not a text. Write one in double quotes."]
    try:
        fields = [
            (name, spec, conversion) for _, name, spec, conversion in string.Formatter().parse(text) if name is not None
        ]
    except ValueError as error:
        return [f"The braces do not match: {error}."]
    known = placeholders.required | placeholders.optional
    used = {name for name, _, _ in fields}
    faults = [f"Write {{{name}}} without a format or conversion." for name, spec, how in fields if spec or how]
    faults += [
        f"Unknown placeholder {{{name}}}. Known here: {', '.join(sorted(known))}." for name in sorted(used - known)
    ]
    faults += [f"Placeholder {{{name}}} is missing." for name in sorted(placeholders.required - used)]
    return faults
