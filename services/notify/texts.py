"""The message texts of a centre, read and checked at start.

The check: every text renders, and no SMS takes more parts than its own `sms_parts` allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain import templates
from shared.catalogue.faults import Faults
from shared.catalogue.message_texts import Expected, MessageBook, MessageTexts, Placeholders, load_messages
from shared.kernel.centre import Centre


def _placeholders(key: str) -> Placeholders:
    template, _, part = key.rpartition(".")
    required = templates.REQUIRED[template]
    if part == "subject":
        return Placeholders(required=frozenset({"dossier"}), optional=required | templates.OPTIONAL)
    return Placeholders(required=required, optional=templates.OPTIONAL)


EXPECTED = Expected(
    texts={key: _placeholders(key) for key in templates.TEXTS}
    | {key: Placeholders(required=required) for key, required in templates.PHRASES.items()},
    numbers=templates.NUMBERS,
)


@dataclass(frozen=True, slots=True)
class Texts:
    """Renders messages from all versions of a centre's texts, with its name, address, hotline and time zone."""

    book: MessageBook
    centre: Centre

    def version_on(self, instant: datetime) -> MessageTexts:
        """Return the version of the texts that is in force on the instant's local date."""
        return self.book.on(self.centre.local_date(instant))

    def fees_counters(self, instant: datetime) -> list[int]:
        """Return the numbers of the counters where fees are paid on the instant's local date."""
        return list(self.centre.counters_on(self.centre.local_date(instant), "fees"))

    def valid_for(self, version: MessageTexts, template: str) -> timedelta:
        """Return for how long after its `valid_from` an alert with this template may be sent."""
        return timedelta(hours=version.numbers[f"{template}.valid_hours"])

    def sms(self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None) -> str:
        """Return the text of the SMS, without diacritics. Raises StartError if the version's file was removed."""
        return templates.render_sms(self._texts(version), template, values, place, self.centre.zone)

    def email(
        self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None
    ) -> tuple[str, str]:
        """Return subject and text of the e-mail. Raises StartError if the version's file was removed."""
        return templates.render_email(self._texts(version), template, values, place, self.centre.zone)

    def _texts(self, version: int) -> Mapping[str, str]:
        return {**self.book.version(version).texts, **_centre_texts(self.centre)}


def _centre_texts(centre: Centre) -> dict[str, str]:
    return {"centre.name": centre.name_vi, "centre.address": centre.address_vi, "centre.hotline": centre.hotline}


def load_texts(centre: Centre) -> Texts:
    """Read and check all versions of the centre's texts. Raises StartError with every fault of every version."""
    book = load_messages(centre.folder, centre.files, EXPECTED)
    faults = Faults()
    for version in book.versions:
        for fault in templates.oversized({**version.texts, **_centre_texts(centre)}, version.numbers, centre.zone):
            faults.add(version.file, fault)
    faults.raise_any(centre.folder)
    return Texts(book, centre)
