"""The texts of a centre, read and proved at start: every one renders, and no SMS costs more than it states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from services.notify.domain import texts as rules
from shared.kernel.centre import Centre
from shared.kernel.errors import StartError
from shared.runtime.centre.messages import Expected, MessageBook, MessageTexts, Placeholders, load_messages


def _placeholders(key: str) -> Placeholders:
    template, _, part = key.rpartition(".")
    needed = rules.NEEDED[template]
    if part == "subject":
        return Placeholders(required=frozenset({"dossier"}), optional=needed | rules.OFFERED)
    return Placeholders(required=needed, optional=rules.OFFERED)


EXPECTED = Expected(
    texts={key: _placeholders(key) for key in rules.TEXTS}
    | {key: Placeholders(required=needed) for key, needed in rules.PHRASES.items()},
    numbers=rules.NUMBERS,
)


@dataclass(frozen=True, slots=True)
class Texts:
    """All versions of a centre's texts, with what the centre says of itself (name, address, hotline), in its zone."""

    book: MessageBook
    centre: Mapping[str, str]
    zone: tzinfo

    def version_on(self, instant: datetime) -> MessageTexts:
        """The version in force on the instant's local date."""
        return self.book.on(instant.astimezone(self.zone).date())

    def valid_for(self, version: MessageTexts, template: str) -> timedelta:
        """How long after its fact an alert is worth sending."""
        return timedelta(hours=version.numbers[f"{template}.valid_hours"])

    def sms(self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None) -> str:
        """The SMS in plain letters."""
        return rules.render_sms(self._of(version), template, values, place, self.zone)

    def email(
        self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None
    ) -> tuple[str, str]:
        """Subject and text of the e-mail."""
        return rules.render_email(self._of(version), template, values, place, self.zone)

    def _of(self, version: int) -> Mapping[str, str]:
        return {**self.book.version(version).texts, **self.centre}


def load_texts(centre: Centre) -> Texts:
    """The centre's texts. Raises StartError that lists every wrong place of every version."""
    book = load_messages(centre.files, EXPECTED)
    own = {"centre.name": centre.name_vi, "centre.address": centre.address_vi, "centre.hotline": centre.hotline}
    faults = [
        f"{version.file}: {fault}"
        for version in book.versions
        for fault in rules.too_long({**version.texts, **own}, version.numbers, centre.zone)
    ]
    if faults:
        raise StartError("\n".join(faults))
    return Texts(book, own, centre.zone)
