"""Parameters of the half year, each with its meaning and source. Most are invented, and marked as such."""

# ruff: noqa: RUF009 - _parameter makes a field, with its value, meaning and source

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

INVENTED = "invented"
LETTER = "letter 24/TTHCC-CV of 6 November 2017"
BEN_TRE = "baodongkhoi.vn a78881 (Bến Tre's centre, third quarter of 2020)"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter for display: a number, date or table, with its meaning and source."""

    name: str
    value: Any
    meaning: str
    source: str

    @property
    def invented(self) -> bool:
        """Whether the value is invented because no source gives it."""
        return self.source.startswith(INVENTED)


def _parameter(value: Any, meaning: str, source: str = INVENTED) -> Any:
    """Return a dataclass field with this default value, and its meaning and source as metadata.

    All instances share the value, so a mutable one must be annotated with a read-only type such as Mapping.
    """
    return field(default_factory=lambda: value, metadata={"meaning": meaning, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """All parameters of the draw. Probabilities are from 0 to 1; a spread is the standard deviation of a logarithm."""

    opens_on: date = _parameter(date(2017, 4, 28), "the centre's first day", LETTER)
    ends_on: date = _parameter(date(2017, 11, 6), "the day of the letter, the last one drawn", LETTER)
    total: int = _parameter(25_300, "dossiers expected in all; the letter gives more than 25,000", LETTER)
    shares: Mapping[str, float] = _parameter(
        {"CA": 0.306, "SCT": 0.147, "SGTVT": 0.119, "STNMT": 0.089, "SNNPTNT": 0.085, "STP": 0.084},
        "share of all dossiers, for the six largest departments",
        BEN_TRE,
    )
    small: Mapping[str, float] = _parameter(
        {"STTTT": 5.6, "BHXH": 5.2, "SVHTTDL": 4.8, "STC": 4.4, "BQLKKT": 4.0, "SKHCN": 3.4},
        "weight, about dossiers per week, of the six departments that stay below ten per week",
        "invented; that these six are among the lowest: " + BEN_TRE,
    )
    hovering: Mapping[str, float] = _parameter(
        {"SNV": 10.4, "SNgV": 10.2},
        "weight, about dossiers per week, of the two departments that vary around ten per week",
    )
    middling: Mapping[str, float] = _parameter(
        {"SKHDT": 29.0, "SXD": 24.0, "SLDTBXH": 21.0, "SYT": 18.5, "SGDDT": 17.5},
        "weight, about dossiers per week, of the other five departments",
    )
    small_below: int = _parameter(9, "limit below which a small department's week of five working days stays")
    seasons: Mapping[int, float] = _parameter(
        {4: 0.6, 5: 0.92, 6: 1.0, 7: 1.06, 8: 1.05, 9: 0.97, 10: 1.03, 11: 1.03},
        "number of arrivals in each month, relative to the mean",
    )
    weekdays: Mapping[int, float] = _parameter(
        {1: 1.22, 2: 1.06, 3: 1.0, 4: 0.94, 5: 0.78, 6: 0.9, 7: 0.9},
        "relative number of arrivals on each weekday; 1 is Monday",
    )
    working_day_shape: tuple[float, ...] = _parameter(
        (0.12, 0.15, 0.15, 0.12, 0.05, 0.05, 0.12, 0.11, 0.08, 0.05),
        "share of arrivals in each tenth of the day's working time",
    )
    online_day_shape: tuple[float, ...] = _parameter(
        (0.02, 0.01, 0.05, 0.16, 0.18, 0.1, 0.15, 0.13, 0.07, 0.06, 0.05, 0.02),
        "share of online submissions in each twelfth of the day, nights included",
    )
    channels: Mapping[str, float] = _parameter(
        {"counter": 0.93, "post": 0.03, "online": 0.04}, "share of each channel in all dossiers"
    )
    short_terms_first: float = _parameter(
        1.1, "exponent by which demand falls with the rank of a department's procedures, shortest term first"
    )
    without_contact: float = _parameter(0.07, "probability that an applicant leaves no phone and no e-mail")
    with_email: float = _parameter(0.12, "probability that an applicant leaves an e-mail address")
    eleven_digits: float = _parameter(0.55, "probability that a phone number has the eleven digits used before 2018")
    at_another_counter: float = _parameter(
        0.003, "probability that a dossier is received at another department's counter"
    )
    papers_lacking: float = _parameter(0.035, "probability that papers are missing before receipt (form 02)")
    not_coming_back: float = _parameter(
        0.06, "probability that an applicant never brings the papers that were requested"
    )
    refused: float = _parameter(0.006, "probability that a request is refused (form 03)")
    paper_days: float = _parameter(2.5, "median of working days until requested papers or payments come")
    paper_spread: float = _parameter(0.7, "spread of those days")
    supplement: float = _parameter(0.045, "probability that the department requests papers after receipt")
    payment: Mapping[str, float] = _parameter(
        {"STNMT": 0.18, "SXD": 0.08, "SGTVT": 0.02}, "probability that a payment is requested, by department"
    )
    payment_vnd: tuple[int, int] = _parameter((60, 4_000), "least and largest payment, in thousands of đồng")
    give_up_days: int = _parameter(30, "working days after which the department stops waiting for papers (form 05)")
    withdrawn: float = _parameter(0.004, "probability that the applicant withdraws the request")
    corrected: float = _parameter(0.01, "probability that the applicant's contact is corrected")
    rejected: float = _parameter(0.015, "probability that the decision is negative")
    electronic: float = _parameter(0.3, "probability that the result of an online request is electronic")
    handling_share: float = _parameter(0.55, "median handling time, as a share of the procedure's term in working time")
    handling_spread: float = _parameter(0.27, "spread of the handling time")
    same_day_minutes: float = _parameter(45.0, "median handling time of a same-day procedure, in working minutes")
    same_day_spread: float = _parameter(0.45, "spread of a same-day procedure's handling time")
    no_term_days: float = _parameter(8.0, "working days used as the term of a procedure without one")
    officer_spread: float = _parameter(0.08, "spread of the officers' pace around the median")
    desk_hours: float = _parameter(1.2, "median of working hours until an officer takes a dossier over")
    desk_spread: float = _parameter(0.8, "spread of those hours")
    online_minutes: float = _parameter(45.0, "median of working minutes until a clerk opens an online submission")
    batch_before_close: timedelta = _parameter(
        timedelta(minutes=15), "time before the close of each window at which papers and results are carried"
    )
    steps: tuple[int, int] = _parameter((0, 2), "least and most control slip entries in addition to the acts")
    pick_up_days: tuple[float, ...] = _parameter(
        (0.2, 0.3, 0.18, 0.1, 0.07, 0.05, 0.03, 0.03, 0.02, 0.02),
        "share of results fetched 0, 1, 2… working days after their arrival",
    )

    def departments(self) -> dict[str, float]:
        """Return the share of all dossiers of each department, by its code. The shares sum to 1."""
        others = {**self.small, **self.hovering, **self.middling}
        rest = (1.0 - sum(self.shares.values())) / sum(others.values())
        return {**self.shares, **{code: weight * rest for code, weight in others.items()}}

    def listed(self) -> Iterator[Parameter]:
        """Yield every parameter with its meaning and source."""
        for entry in fields(self):
            yield Parameter(entry.name, getattr(self, entry.name), entry.metadata["meaning"], entry.metadata["source"])


INVENTED_PEOPLE = "names, phone numbers, e-mail addresses and reasons are made from lists of words and digits"
"""Shown next to the parameters: the half year contains no data about a real person."""
