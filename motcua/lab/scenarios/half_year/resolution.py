"""Resolution of a drawn dossier: it is handed over, processed and settled, and its result is returned."""

from collections.abc import Callable
from datetime import datetime, timedelta

from motcua.lab.past_acts import PastActor
from motcua.lab.scenarios.half_year.applicants import phone
from motcua.lab.scenarios.half_year.arrivals import term_time
from motcua.lab.scenarios.half_year.dossier import DrawnDossier, clerk_at
from motcua.lab.scenarios.half_year.random_stream import RandomStream
from motcua.lab.scenarios.half_year.reception import UNENTERED_PAPERS, next_delivery, next_visit

_STEPS = ("Thẩm định hồ sơ", "Lấy ý kiến phòng chuyên môn", "Kiểm tra thực tế", "Trình lãnh đạo ký")
_SHORT = timedelta(hours=8)
_MINUTE = timedelta(minutes=1)

Incident = Callable[[DrawnDossier, datetime], bool]
"""Adds acts during processing, at an instant. Returns False if the processing ends with them."""


def process(dossier: DrawnDossier) -> bool:
    """Draw and add the acts after the receipt, up to settlement. Return whether the dossier is settled.

    The drawn handling time depends on the procedure's term; a wait for papers or a payment is added to it. A dossier is
    not settled if it is withdrawn or stopped, or if the calendar ends before.
    """
    received = dossier.last
    duration = _handling_time(dossier)
    short = duration <= _SHORT
    if dossier.arrival.channel != "online" and not _hand_over(dossier, short=short):
        return False
    desk = _MINUTE * dossier.stream.uniform(3, 12) if short else _desk_time(dossier)
    taken = dossier.after_working(dossier.last, desk)
    if taken is None:
        return False
    dossier.add("take_over", dossier.officer, taken)
    spent = dossier.context.worktime.elapsed(received, dossier.last)
    left = max(duration - spent, _MINUTE * 10)
    done, start = 0.0, dossier.last
    for share, incident in _incidents(dossier, short=short):
        at = dossier.after_working(start, left * (share - done))
        if at is None or not incident(dossier, at):
            return False
        done, start = share, dossier.last
    settled = dossier.after_working(start, left * (1 - done))
    if settled is None:
        return False
    _settle(dossier, settled)
    return True


def return_result(dossier: DrawnDossier) -> None:
    """Draw and add the acts after the settlement, up to the return of the result to the applicant.

    Acts that would be after the end of the calendar are left out.
    """
    parameters, stream, results = dossier.context.parameters, dossier.stream, _results_clerk(dossier)
    if dossier.acts[-1].data.get("electronic_result"):
        sent = dossier.after_working(dossier.last, 5 * _MINUTE)
        if sent is not None:
            dossier.add("return_result", results, sent, way="electronic")
        return
    arrived = dossier.context.next_run(dossier.last)
    if arrived is None:
        return
    dossier.add("result_arrived", results, arrived)
    by_post = dossier.arrival.channel == "post"
    days = 1 if by_post else stream.weighted_choice(dict(enumerate(parameters.pick_up_days)))
    back = dossier.context.visit(dossier.last, days, stream)
    if back is not None:
        dossier.add("return_result", results, back, way="post" if by_post else "counter")


def _handling_time(dossier: DrawnDossier) -> timedelta:
    parameters, term = dossier.context.parameters, dossier.arrival.procedure.term
    officer = RandomStream(dossier.context.seed, "officer", dossier.officer.id)
    pace = officer.lognormal(1.0, parameters.officer_spread)
    if term is not None and term.unit == "same_day":
        return _MINUTE * (pace * dossier.stream.lognormal(parameters.same_day_minutes, parameters.same_day_spread))
    share = pace * dossier.stream.lognormal(parameters.handling_share, parameters.handling_spread)
    return term_time(dossier.arrival.procedure, dossier.context.standard_day, parameters) * share


def _desk_time(dossier: DrawnDossier) -> timedelta:
    parameters = dossier.context.parameters
    return timedelta(hours=dossier.stream.lognormal(parameters.desk_hours, parameters.desk_spread))


def _hand_over(dossier: DrawnDossier, *, short: bool) -> bool:
    """Add the hand-over of the papers to the department: with the next run, or in minutes if handling is short.

    All that one clerk hands to one officer in the same minute has one batch number. Return False, without an act, if
    the calendar ends before.
    """
    if short:
        at = dossier.after_working(dossier.last, _MINUTE * dossier.stream.uniform(6, 15))
    else:
        at = dossier.context.next_run(dossier.last)
    if at is None:
        return False
    local = at.astimezone(dossier.context.worktime.zone)
    batch = f"{local:%y%m%d-%H%M}-{dossier.clerk.counter}-{dossier.officer.id.removeprefix('officer-')}"
    clerk, officer = dossier.clerk, dossier.officer
    dossier.add("hand_over", clerk, at, batch=batch, given_by=clerk.id, taken_by=officer.id)
    return True


def _incidents(dossier: DrawnDossier, *, short: bool) -> list[tuple[float, Incident]]:
    """Draw the incidents during processing, in order. Adds no acts.

    Each is returned with the share (0 to 1) of the work done before it, and as the function that adds its acts.
    """
    parameters, stream = dossier.context.parameters, dossier.stream
    incidents: list[tuple[float, Incident]] = []
    if not short:
        steps = stream.integer(*parameters.steps)
        incidents += [(stream.uniform(0.1, 0.95), _record_step) for _ in range(steps)]
        if stream.happens(parameters.supplement):
            incidents.append((stream.uniform(0.1, 0.6), _ask_supplement))
        if stream.happens(parameters.payment.get(dossier.arrival.department, 0.0)):
            incidents.append((stream.uniform(0.4, 0.9), _ask_payment))
    if stream.happens(parameters.corrected):
        incidents.append((stream.uniform(0.05, 0.9), _correct_contact))
    if stream.happens(parameters.withdrawn):
        incidents.append((stream.uniform(0.1, 0.9), _withdraw))
    return sorted(incidents, key=lambda incident: incident[0])


def _record_step(dossier: DrawnDossier, at: datetime) -> bool:
    dossier.add("record_step", dossier.officer, at, activity=dossier.stream.choice(_STEPS))
    return True


def _ask_supplement(dossier: DrawnDossier, at: datetime) -> bool:
    needs = dossier.requirements()
    paper = dossier.stream.choice(UNENTERED_PAPERS) if needs is None else dossier.stream.choice(needs).key
    dossier.add("ask_supplement", dossier.officer, at, papers=[paper], reason="Giấy tờ đã nộp chưa hợp lệ")
    back = next_delivery(dossier)
    if back is not None:
        need = next((need for need in needs or () if need.key == paper), None)
        dossier.add("supplement_received", dossier.clerk, back, documents=[dossier.document(need)])
        return True
    limit = dossier.context.standard_day * dossier.context.parameters.give_up_days
    given_up = dossier.after_working(dossier.last, limit)
    if given_up is not None:
        dossier.add("stop", dossier.officer, given_up, reason="Quá hạn bổ sung mà không nhận được giấy tờ")
    return False


def _ask_payment(dossier: DrawnDossier, at: datetime) -> bool:
    amount = dossier.stream.integer(*dossier.context.parameters.payment_vnd) * 1000
    dossier.add("ask_payment", dossier.officer, at, amount_vnd=amount)
    back = next_visit(dossier)
    if back is None:
        return False
    dossier.add("paid", dossier.clerk, back)
    return True


def _correct_contact(dossier: DrawnDossier, at: datetime) -> bool:
    person = {**dossier.applicant, "phone": phone(dossier.stream, dossier.context.parameters)}
    dossier.add("correct_contact", dossier.clerk, at, applicant=person)
    return True


def _withdraw(dossier: DrawnDossier, at: datetime) -> bool:
    dossier.add("withdraw", dossier.clerk, at, reason="Người nộp xin rút hồ sơ")
    return False


def _settle(dossier: DrawnDossier, at: datetime) -> None:
    parameters, stream = dossier.context.parameters, dossier.stream
    if stream.happens(parameters.rejected):
        dossier.add("settle", dossier.officer, at, outcome="rejected", reason="Không đủ điều kiện theo quy định")
    elif dossier.arrival.channel == "online" and stream.happens(parameters.electronic):
        dossier.add("settle", dossier.officer, at, outcome="approved", electronic_result=True)
    else:
        dossier.add("settle", dossier.officer, at, outcome="approved")


def _results_clerk(dossier: DrawnDossier) -> PastActor:
    """Draw the clerk of a results counter that exists on the last act's date.

    If there is no such counter, return the clerk who received the dossier.
    """
    counters = dossier.context.centre.counters_on(dossier.last_date, "results")
    return clerk_at(dossier.stream.choice(counters)) if counters else dossier.clerk
