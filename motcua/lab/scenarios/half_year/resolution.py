"""How a received dossier is worked on, decided, and fetched."""

from collections.abc import Callable
from datetime import datetime, timedelta

from motcua.lab.past_acts import Doer
from motcua.lab.scenarios.half_year.applicants import phone
from motcua.lab.scenarios.half_year.arrivals import term_time
from motcua.lab.scenarios.half_year.dossier import Life, clerk_at
from motcua.lab.scenarios.half_year.random_stream import Lots
from motcua.lab.scenarios.half_year.reception import UNENTERED_PAPERS, brought, fetched

_STEPS = ("Thẩm định hồ sơ", "Lấy ý kiến phòng chuyên môn", "Kiểm tra thực tế", "Trình lãnh đạo ký")
_SHORT = timedelta(hours=8)
_MINUTE = timedelta(minutes=1)

Event = Callable[[Life, datetime], bool]
"""What happens to a dossier at work, at an instant; False: the work ends with it."""


def work(life: Life) -> bool:
    """From receipt to the decision; False where it ends before. The pace follows the term, whatever comes of it."""
    received = life.last
    duration = _handling_time(life)
    short = duration <= _SHORT
    if life.arrival.channel != "online" and not _hand_over(life, short=short):
        return False
    desk = _MINUTE * life.lots.between(3, 12) if short else _desk_time(life)
    taken = life.worked(life.last, desk)
    if taken is None:
        return False
    life.act("take_over", life.officer, taken)
    spent = life.place.worktime.elapsed(received, life.last)
    left = max(duration - spent, _MINUTE * 10)
    done, start = 0.0, life.last
    for share, event in _events(life, short=short):
        at = life.worked(start, left * (share - done))
        if at is None or not event(life, at):
            return False
        done, start = share, life.last
    settled = life.worked(start, left * (1 - done))
    if settled is None:
        return False
    return _settle(life, settled)


def give_back(life: Life) -> None:
    """From the decision to the applicant's hands."""
    figures, lots, results = life.place.figures, life.lots, _results_clerk(life)
    if life.acts[-1].data.get("electronic_result"):
        sent = life.worked(life.last, 5 * _MINUTE)
        if sent is not None:
            life.act("return_result", results, sent, way="electronic")
        return
    arrived = life.place.next_batch(life.last)
    if arrived is None:
        return
    life.act("result_arrived", results, arrived)
    by_post = life.arrival.channel == "post"
    days = 1 if by_post else lots.weighted(dict(enumerate(figures.pick_up_days)))
    back = life.place.visit(life.last, days, lots)
    if back is not None:
        life.act("return_result", results, back, way="post" if by_post else "counter")


def _handling_time(life: Life) -> timedelta:
    figures, term = life.place.figures, life.arrival.procedure.term
    pace = Lots(life.place.seed, "officer", life.officer.id).around(1.0, figures.officer_spread)
    if term is not None and term.unit == "same_day":
        return _MINUTE * (pace * life.lots.around(figures.same_day_minutes, figures.same_day_spread))
    share = pace * life.lots.around(figures.handling_share, figures.handling_spread)
    return term_time(life.arrival.procedure, life.place.standard_day, figures) * share


def _desk_time(life: Life) -> timedelta:
    figures = life.place.figures
    return timedelta(hours=life.lots.around(figures.desk_hours, figures.desk_spread))


def _hand_over(life: Life, *, short: bool) -> bool:
    """The papers go to the department: with the next run, or at once where the work is short. A batch is what one clerk
    gives one officer then."""
    at = life.worked(life.last, _MINUTE * life.lots.between(6, 15)) if short else life.place.next_batch(life.last)
    if at is None:
        return False
    local = at.astimezone(life.place.worktime.zone)
    batch = f"{local:%y%m%d-%H%M}-{life.clerk.counter}-{life.officer.id.removeprefix('officer-')}"
    life.act("hand_over", life.clerk, at, batch=batch, given_by=life.clerk.id, taken_by=life.officer.id)
    return True


def _events(life: Life, *, short: bool) -> list[tuple[float, Event]]:
    """What happens on the way, each after its share of the work, in order."""
    figures, lots = life.place.figures, life.lots
    events: list[tuple[float, Event]] = []
    if not short:
        steps = lots.whole(*figures.steps)
        events += [(lots.between(0.1, 0.95), _record_step) for _ in range(steps)]
        if lots.happens(figures.supplement):
            events.append((lots.between(0.1, 0.6), _ask_supplement))
        if lots.happens(figures.payment.get(life.arrival.department, 0.0)):
            events.append((lots.between(0.4, 0.9), _ask_payment))
    if lots.happens(figures.corrected):
        events.append((lots.between(0.05, 0.9), _correct_contact))
    if lots.happens(figures.withdrawn):
        events.append((lots.between(0.1, 0.9), _withdraw))
    return sorted(events, key=lambda event: event[0])


def _record_step(life: Life, at: datetime) -> bool:
    life.act("record_step", life.officer, at, activity=life.lots.one_of(_STEPS))
    return True


def _ask_supplement(life: Life, at: datetime) -> bool:
    needs = life.requirements()
    paper = life.lots.one_of(UNENTERED_PAPERS) if needs is None else life.lots.one_of(needs).key
    life.act("ask_supplement", life.officer, at, papers=[paper], reason="Giấy tờ đã nộp chưa hợp lệ")
    back = brought(life)
    if back is not None:
        need = next((need for need in needs or () if need.key == paper), None)
        life.act("supplement_received", life.clerk, back, documents=[life.document(need)])
        return True
    given_up = life.worked(life.last, life.place.standard_day * life.place.figures.give_up_days)
    if given_up is not None:
        life.act("stop", life.officer, given_up, reason="Quá hạn bổ sung mà không nhận được giấy tờ")
    return False


def _ask_payment(life: Life, at: datetime) -> bool:
    amount = life.lots.whole(*life.place.figures.payment_vnd) * 1000
    life.act("ask_payment", life.officer, at, amount_vnd=amount)
    back = fetched(life)
    if back is None:
        return False
    life.act("paid", life.clerk, back)
    return True


def _correct_contact(life: Life, at: datetime) -> bool:
    person = {**life.person, "phone": phone(life.lots, life.place.figures)}
    life.act("correct_contact", life.clerk, at, applicant=person)
    return True


def _withdraw(life: Life, at: datetime) -> bool:
    life.act("withdraw", life.clerk, at, reason="Người nộp xin rút hồ sơ")
    return False


def _settle(life: Life, at: datetime) -> bool:
    figures, lots = life.place.figures, life.lots
    if lots.happens(figures.rejected):
        life.act("settle", life.officer, at, outcome="rejected", reason="Không đủ điều kiện theo quy định")
    elif life.arrival.channel == "online" and lots.happens(figures.electronic):
        life.act("settle", life.officer, at, outcome="approved", electronic_result=True)
    else:
        life.act("settle", life.officer, at, outcome="approved")
    return True


def _results_clerk(life: Life) -> Doer:
    """Whoever hands results out on that day: a counter of its own, or the one that received."""
    counters = life.place.centre.counters_on(life.day, "results")
    return clerk_at(life.lots.one_of(counters)) if counters else life.clerk
