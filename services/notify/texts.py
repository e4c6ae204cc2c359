"""The texts of a centre, read and proved at start: every one renders, and no SMS costs more than it states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.notify.domain import texts as rules
from shared.catalogue.faults import Faults
from shared.catalogue.message_texts import Expected, MessageBook, MessageTexts, Placeholders, load_messages
from shared.kernel.centre import Centre


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
    """All versions of a centre's texts, told with its name, address, hotline and counters, in its zone."""

    book: MessageBook
    centre: Centre

    def version_on(self, instant: datetime) -> MessageTexts:
        """The version in force on the instant's local date."""
        return self.book.on(self.centre.local_date(instant))

    def fees_counters(self, instant: datetime) -> list[int]:
        """The numbers of the counters where fees are paid on the instant's local date."""
        return list(self.centre.counters_on(self.centre.local_date(instant), "fees"))

    def valid_for(self, version: MessageTexts, template: str) -> timedelta:
        """How long after its event an alert is worth sending."""
        return timedelta(hours=version.numbers[f"{template}.valid_hours"])

    def sms(self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None) -> str:
        """The SMS in plain letters."""
        return rules.render_sms(self._of(version), template, values, place, self.centre.zone)

    def email(
        self, version: int, template: str, values: Mapping[str, Any], place: Mapping[str, Any] | None
    ) -> tuple[str, str]:
        """Subject and text of the e-mail."""
        return rules.render_email(self._of(version), template, values, place, self.centre.zone)

    def _of(self, version: int) -> Mapping[str, str]:
        return {**self.book.version(version).texts, **_own(self.centre)}


def _own(centre: Centre) -> dict[str, str]:
    return {"centre.name": centre.name_vi, "centre.address": centre.address_vi, "centre.hotline": centre.hotline}


def load_texts(centre: Centre) -> Texts:
    """The centre's texts. Raises StartError that lists every wrong place of every version."""
    book = load_messages(centre.folder, centre.files, EXPECTED)
    faults = Faults()
    for version in book.versions:
        for fault in rules.too_long({**version.texts, **_own(centre)}, version.numbers, centre.zone):
            faults.add(version.file, fault)
    faults.raise_any(centre.folder)
    return Texts(book, centre)
