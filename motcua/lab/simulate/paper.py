"""The simulation as one HTML paper that a leader could sign; it needs nothing from outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined

from motcua.lab.simulate.arrivals import ASSUMED, Past
from motcua.lab.simulate.outcomes import REPLICATIONS, SCALES, Outcome
from services.routing.domain.pooling import counted
from shared.kernel.errors import StartError

_ROWS = 12
_PARAMETERS = {
    "valid_from": ("ngày bắt đầu hiệu lực", "its first day in force"),
    "valid_to": ("ngày hết hiệu lực", "its last day in force"),
    "decision": ("số quyết định", "the decision's number"),
    "channels": ("các kênh được tính", "the channels that count"),
    "full_week_days": ("số ngày của một tuần đủ", "the days of a full week"),
    "least_working_days": ("số ngày làm việc ít nhất của tuần được tính", "the fewest working days of a counted week"),
    "pool_below": ("ngưỡng gộp", "the volume to pool below"),
    "pool_weeks": ("số tuần để gộp", "the weeks before pooling"),
    "release_from": ("ngưỡng trả về quầy riêng", "the volume to release from"),
    "release_weeks": ("số tuần để trả", "the weeks before releasing"),
    "min_stay_weeks": ("số tuần giữ tối thiểu", "the least stay in weeks"),
}
"""The keys of [[general_counter]] in words, Vietnamese and English."""


def assumptions(past: Past, seed: int, language: Literal["vi", "en"]) -> list[str]:
    """What the figures rest on, a sentence each."""
    centre, rule = past.centre, past.rule
    general = centre.counters_on(past.last, "general")
    time = centre.service_time(None, past.last) or ASSUMED
    staffed = [centre.staffing_of(number, past.last) for number in general]
    officers = sum(1 if each is None else each.officers for each in staffed)
    entered = not past.assumed
    days = centre.thresholds(past.last).max_backdate_working_days
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
    source = "service_times.csv" if entered else "assumed, since the centre enters none"
    return [
        "Every department begins at its own counters; each proposal is signed at once and counts from the start of the "
        f"next working week (a week closes {days} working day{'s' if days != 1 else ''} after its end).",
        f"A dossier takes a log-normal time at the counter: median {time.median_minutes} minutes, p90 "
        f"{time.p90_minutes} ({source}); half and twice that are shown beside.",
        f"The general counter ({', '.join(map(str, general)) or 'none'}) is served by {officers} "
        f"officer{'s' if officers != 1 else ''}, first come first served; who waits at closing time is still served.",
        f"Only {' and '.join(rule.channels)} count; hours returned are the opening hours of freed counters less the "
        "handling hours moved to the general counter.",
        f"Waits are simulated, {REPLICATIONS} times (seed {seed}), and measured nowhere.",
    ]


def _channel(channel: str) -> str:
    return {"counter": "quầy", "post": "bưu chính", "online": "trực tuyến"}.get(channel, channel)


def write_paper(
    path: Path,
    past: Past,
    in_force: Outcome,
    outcomes: Sequence[Outcome],
    undominated: Sequence[Outcome],
    *,
    seed: int,
    language: Literal["vi", "en"],
) -> None:
    """Write it; the rule in force is what it proposes to sign. Raises StartError where it cannot be written."""
    environment = Environment(
        loader=PackageLoader("motcua.lab.simulate", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["number"] = _vietnamese if language == "vi" else _english
    points, most_hours, most_wait = _points(outcomes, undominated, in_force)
    page = environment.get_template("paper.html.j2").render(
        vi=language == "vi",
        past=past,
        centre=past.centre,
        rule=past.rule,
        made_up=[_PARAMETERS[name][0 if language == "vi" else 1] for name in past.rule.invented if name in _PARAMETERS],
        departments=_departments(past, in_force),
        one=in_force,
        tried=len(outcomes),
        rows=[in_force, *(each for each in undominated if each.rule != in_force.rule)][:_ROWS],
        points=points,
        most_hours=most_hours,
        most_wait=most_wait,
        normal=SCALES.index(1.0),
        scales=SCALES,
        assumptions=assumptions(past, seed, language),
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StartError(f"{path} cannot be written: {error.strerror}") from error


def _departments(past: Past, outcome: Outcome) -> list[dict[str, Any]]:
    """The departments below twice the line, or pooled at some time, the smallest first."""
    found = []
    spans: dict[str, list[Any]] = {}
    for span in outcome.lived.spans:
        spans.setdefault(span.department, []).append(span)
    for code, weeks in past.volumes().items():
        volumes = [float(week.volume(past.rule)) for week in counted(weeks, past.rule)]
        mean = sum(volumes) / len(volumes) if volumes else 0.0
        if mean < 2 * past.rule.pool_below or code in spans:
            row = past.centre.department(code, past.last)
            found.append(
                {
                    "code": code,
                    "name": row,
                    "mean": mean,
                    "below": sum(volume < past.rule.pool_below for volume in volumes),
                    "weeks": len(volumes),
                    "spans": spans.get(code, []),
                }
            )
    return sorted(found, key=lambda each: each["mean"])


def _points(
    outcomes: Sequence[Outcome], undominated: Sequence[Outcome], in_force: Outcome
) -> tuple[list[tuple[float, float, str, str]], float, float]:
    """Each setting as (x, y) between 0 and 1, its kind and its words, what stands out last, so that it lies on top; and
    the hours and the wait at 1."""
    hours = [one.hours_returned for one in outcomes]
    waits = [one.wait for one in outcomes]
    most_hours, most_wait = max([*hours, in_force.hours_returned, 1.0]), max([*waits, in_force.wait, 0.01])
    beaten_by_none = {id(one) for one in undominated}

    def point(one: Outcome, kind: str) -> tuple[float, float, str, str]:
        rule = one.rule
        told = (
            f"{rule.pool_below}/{rule.release_from}, {rule.pool_weeks}+{rule.release_weeks}, {rule.min_stay_weeks}: "
            f"{one.hours_returned:,.0f} h, {one.wait:.2f} min, {one.lived.changes}"
        )
        return max(one.hours_returned, 0.0) / most_hours, one.wait / most_wait, kind, told

    found = [point(one, "best" if id(one) in beaten_by_none else "other") for one in outcomes]
    found.sort(key=lambda each: each[2] == "best")
    return [*found, point(in_force, "force")], most_hours, most_wait


def _english(value: float, decimals: int = 0) -> str:
    return f"{value:,.{decimals}f}"


def _vietnamese(value: float, decimals: int = 0) -> str:
    return _english(value, decimals).translate(str.maketrans(",.", ".,"))
