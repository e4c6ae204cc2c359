"""Every number that the half year is drawn from, with its source; most are invented, and each says so itself."""

# ruff: noqa: RUF009 - _figure makes a field, with its value and its story

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from typing import Any

INVENTED = "invented"
LETTER = "letter 24/TTHCC-CV of 6 November 2017"
BEN_TRE = "baodongkhoi.vn a78881 (Bến Tre's centre, third quarter of 2020)"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number (or table of numbers) as it is told to a reader."""

    name: str
    value: Any
    says: str
    source: str

    @property
    def invented(self) -> bool:
        """Whether it was made up for want of a source."""
        return self.source.startswith(INVENTED)


def _figure(value: Any, says: str, source: str = INVENTED) -> Any:
    """A field with its default and its story; mutable values are read-only by their type."""
    return field(default_factory=lambda: value, metadata={"says": says, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers. Chances are shares of 1, `spread` is the standard deviation of a logarithm."""

    opens_on: date = _figure(date(2017, 4, 28), "the centre's first day", LETTER)
    ends_on: date = _figure(date(2017, 11, 6), "the day of the letter, the last one drawn", LETTER)
    total: int = _figure(25_300, "dossiers expected in the whole time; the letter says: more than 25,000", LETTER)
    shares: Mapping[str, float] = _figure(
        {"CA": 0.306, "SCT": 0.147, "SGTVT": 0.119, "STNMT": 0.089, "SNNPTNT": 0.085, "STP": 0.084},
        "share of all dossiers, of the six largest departments",
        BEN_TRE,
    )
    small: Mapping[str, float] = _figure(
        {"STTTT": 5.6, "BHXH": 5.2, "SVHTTDL": 4.8, "STC": 4.4, "BQLKKT": 4.0, "SKHCN": 3.4},
        "weight, close to dossiers a week, of the six that stay below ten a week",
        "invented; that these six are among the lowest: " + BEN_TRE,
    )
    hovering: Mapping[str, float] = _figure(
        {"SNV": 10.4, "SNgV": 10.2}, "weight, close to dossiers a week, of the two that hover around ten a week"
    )
    middling: Mapping[str, float] = _figure(
        {"SKHDT": 29.0, "SXD": 24.0, "SLDTBXH": 21.0, "SYT": 18.5, "SGDDT": 17.5},
        "weight, close to dossiers a week, of the other five",
    )
    small_below: int = _figure(9, "what a small department's full week of five working days stays below")
    seasons: Mapping[int, float] = _figure(
        {4: 0.6, 5: 0.92, 6: 1.0, 7: 1.06, 8: 1.05, 9: 0.97, 10: 1.03, 11: 1.03}, "rush of each month against the mean"
    )
    weekdays: Mapping[int, float] = _figure(
        {1: 1.22, 2: 1.06, 3: 1.0, 4: 0.94, 5: 0.78, 6: 0.9, 7: 0.9}, "rush of each weekday, Monday = 1"
    )
    working_day_shape: tuple[float, ...] = _figure(
        (0.12, 0.15, 0.15, 0.12, 0.05, 0.05, 0.12, 0.11, 0.08, 0.05), "arrivals in each tenth of the day's working time"
    )
    online_day_shape: tuple[float, ...] = _figure(
        (0.02, 0.01, 0.05, 0.16, 0.18, 0.1, 0.15, 0.13, 0.07, 0.06, 0.05, 0.02),
        "online submissions in each twelfth of the day, nights included",
    )
    channels: Mapping[str, float] = _figure(
        {"counter": 0.93, "post": 0.03, "online": 0.04}, "share of each channel; what comes by the counter or by post"
    )
    short_terms_first: float = _figure(1.1, "how fast a department's procedures fall off, shortest terms first")
    without_contact: float = _figure(0.07, "chance that an applicant leaves no phone and no e-mail")
    with_email: float = _figure(0.12, "chance that an applicant leaves an e-mail address")
    eleven_digits: float = _figure(0.55, "chance that a phone number has the eleven digits of before 2018")
    at_another_counter: float = _figure(0.003, "chance that a dossier is received at another department's counter")
    papers_lacking: float = _figure(0.035, "chance that papers are missing before receipt (form 02)")
    not_coming_back: float = _figure(0.06, "chance that an applicant who is asked for papers never brings them")
    refused: float = _figure(0.006, "chance that a request is refused (form 03)")
    paper_days: float = _figure(2.5, "median of working days until asked-for papers or payments come")
    paper_spread: float = _figure(0.7, "spread of those days")
    supplement: float = _figure(0.045, "chance that the department asks for papers after receipt")
    payment: Mapping[str, float] = _figure(
        {"STNMT": 0.18, "SXD": 0.08, "SGTVT": 0.02}, "chance that a payment is asked for, by department"
    )
    payment_vnd: tuple[int, int] = _figure((60, 4_000), "least and most that is to be paid, in thousands of đồng")
    give_up_days: int = _figure(30, "working days after which the department stops waiting for papers (form 05)")
    withdrawn: float = _figure(0.004, "chance that the applicant takes the request back")
    corrected: float = _figure(0.01, "chance that the applicant's contact is corrected")
    rejected: float = _figure(0.015, "chance that the decision is no")
    electronic: float = _figure(0.3, "chance that an online request's result is electronic")
    handling_share: float = _figure(0.55, "median handling time, as a share of the procedure's term in working time")
    handling_spread: float = _figure(0.27, "spread of the handling time")
    same_day_minutes: float = _figure(45.0, "median handling time of a same-day procedure, in working minutes")
    same_day_spread: float = _figure(0.45, "spread of a same-day procedure's handling time")
    no_term_days: float = _figure(8.0, "stands in for the term, in working days, where the law gives none")
    officer_spread: float = _figure(0.08, "spread of the officers' pace around the median")
    desk_hours: float = _figure(1.2, "median of working hours until an officer takes a dossier over")
    desk_spread: float = _figure(0.8, "spread of those hours")
    online_minutes: float = _figure(45.0, "median of working minutes until a clerk looks at an online submission")
    batch_before_close: timedelta = _figure(
        timedelta(minutes=15), "papers and results travel this long before each window closes"
    )
    steps: tuple[int, int] = _figure((0, 2), "least and most entries of the control slip besides the acts")
    pick_up_days: tuple[float, ...] = _figure(
        (0.2, 0.3, 0.18, 0.1, 0.07, 0.05, 0.03, 0.03, 0.02, 0.02),
        "share of results fetched 0, 1, 2… working days after their arrival",
    )

    def departments(self) -> dict[str, float]:
        """Each department's share of all dossiers; together 1."""
        others = {**self.small, **self.hovering, **self.middling}
        rest = (1.0 - sum(self.shares.values())) / sum(others.values())
        return {**self.shares, **{code: weight * rest for code, weight in others.items()}}

    def listed(self) -> Iterator[Figure]:
        """Every number with what it says and where it comes from."""
        for entry in fields(self):
            yield Figure(entry.name, getattr(self, entry.name), entry.metadata["says"], entry.metadata["source"])

    def invented(self) -> Iterator[Figure]:
        """Those that were made up."""
        return (figure for figure in self.listed() if figure.invented)


MADE_UP_PEOPLE = "names, phone numbers, e-mail addresses and reasons are made up from lists of words and digits"
"""Said beside the numbers: nothing in the half year is about a person."""
