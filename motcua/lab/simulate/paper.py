"""The simulation as one self-contained HTML document that a leader can sign."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from motcua.lab.simulate.arrivals import ASSUMED, ArrivalArrays
from motcua.lab.simulate.outcomes import REPLICATIONS, SCALES, Outcome
from services.routing.domain.volumes import counted_weeks
from shared.kernel.errors import StartError

_ROWS = 12
_PARAMETERS = {
    "valid_from": ("ngày bắt đầu hiệu lực", "first day in force"),
    "valid_to": ("ngày hết hiệu lực", "last day in force"),
    "decision": ("số quyết định", "number of the decision"),
    "channels": ("các kênh được tính", "channels that count"),
    "full_week_days": ("số ngày của một tuần đủ", "days of a full week"),
    "least_working_days": ("số ngày làm việc ít nhất của tuần được tính", "fewest working days of a counted week"),
    "pool_below": ("ngưỡng gộp", "pooling threshold"),
    "pool_weeks": ("số tuần để gộp", "weeks before pooling"),
    "release_from": ("ngưỡng trả về quầy riêng", "release threshold"),
    "release_weeks": ("số tuần để trả", "weeks before release"),
    "min_stay_weeks": ("số tuần giữ tối thiểu", "minimum stay in weeks"),
}
"""The keys of [[general_counter]] in Vietnamese and English."""


def assumptions(arrivals: ArrivalArrays, seed: int, language: Literal["vi", "en"]) -> list[str]:
    """Return the assumptions behind the figures, one sentence each."""
    centre, rule, last = arrivals.centre, arrivals.rule, arrivals.last
    general = centre.counters_on(last, "general")
    time = centre.service_time(None, last) or ASSUMED
    staffed = [centre.staffing_of(number, last) for number in general]
    officers = sum(1 if each is None else each.officers for each in staffed)
    entered = not arrivals.assumed
    days = centre.thresholds(last).max_backdate_working_days
    if language == "vi":
        source = "trong service_times.csv" if entered else "giả định, vì trung tâm chưa nhập"
        return [
            "Khi bắt đầu, mọi cơ quan nhận hồ sơ tại quầy của mình; mỗi đề xuất được ký ngay và có hiệu lực từ đầu "
            f"tuần làm việc kế tiếp (tuần được chốt {days} ngày làm việc sau khi kết thúc).",
            f"Thời gian tiếp nhận một hồ sơ theo phân phối log-chuẩn, trung vị {time.median_minutes} phút, p90 "
            f"{time.p90_minutes} phút ({source}); nhân 0,5 và nhân 2 được nêu bên cạnh.",
            f"Quầy Tổng hợp số {', '.join(map(str, general)) or '–'} có {officers} cán bộ; người đến trước được phục "
            "vụ trước, ai còn chờ lúc hết giờ vẫn được phục vụ.",
            f"Chỉ tính hồ sơ nộp qua {' và '.join(_channel(each) for each in rule.channels)}; giờ công trả lại = giờ "
            "mở của các quầy được giải phóng trừ giờ tiếp nhận chuyển sang Quầy Tổng hợp.",
            f"Thời gian chờ là kết quả mô phỏng {REPLICATIONS} lần (hạt giống {seed}), không phải số đo.",
        ]
    source = "service_times.csv" if entered else "assumed, because the centre enters no time"
    return [
        "Every department begins at its own counters. Each proposal is signed at once and takes effect at the start of "
        f"the next working week (a week closes {days} working day{'s' if days != 1 else ''} after its end).",
        f"The time at the counter is log-normal: median {time.median_minutes} minutes, p90 {time.p90_minutes} "
        f"({source}). Results for half and twice the time are also shown.",
        f"The general counter ({', '.join(map(str, general)) or 'none'}) has {officers} "
        f"officer{'s' if officers != 1 else ''}. First come, first served; people who wait at closing time are served.",
        f"Only dossiers by {' and '.join(rule.channels)} count. Hours returned are the opening hours of freed counters "
        "minus the handling hours moved to the general counter.",
        f"Waits are the result of {REPLICATIONS} simulations (seed {seed}). They are not measured.",
    ]


def _channel(channel: str) -> str:
    return {"counter": "quầy", "post": "bưu chính", "online": "trực tuyến"}.get(channel, channel)


def write_paper(
    path: Path,
    arrivals: ArrivalArrays,
    in_force: Outcome,
    outcomes: Sequence[Outcome],
    optimal: Sequence[Outcome],
    *,
    seed: int,
    language: Literal["vi", "en"],
) -> None:
    """Write the document. It proposes the rule in force. Raises StartError if the file cannot be written."""
    environment = Environment(
        loader=PackageLoader("motcua.lab.simulate", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = _vietnamese if language == "vi" else _english
    points, most_hours, most_wait = _points(outcomes, optimal, in_force)
    page = environment.get_template("paper.html.j2").render(
        vi=language == "vi",
        arrivals=arrivals,
        centre=arrivals.centre,
        rule=arrivals.rule,
        invented=[
            _PARAMETERS[name][0 if language == "vi" else 1] for name in arrivals.rule.invented if name in _PARAMETERS
        ],
        departments=_departments(arrivals, in_force),
        one=in_force,
        tried=len(outcomes),
        rows=[in_force, *(each for each in optimal if each.rule != in_force.rule)][:_ROWS],
        points=points,
        most_hours=most_hours,
        most_wait=most_wait,
        normal=SCALES.index(1.0),
        scales=SCALES,
        assumptions=assumptions(arrivals, seed, language),
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}.") from error


def _departments(arrivals: ArrivalArrays, outcome: Outcome) -> list[dict[str, Any]]:
    """Return table rows of the departments below twice the pooling threshold or ever pooled, by mean volume."""
    found = []
    periods: dict[str, list[Any]] = {}
    for period in outcome.pooling.periods:
        periods.setdefault(period.department, []).append(period)
    for code, weeks in arrivals.volumes().items():
        volumes = [float(week.volume(arrivals.rule)) for week in counted_weeks(weeks, arrivals.rule)]
        mean = sum(volumes) / len(volumes) if volumes else 0.0
        if mean < 2 * arrivals.rule.pool_below or code in periods:
            row = arrivals.centre.department(code, arrivals.last)
            found.append(
                {
                    "code": code,
                    "name": row,
                    "mean": mean,
                    "below": sum(volume < arrivals.rule.pool_below for volume in volumes),
                    "weeks": len(volumes),
                    "periods": periods.get(code, []),
                }
            )
    return sorted(found, key=lambda each: each["mean"])


def _points(
    outcomes: Sequence[Outcome], optimal: Sequence[Outcome], in_force: Outcome
) -> tuple[list[tuple[float, float, str, str]], float, float]:
    """Return the points of the chart (hours returned by wait), and the hours and the wait at the ends of its axes.

    A point has x and y from 0 to 1, a kind and a label. The last points are drawn on top.
    """
    hours = [one.hours_returned for one in outcomes]
    waits = [one.wait for one in outcomes]
    most_hours, most_wait = max([*hours, in_force.hours_returned, 1.0]), max([*waits, in_force.wait, 0.01])
    optimal_ids = {id(one) for one in optimal}

    def point(one: Outcome, kind: str) -> tuple[float, float, str, str]:
        rule = one.rule
        label = (
            f"{rule.pool_below}/{rule.release_from}, {rule.pool_weeks}+{rule.release_weeks}, {rule.min_stay_weeks}: "
            f"{one.hours_returned:,.0f} h, {one.wait:.2f} min, {one.pooling.changes}"
        )
        return max(one.hours_returned, 0.0) / most_hours, one.wait / most_wait, kind, label

    found = [point(one, "best" if id(one) in optimal_ids else "other") for one in outcomes]
    found.sort(key=lambda each: each[2] == "best")
    return [*found, point(in_force, "force")], most_hours, most_wait


def _english(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}"


def _vietnamese(value: float, decimals: int = 0) -> str:
    return _english(value, decimals).translate(str.maketrans(",.", ".,"))
